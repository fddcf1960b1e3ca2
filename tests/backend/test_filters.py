"""Filters of tasks: how they are read, and what they admit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedqueue.backend.errors import KNOWN
from seedqueue.backend.filters import Condition, parse
from seedqueue.backend.pool_errors import UnreadableFilter


def test_conditions_are_joined_by_and() -> None:
    assert parse("view=PA and date >= 2025-01-01 and label:side=left") == (
        Condition("view", "=", "PA"),
        Condition("date", ">=", "2025-01-01"),
        Condition("label:side", "=", "left"),
    )
    assert parse("") == parse("  ") == ()


def test_quotes_keep_words_together() -> None:
    assert parse('region="left and right" and view!="AP Supine"') == (
        Condition("region", "=", "left and right"),
        Condition("view", "!=", "AP Supine"),
    )


def test_values_may_hold_spaces_without_quotes() -> None:
    assert parse("view=AP Supine and id>5") == (Condition("view", "=", "AP Supine"), Condition("id", ">", "5"))


def test_what_shells_and_habits_bring() -> None:
    assert parse("view='AP Supine' AND owner=O'Brien") == (
        Condition("view", "=", "AP Supine"),
        Condition("owner", "=", "O'Brien"),
    )
    assert parse('image="/data?d=a and b"') == (Condition("image", "=", "/data?d=a and b"),)


SLIPS = ["view==PA", "view!==PA", "view!=PA or view!=LAT", "view='PA and AP'"]


@pytest.mark.parametrize(
    "text", ["view", "view=", "=PA", "and", "view=PA and", "id=abc", "label:=x", "label:side<3", '"a"=b', *SLIPS]
)
def test_what_cannot_be_read_is_quoted_with_a_mend(text: str) -> None:
    with pytest.raises(UnreadableFilter, match="Give conditions such as view=PA"):
        parse(text)


@given(st.text(max_size=40))
def test_no_text_does_more_than_be_refused(text: str) -> None:
    try:
        for condition in parse(text):
            condition.holds("x")
    except KNOWN:
        pass


@pytest.mark.parametrize(
    ("operator", "value", "text", "holds"),
    [
        ("=", "PA", "PA", True),
        ("=", "7", "007", False),  # a patient's number is a name
        ("!=", "PA", "", True),
        ("~", "pneu", "Pneumothorax|Effusion", True),
        ("~", "x", "", False),
        ("<", "9", "10", False),  # as numbers, not as texts
        (">=", "2025-01-01", "2025-03-02", True),
        (">", "2025-01-01", "", False),
        ("<=", "20250101", "20241231", True),
        ("<", "5", "unknown", False),
    ],
)
def test_what_a_condition_admits(operator: str, value: str, text: str, holds: bool) -> None:
    assert Condition("field", operator, value).holds(text) is holds
