"""What Label Studio sends to `/webhook`, typed. Events are hints: it sends each once, with a 1 s limit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from seedqueue.backend.errors import InvalidRequest

LARGEST_ID = 2**63 - 1  # what a column of the records holds
_LONGEST_ACTION = 100


@dataclass(frozen=True)
class Event:
    """One event: its action as Label Studio names it, and the project that it is about."""

    action: str
    project: int


@dataclass(frozen=True)
class AnnotationEvent(Event):
    """Annotations were made or changed; `skipped` are those that the annotator cancelled."""

    annotations: tuple[int, ...]
    tasks: tuple[int, ...]
    skipped: tuple[int, ...]


@dataclass(frozen=True)
class AnnotationsDeleted(Event):
    annotations: tuple[int, ...]


@dataclass(frozen=True)
class TaskEvent(Event):
    """Tasks were made or deleted."""

    tasks: tuple[int, ...]


@dataclass(frozen=True)
class ProjectUpdated(Event):
    """Any change to the project, our own included: never answered with a change, which would loop."""


@dataclass(frozen=True)
class StartTraining(Event):
    """The admin pressed "Start Training": no budget and no parameters come with it."""


@dataclass(frozen=True)
class UnknownEvent(Event):
    """An action that this version does not know: accepted and left alone."""


def parse(body: object) -> Event:
    """The event in a webhook's body. Raises `InvalidRequest` naming the field that is missing or odd."""
    if not isinstance(body, Mapping):
        raise InvalidRequest(f"The webhook's body is no JSON object but {type(body).__name__}.")
    action = body.get("action")
    if not isinstance(action, str) or not action:
        raise InvalidRequest("The webhook's body has no 'action'.")
    if len(action) > _LONGEST_ACTION or not action.isprintable():  # it is answered, stored and logged
        raise InvalidRequest(f"The webhook's 'action' is no name of an event: {action[:80]!a}.")
    project = _id(body.get("project"), "project")
    return _PARSERS.get(action, _unknown)(action, project, body)


def _annotations(action: str, project: int, body: Mapping[str, Any]) -> Event:
    # ANNOTATIONS_CREATED carries lists where the single events carry one object.
    annotations, tasks = _many(body, "annotation"), _many(body, "task")
    ids = tuple(_id(a, "annotation") for a in annotations)
    skipped = tuple(_id(a, "annotation") for a in annotations if a.get("was_cancelled"))
    return AnnotationEvent(action, project, ids, tuple(_id(t, "task") for t in tasks), skipped)


def _annotations_deleted(action: str, project: int, body: Mapping[str, Any]) -> Event:
    return AnnotationsDeleted(action, project, tuple(_id(a, "annotations") for a in _many(body, "annotations")))


def _tasks(action: str, project: int, body: Mapping[str, Any]) -> Event:
    return TaskEvent(action, project, tuple(_id(t, "tasks") for t in _many(body, "tasks")))


def _project_updated(action: str, project: int, body: Mapping[str, Any]) -> Event:
    return ProjectUpdated(action, project)


def _start_training(action: str, project: int, body: Mapping[str, Any]) -> Event:
    return StartTraining(action, project)


def _unknown(action: str, project: int, body: Mapping[str, Any]) -> Event:
    return UnknownEvent(action, project)


_PARSERS: dict[str, Callable[[str, int, Mapping[str, Any]], Event]] = {
    "ANNOTATION_CREATED": _annotations,
    "ANNOTATION_UPDATED": _annotations,
    "ANNOTATIONS_CREATED": _annotations,
    "ANNOTATIONS_DELETED": _annotations_deleted,
    "TASKS_CREATED": _tasks,
    "TASKS_DELETED": _tasks,
    "PROJECT_UPDATED": _project_updated,
    "START_TRAINING": _start_training,
}
ACTIONS = tuple(_PARSERS)


def _many(body: Mapping[str, Any], field: str) -> list[Mapping[str, Any]]:
    found = body.get(field)
    entries = [entry for entry in (found if isinstance(found, list) else [found]) if isinstance(entry, Mapping)]
    if not entries or (isinstance(found, list) and len(entries) != len(found)):
        raise InvalidRequest(f"The webhook's {body['action']} has no usable {field!r}: {found!r:.80}.")
    return entries


def _id(entry: object, field: str) -> int:
    number = entry.get("id") if isinstance(entry, Mapping) else None
    if not isinstance(number, int) or isinstance(number, bool) or not 0 < number <= LARGEST_ID:
        raise InvalidRequest(f"The webhook's {field!r} has no whole number as 'id': {entry!r:.80}.")
    return number
