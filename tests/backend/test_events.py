"""What Label Studio sent, typed; what it would never send, refused by name."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedqueue.backend.errors import InvalidRequest
from seedqueue.backend.events import (
    AnnotationEvent,
    AnnotationsDeleted,
    Event,
    ProjectUpdated,
    StartTraining,
    TaskEvent,
    UnknownEvent,
    parse,
)

RECORDED = {
    "ANNOTATION_CREATED": AnnotationEvent("ANNOTATION_CREATED", 1, (1,), (92,), ()),
    "ANNOTATION_CREATED_skipped": AnnotationEvent("ANNOTATION_CREATED", 1, (4,), (14,), (4,)),
    "ANNOTATION_UPDATED": AnnotationEvent("ANNOTATION_UPDATED", 1, (1,), (92,), ()),
    "ANNOTATIONS_CREATED": AnnotationEvent("ANNOTATIONS_CREATED", 1, (2,), (92,), ()),
    "ANNOTATIONS_DELETED": AnnotationsDeleted("ANNOTATIONS_DELETED", 1, (1,)),
    "TASKS_CREATED": TaskEvent("TASKS_CREATED", 1, (92,)),
    "TASKS_CREATED_bulk": TaskEvent("TASKS_CREATED", 1, (93, 94, 95)),
    "TASKS_DELETED": TaskEvent("TASKS_DELETED", 1, (92,)),
    "PROJECT_UPDATED": ProjectUpdated("PROJECT_UPDATED", 1),
    "START_TRAINING": StartTraining("START_TRAINING", 1),
}
PROJECT = {"id": 7}
ONE = {"id": 3, "was_cancelled": False}


@pytest.mark.parametrize("name", RECORDED)
def test_recorded_event(name: str, payload: Callable[[str], Any]) -> None:
    assert parse(payload(name)) == RECORDED[name]


def test_all_of_several_annotations_are_read() -> None:
    body = {
        "action": "ANNOTATIONS_CREATED",
        "project": PROJECT,
        "annotation": [{"id": 1}, {"id": 2, "was_cancelled": True}],
        "task": [{"id": 10}, {"id": 11}],
    }
    assert parse(body) == AnnotationEvent("ANNOTATIONS_CREATED", 7, (1, 2), (10, 11), (2,))


def test_an_unknown_action_is_an_event_too() -> None:
    assert parse({"action": "LABEL_LINK_CREATED", "project": PROJECT}) == UnknownEvent("LABEL_LINK_CREATED", 7)


@pytest.mark.parametrize("body", [None, [], "START_TRAINING", 3, True])
def test_a_body_that_is_no_object(body: object) -> None:
    with pytest.raises(InvalidRequest, match=f"no JSON object but {type(body).__name__}"):
        parse(body)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"project": PROJECT}, "'action'"),
        ({"action": "", "project": PROJECT}, "'action'"),
        ({"action": 5, "project": PROJECT}, "'action'"),
        ({"action": "START_TRAINING"}, "'project'"),
        ({"action": "START_TRAINING", "project": 7}, "'project'"),
        ({"action": "START_TRAINING", "project": {"id": "7"}}, "'project'"),
        ({"action": "START_TRAINING", "project": {"id": True}}, "'project'"),
        ({"action": "START_TRAINING", "project": {"id": 7.0}}, "'project'"),
        ({"action": "START_TRAINING", "project": {"id": 0}}, "'project'"),
        ({"action": "START_TRAINING", "project": {"id": 2**63}}, "'project'"),
        ({"action": "ANNOTATION_CREATED", "project": PROJECT, "task": ONE}, "'annotation'"),
        ({"action": "ANNOTATION_CREATED", "project": PROJECT, "annotation": ONE}, "'task'"),
        ({"action": "ANNOTATION_UPDATED", "project": PROJECT, "annotation": {}, "task": ONE}, "'annotation'"),
        ({"action": "ANNOTATIONS_CREATED", "project": PROJECT, "annotation": [ONE, None], "task": ONE}, "'annotation'"),
        ({"action": "ANNOTATIONS_DELETED", "project": PROJECT}, "'annotations'"),
        ({"action": "ANNOTATIONS_DELETED", "project": PROJECT, "annotations": []}, "'annotations'"),
        ({"action": "TASKS_CREATED", "project": PROJECT, "tasks": [3]}, "'tasks'"),
        ({"action": "TASKS_DELETED", "project": PROJECT, "tasks": [{"id": None}]}, "'tasks'"),
    ],
)
def test_the_missing_or_odd_field_is_named(body: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidRequest, match=field):
        parse(body)


_anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
_entry = st.fixed_dictionaries({}, optional={"id": _anything, "was_cancelled": _anything})
_field = _anything | _entry | st.lists(_entry | _anything, max_size=3)
_event_like = st.fixed_dictionaries(
    {},
    optional={
        "action": _anything | st.sampled_from([event.action for event in RECORDED.values()]),
        "project": _field,
        "annotation": _field,
        "annotations": _field,
        "task": _field,
        "tasks": _field,
    },
)


@given(_anything | _event_like)
def test_any_body_is_an_event_or_an_invalid_request(body: object) -> None:
    try:
        event = parse(body)
    except InvalidRequest:
        return
    assert isinstance(event, Event)
