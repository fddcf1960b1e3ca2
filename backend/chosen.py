"""A queue that was chosen before, put in place as it is or changed by hand: dry runs published, tasks added, taken out.

The new run gets its queue at once, so its jobs have nothing to choose: they publish.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from seedqueue.backend import audit, jobs, seeding
from seedqueue.backend.context import Context
from seedqueue.backend.errors import RunInProgress
from seedqueue.backend.page_errors import (
    NoSuchRun,
    NothingChanged,
    NotPublishable,
    NotStoppable,
    QueueEmptied,
    TasksUnknown,
)
from seedqueue.backend.records import QueuedTask, Run

STOPPED = "it was stopped; the images that are embedded are kept"


def queue_of(context: Context, project: int, number: int) -> tuple[Run, list[QueuedTask]]:
    """A run with its queue, dry runs too. Raises `NoSuchRun`."""
    run = context.records.run(project, number)
    queue = context.records.queue(project, number)
    if run is None or not queue:
        raise NoSuchRun(project, number)
    return run, queue


def request_publication(context: Context, project: int, number: int, add: Sequence[int], remove: Sequence[int]) -> Run:
    """Put the queue of a dry run in place, or the standing one with changes; a new run, returned at once.

    Raises `NoSuchRun`, `NotPublishable`, `NothingChanged`, `RunInProgress`, and what `changed` raises.
    """
    context.broker.ping()
    known = context.sources.known(context.settings.label_studio_url, project, sorted(set(add)))
    with context.broker.lock(f"request-{project}"):
        base, queue = queue_of(context, project, number)
        latest, standing = context.records.latest_run(project), context.records.published_run(project)
        if latest is not None and latest.active:
            raise RunInProgress(project, latest.number, latest.state)
        stands = standing is not None and standing.number == number
        if base.state != "chosen" and not stands:
            raise NotPublishable(project, number, base.state if base.state != "published" else "no longer in place")
        if stands and not add and not remove:
            raise NothingChanged(number)
        held_out = {one.task for one in audit.frozen(context.records, project)}
        queue = changed(queue, add, remove, dict(known.keys()), held_out)
        run = _copy(context, base, queue)
        _freeze_audit(context, base, run)
        context.records.add_unreadable(project, run.number, context.records.unreadable(project, number))
        # The queue first: a run that begins without one would choose.
        context.records.save_queue(run, queue)
        context.records.save_run(run)
        jobs.enqueue_start(context, run)
    return run


def stop(context: Context, project: int, number: int) -> Run:
    """End a dry run that is under way; what stands in the project stays. Embeddings that were made are kept.

    Any other run changes the project, and is ended with it by `seeding.undo`. Raises `NoSuchRun`, `NotStoppable`.
    """
    run = context.records.run(project, number)
    if run is None:
        raise NoSuchRun(project, number)
    if not run.choices.dry_run or not run.active:
        raise NotStoppable(project, number, run.state)
    context.broker.cancel(jobs.job_prefix(run))
    with suppress(jobs.Ended):  # it came to its end just now
        jobs.move(context, run, "failed", error=STOPPED)
    return context.records.run(project, number) or run


def changed(
    queue: Sequence[QueuedTask],
    add: Sequence[int],
    remove: Sequence[int],
    uris: Mapping[int, str],
    held_out: Collection[int] = (),
) -> list[QueuedTask]:
    """The queue without `remove`, and with `add` at its end; all others keep their order.

    uris: of the tasks that can be added; one that stands in the queue already is not added twice. held_out: those of
    the audit slice, which stay audit tasks.
    Raises `TasksUnknown`, `QueueEmptied`.
    """
    present = {one.task for one in queue}
    wanted = [task for task in dict.fromkeys(add) if task not in present]
    unknown, absent = [task for task in wanted if task not in uris], sorted(set(remove) - present)
    if unknown:
        raise TasksUnknown("have no embedding in this project, so they cannot be added", unknown, len(wanted))
    if absent:
        raise TasksUnknown("do not stand in the queue, so they cannot be taken out", absent, len(set(remove)))
    kept = [one for one in queue if one.task not in set(remove)]
    added = [
        QueuedTask(0, task, uris[task], audit.NO_CLUSTER, 1, audit=task in held_out, by_hand=True) for task in wanted
    ]
    if not any(not one.audit for one in [*kept, *added]):
        raise QueueEmptied(len(queue))
    return [replace(one, rank=rank) for rank, one in enumerate([*kept, *added], start=1)]


def _copy(context: Context, base: Run, queue: Sequence[QueuedTask]) -> Run:
    choices = replace(base.choices, dry_run=False, budget=sum(not one.audit for one in queue))
    return replace(
        base,
        number=seeding.next_number(context, base.project),
        state="requested",
        choices=choices,
        generation="",
        shards=0,
        embedded=0,
        error="",
        copies=base.number,
    )


def _freeze_audit(context: Context, base: Run, run: Run) -> None:
    """The audit slice that a dry run has drawn binds from now on, unless another was frozen meanwhile."""
    drawn = context.records.bodies("drawn", base.project, base.number)
    if drawn and not audit.frozen(context.records, base.project):
        audit.freeze(context.records, base.project, run.number, [QueuedTask(**one) for one in drawn[-1][2]])
