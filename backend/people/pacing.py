"""The pace of a project's annotators, read from Label Studio."""

from __future__ import annotations

from datetime import datetime

from seedqueue.backend import demand
from seedqueue.backend.context import Context
from seedqueue.backend.gathering import touched_tasks
from seedqueue.backend.locked import locked
from seedqueue.backend.people.errors import NothingLabelledYet
from seedqueue.backend.people.working import Pace, labels_of, pace_of
from seedqueue.backend.pool import pages

QUEUE, POOL = "the queue", "the whole pool"


def pace(context: Context, project: int, now: datetime | None = None) -> Pace:
    """How fast labels come and when the queue and the whole pool would be done; annotators by their numbers.

    now: with a time zone, whose midnight ends a day; this machine's by default. Raises `NothingLabelledYet`,
    `ProjectNotFound`.
    """
    labels = labels_of(touched_tasks(context.studio, project))
    if not labels:
        raise NothingLabelledYet(project)
    return pace_of(labels, _left(context, project), now or datetime.now().astimezone())


def _left(context: Context, project: int) -> dict[str, int]:
    """{what: readings still to be made}; a task of the locked list is served to nobody."""
    apart = locked(context.records, project)
    skips = demand.counts_skips(context.studio.call("GET", f"/api/projects/{project}", project=project))
    listed = [one for page in pages(context.studio, project, demand.params_of(project)) for one in page]
    missing = {one["id"]: demand.missing(one, skips) for one in listed if one["id"] not in apart}
    run = context.records.published_run(project)
    queue = context.records.queue(project, run.number) if run else []
    found = {QUEUE: sum(missing.get(one.task, 0) for one in queue)} if run else {}
    return {**found, POOL: sum(missing.values())}
