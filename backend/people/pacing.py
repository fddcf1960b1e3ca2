"""The pace of a project's annotators, read from Label Studio."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from seedqueue.backend.context import Context
from seedqueue.backend.gathering import PAGE as HEAVY_PAGE
from seedqueue.backend.label_studio import Studio
from seedqueue.backend.locked import locked
from seedqueue.backend.people.errors import NothingLabelledYet
from seedqueue.backend.people.working import Pace, labels_of, pace_of
from seedqueue.backend.pool import PAGE, filtered, pages

QUEUE, POOL = "the queue", "the whole pool"


def pace(context: Context, project: int, now: datetime | None = None) -> Pace:
    """How fast labels come and when the queue and the whole pool would be done; annotators by their numbers.

    now: with a time zone, whose midnight ends a day; this machine's by default. Raises `NothingLabelledYet`,
    `ProjectNotFound`.
    """
    labels = labels_of(_touched(context.studio, project))
    if not labels:
        raise NothingLabelledYet(project)
    return pace_of(labels, _left(context, project), now or datetime.now().astimezone())


def _touched(studio: Studio, project: int) -> list[dict[str, Any]]:
    """Every task with an annotation or a skip, these in full."""
    items = [filtered(f"{kind}_annotations", "greater", "Number", 0) for kind in ("total", "cancelled")]
    params = {
        "project": project,
        "page_size": HEAVY_PAGE,
        "fields": "all",
        "resolve_uri": "false",
        "query": json.dumps({"filters": {"conjunction": "or", "items": items}}),
    }
    return [task for page in pages(studio, project, params) for task in page]


def _left(context: Context, project: int) -> dict[str, int]:
    """{what: readings still to be made}; a task of the locked list is served to nobody."""
    params = {
        "project": project,
        "page_size": PAGE,
        "fields": "task_only",
        "include": "id,overlap,is_labeled,total_annotations",
        "resolve_uri": "false",
    }
    apart = locked(context.records, project)
    listed = [entry for page in pages(context.studio, project, params) for entry in page if entry["id"] not in apart]
    missing = {entry["id"]: readings_left(entry) for entry in listed}
    run = context.records.published_run(project)
    queue = context.records.queue(project, run.number) if run else []
    found = {QUEUE: sum(missing.get(one.task, 0) for one in queue)} if run else {}
    return {**found, POOL: sum(missing.values())}


def readings_left(task: Mapping[str, Any]) -> int:
    """How many annotators are still to read a task, as far as its counts tell."""
    return 0 if task["is_labeled"] else max(0, task["overlap"] - task["total_annotations"])
