"""What a request may give as its choices: JSON of any kind comes in."""

from typing import Any

import pytest

from seedqueue.backend.errors import InvalidRequest
from seedqueue.backend.records import Run
from seedqueue.backend.seeding import choices_from
from seedqueue.backend.settings import load


@pytest.mark.parametrize("name", ["tab", "where", "group_field", "weak_label"])
@pytest.mark.parametrize("value", [["view=PA"], {"view": "PA"}, True, 2.5])
def test_what_is_no_text_is_refused_at_once(name: str, value: Any) -> None:
    """A list's words would be read as a filter that nothing fulfils, after all images were listed."""
    with pytest.raises(InvalidRequest, match=f"{name} is .*; give text"):
        choices_from({name: value}, load({}))


def test_a_tab_may_be_given_by_its_number_and_nothing_is_none() -> None:
    assert choices_from({"tab": 4}, load({})).tab == "4"
    assert choices_from({"tab": "", "where": None}, load({})).tab is None


def test_a_run_of_an_older_home_is_read() -> None:
    """Rows that were written before there were filters."""
    choices = {"budget": 4, "embedder": "hog", "selector": "kmeans", "random_seed": 0, "tab": None, "extends": None}
    body = {"project": 1, "number": 2, "state": "published", "choices": choices, "warnings": []}
    assert Run.from_body(body).choices.where == ""
