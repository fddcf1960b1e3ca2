"""Which tasks of a project are old and which came later: told from the records, or by the person who asks."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from seedqueue.backend import audit
from seedqueue.backend.arrivals.errors import NothingNew, NothingOld
from seedqueue.backend.context import Context
from seedqueue.backend.label_studio import Studio
from seedqueue.backend.milestones import Arrived
from seedqueue.backend.pool import PoolTask, filtered, pool_state
from seedqueue.backend.records import Records, Run


@dataclass(frozen=True)
class Cut:
    """after: the newest task of the old part. why: how that is known, in words."""

    after: int
    why: str


@dataclass(frozen=True)
class Parts:
    """A project's tasks on either side of a cut, by their ids."""

    cut: Cut
    old: tuple[PoolTask, ...]
    new: tuple[PoolTask, ...]


def cut_of(context: Context, run: Run, after: int | None) -> Cut:
    """What was asked for; else the last look's, moved on where tasks came since; else what the first queue met.

    run: the one whose queue stands.
    """
    if after is not None:
        return Cut(after, "as asked for")
    looked = Arrived.all(context.records, run.project)
    if looked:
        at, last = looked[-1]
        newest = max(pool_state(context.studio, run.project)[1:], default=0)
        day = f"{at:%Y-%m-%d}"
        if newest > last.newest:
            return Cut(last.newest, f"the newest task at the last look, {day}")
        return Cut(last.after, f"as at the last look, {day}: nothing came since")
    number, name = _first_run(context.records, run)
    moment = _listed_at(context.records, run.project, number)
    return Cut(
        newest_by(context.studio, run.project, moment), f"the newest task when {name} was made, {moment:%Y-%m-%d}"
    )


def parted(pool: Sequence[PoolTask], cut: Cut, project: int) -> Parts:
    """Raises `NothingOld`, `NothingNew`."""
    old = tuple(one for one in pool if one.task <= cut.after)
    new = tuple(one for one in pool if one.task > cut.after)
    if not old:
        raise NothingOld(project, cut.after)
    if not new:
        raise NothingNew(project, cut.after)
    return Parts(cut, old, new)


def newest_by(studio: Studio, project: int, moment: datetime) -> int:
    """The newest task that was there at a moment by Label Studio's clock; 0 before the first."""
    items = [filtered("created_at", "less", "Datetime", f"{moment:%Y-%m-%dT%H:%M:%S.%fZ}")]
    query = {"filters": {"conjunction": "and", "items": items}, "ordering": ["-tasks:id"]}
    params = {"project": project, "page_size": 1, "fields": "task_only", "include": "id", "query": json.dumps(query)}
    found = studio.call("GET", "/api/tasks", project=project, params=params)["tasks"]
    return int(found[0]["id"]) if found else 0


def _first_run(records: Records, standing: Run) -> tuple[int, str]:
    """The run that the audit slice was drawn by; without one the first that was published and not undone since."""
    parts = audit.parts(records, standing.project)
    if parts and parts[0].after == 0:
        return parts[0].run, "the audit slice"
    undone = records.last_undone(standing.project)
    published = [one for one in records.runs(standing.project) if one.state == "published" and one.number > undone]
    return published[0].number, "the first seed queue"


def _listed_at(records: Records, project: int, number: int) -> datetime:
    """When the pool of a run had been listed; when it was recorded first, where that is not known."""
    rows = records.dated("run", project, number)
    listed = [row.at for row in rows if row.body["state"] not in ("requested", "failed")]
    return listed[0] if listed else rows[0].at
