"""One arm of an experiment as it is written."""

from __future__ import annotations

import pytest

from seedqueue.experiments import arms
from seedqueue.experiments.arms import Arm
from seedqueue.experiments.errors import UnknownArm
from seedqueue.selectors import registry
from seedqueue.selectors.errors import UnknownSelector


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("kmeans", Arm("kmeans", "kmeans")),
        (" kmeans ", Arm("kmeans", "kmeans")),
        ("kmeans:pool=200", Arm("kmeans:pool=200", "kmeans", pool=200)),
        ("kmeans:clusters=0.5", Arm("kmeans:clusters=0.5", "kmeans", clusters=0.5)),
        (
            "kmeans:representation=raw:components=16",
            Arm("kmeans:representation=raw:components=16", "kmeans", representation="raw", components=16),
        ),
        (
            "uniform:seeds=20:then=margin",
            Arm("uniform:seeds=20:then=margin", "uniform", seeds=20, then="margin"),
        ),
        # A selector of later rounds cannot begin: the default does.
        ("badge", Arm("badge", "kmeans", seeds=arms.FIRST, then="badge")),
    ],
)
def test_what_a_text_says(text: str, expected: Arm) -> None:
    assert arms.parse(text) == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("kmeans:k=3", "'k=3' is no option; there are representation=, components=, pool=, clusters=, seeds=, then="),
        ("kmeans:pool", "'pool' is no option"),
        ("kmeans:text=x", "'text=x' is no option"),
        ("kmeans:pool=0", "'pool=0' needs a number above 0"),
        ("kmeans:pool=2.5", "'pool=2.5' needs a number above 0"),
        ("kmeans:clusters=nan", "'clusters=nan' needs a number above 0"),
        ("kmeans:clusters=inf", "'clusters=inf' needs a number above 0"),
        ("kmeans:representation=round", "'round' is none of raw, standardised, unit"),
        ("kmeans:seeds=20", "seeds and then belong together"),
        ("kmeans:then=margin", "seeds and then belong together"),
        ("kmeans:seeds=20:then=facility-location", "facility-location is no selector of later rounds"),
        ("margin:pool=20", "margin is for later rounds; write kmeans:seeds=20:then=margin"),
        ("uniform:clusters=2", "a number of clusters is for kmeans alone"),
        ("kmeans:clusters=2:seeds=20:then=margin", "a number of clusters is for kmeans alone, without later rounds"),
    ],
)
def test_what_says_nothing_known_is_refused_with_its_text(text: str, reason: str) -> None:
    with pytest.raises(UnknownArm) as caught:
        arms.parse(text)
    assert str(caught.value).startswith(f"The selector {text!r}: ")
    assert reason in str(caught.value)


@pytest.mark.parametrize("text", ["best", "kmeans:seeds=20:then=best"])
def test_an_unknown_selector_is_named(text: str) -> None:
    with pytest.raises(UnknownSelector, match="'best'"):
        arms.parse(text)


def test_every_selector_is_an_arm() -> None:
    for name in registry.names():
        assert arms.parse(name).text == name


@pytest.mark.parametrize(("text", "random"), [("uniform", True), ("uniform:seeds=20:then=margin", False)])
def test_only_a_draw_is_drawn_again(text: str, random: bool) -> None:
    assert arms.parse(text).random is random
    assert not arms.parse("kmeans").random


def test_what_each_part_needs_is_needed() -> None:
    assert arms.parse("kmeans").needs == frozenset()
    assert arms.parse("weak-label").needs == {"weak_labels"}
    assert "probabilities" in arms.parse("kmeans:seeds=20:then=margin").needs


@pytest.mark.parametrize(
    ("text", "nested"),
    [("uniform", True), ("facility-location", True), ("kmeans", False), ("kmeans:clusters=2", False), ("margin", True)],
)
def test_which_queues_begin_with_the_smaller_one(text: str, nested: bool) -> None:
    assert arms.parse(text).nested is nested
