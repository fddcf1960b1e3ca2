"""What the queue says of its tasks, as fields of their task data: the Data Manager shows those as columns.

They change the user's data, and are written where SEEDQUEUE_TASK_FIELDS allows it alone. A PATCH of data replaces
all of it, so a task is read, merged and written at once; its own fields keep their values and their order.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from seedqueue.backend.label_studio import Studio
from seedqueue.backend.pool import filtered, task_data
from seedqueue.backend.records import QueuedTask

PREFIX = "seedqueue_"
RANK, CLUSTER, STANDS_FOR, NEAREST = (
    f"{PREFIX}{name}" for name in ("rank", "cluster", "stands_for", "nearest_labelled")
)
NAMES = (RANK, CLUSTER, STANDS_FOR, NEAREST)
# How storages and plain uploads name the one value of a task; the API tells another name, the label config's.
UNNAMED = "$undefined$"

Fields = Mapping[str, int]


def fields_of(queue: Sequence[QueuedTask], nearest: Mapping[int, int]) -> dict[int, Fields]:
    """The fields of a queue's tasks. nearest: {task: the labelled task most like it}, as far as there is one.

    A task that no selector chose (of the audit slice, added by hand) stands for nobody and has no cluster.
    """
    return {one.task: _fields(one, nearest.get(one.task)) for one in queue}


def merged(data: Mapping[str, Any], fields: Fields) -> dict[str, Any]:
    """Task data with these fields of ours behind the user's own, and with no other ones of ours."""
    return {**{name: value for name, value in data.items() if name not in NAMES}, **fields}


def write(studio: Studio, project: int, wanted: Mapping[int, Fields]) -> int:
    """Let the tasks have these fields, and all others none; how many were written, a third of a second each."""
    alias = _alias(studio, project)
    stored = _stored(studio, project, alias)
    due = [task for task, data in stored.items() if _text(data) != _text(merged(data, wanted.get(task, {})))]
    written = sum(_write(studio, project, alias, task, wanted.get(task, {})) for task in due)
    if _columns(studio, project).intersection(NAMES) - {name for fields in wanted.values() for name in fields}:
        # Label Studio counts fields wrongly when a prediction is deleted: have it count from nothing.
        studio.call("POST", f"/api/projects/{project}/summary/reset/", project=project, json={}, slow=True)
    return written


def _fields(one: QueuedTask, nearest: int | None) -> Fields:
    chosen = not one.audit and not one.by_hand
    told = {
        RANK: one.rank,
        CLUSTER: one.cluster if chosen else None,
        STANDS_FOR: one.weight if chosen else None,
        NEAREST: nearest,
    }
    return {name: value for name, value in told.items() if value is not None}


def _write(studio: Studio, project: int, alias: str | None, task: int, fields: Fields) -> bool:
    """Read once more: what somebody changed since the listing is kept."""
    data = _stored(studio, project, alias, task).get(task)
    if data is None:
        return False
    body = {"data": merged(data, fields)}
    return studio.call("PATCH", f"/api/tasks/{task}/", json=body, missing_ok=True) is not None


def _alias(studio: Studio, project: int) -> str | None:
    """The name under which the API tells what is stored without one; None where all has a name.

    It is the label config's first field, which is the Data Manager's first column.
    """
    if UNNAMED not in _columns(studio, project):
        return None
    columns = studio.call("GET", "/api/dm/columns", project=project, params={"project": project})["columns"]
    return str(columns[0]["id"])


def _columns(studio: Studio, project: int) -> set[str]:
    """The fields that tasks have, as Label Studio counts them: its Data Manager's columns."""
    summary = studio.call("GET", f"/api/projects/{project}/summary/", project=project)
    return set(summary["all_data_columns"])


def _stored(studio: Studio, project: int, alias: str | None, task: int | None = None) -> dict[int, dict[str, Any]]:
    """Task data of all tasks or of one, as it is stored."""
    only = [] if task is None else [filtered("id", "equal", "Number", task)]
    named = [*only, filtered(f"data.{UNNAMED}", "empty", "String", "false")]
    told = task_data(studio, project, only)
    unnamed = task_data(studio, project, named) if alias else {}
    return {
        number: {UNNAMED: data[alias], **{name: value for name, value in data.items() if name != alias}}
        if alias in data and number in unnamed
        else data
        for number, data in told.items()
    }


def _text(data: Mapping[str, Any]) -> str:
    """With its order: a field that moved is another text."""
    return json.dumps(data)
