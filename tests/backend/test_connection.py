""" "Any extra params" of a connection, as admins write them. The calls to Label Studio are in tests/flow."""

from typing import Any

import pytest

from seedqueue.backend.connection import Connection, extra_params
from seedqueue.backend.errors import InvalidRequest


def given(params: Any) -> dict[str, Any]:
    return extra_params(Connection(number=1, title="seedqueue", url="http://b", extra_params=params, user=""))


def test_a_dict_is_taken_as_it_is() -> None:
    assert given({"budget": 20, "selector": "uniform"}) == {"budget": 20, "selector": "uniform"}


def test_a_json_string_is_read() -> None:
    assert given('{"budget": 20}') == {"budget": 20}


@pytest.mark.parametrize("nothing", [None, "", {}, "{}"])
def test_nothing_given(nothing: Any) -> None:
    assert given(nothing) == {}


def test_not_attached() -> None:
    assert extra_params(None) == {}


@pytest.mark.parametrize("nonsense", ["budget=20", "{'budget': 20}", "[1]", "20", "null", [1], 20])
def test_nonsense_is_shown(nonsense: Any) -> None:
    with pytest.raises(InvalidRequest, match="extra params are no JSON"):
        given(nonsense)
