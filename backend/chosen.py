"""A queue that was chosen before, put in place as it is or changed by hand: dry runs published, tasks added, taken out.

The new run gets its queue at once, so its jobs have nothing to choose: they publish.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from seedqueue.backend import audit, seeding, steps
from seedqueue.backend.context import Context
from seedqueue.backend.embeddings import Embeddings
from seedqueue.backend.errors import RunInProgress
from seedqueue.backend.locked import locked
from seedqueue.backend.page_errors import (
    NoSuchRun,
    NothingChanged,
    NothingLeft,
    NotPublishable,
    NotStoppable,
    QueueEmptied,
    TasksUnknown,
)
from seedqueue.backend.pool import unlabelled_of
from seedqueue.backend.records import QueuedTask, Run

CUT_OFF = "its request was cut off before it began: ask again"
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

    Raises `NoSuchRun`, `NotPublishable`, `NothingChanged`, `NothingLeft`, `RunInProgress`, and what `changed` raises.
    """
    context.broker.ping()
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
        with context.broker.lock(f"publish-{project}"):  # no task is locked between its choice and the audit slice
            run = _recorded(context, base, queue, add, remove)
        steps.enqueue_start(context, run)
    return run


def _recorded(
    context: Context, base: Run, queue: Sequence[QueuedTask], add: Sequence[int], remove: Sequence[int]
) -> Run:
    """The new run with its queue, less what was locked since the queue was chosen."""
    project = base.project
    apart = locked(context.records, project)
    slice_, queue = _without(_slice(context, base), apart), _without(queue, apart)
    open_ = unlabelled_of(context.studio, project, {one.task for one in queue}.union(add)) - apart
    remove = [task for task in remove if task not in apart]  # they are out
    queue = bound(changed(queue, add, remove, _embedded(context, base, open_.intersection(add))), slice_)
    if not any(one.task in open_ and not one.audit for one in queue):
        raise NothingLeft(base.number, len(queue))
    run = _copy(context, base, queue)
    # Its number is taken first, as that of a run that failed: were we killed in here, the next run would get the
    # number, and with it the queue.
    context.records.save_run(run.moved("failed", error=CUT_OFF))
    if slice_ and not audit.frozen(context.records, project):
        audit.freeze(context.records, project, run.number, slice_)
    context.records.add_unreadable(project, run.number, context.records.unreadable(project, base.number))
    context.records.save_queue(run, queue)
    context.records.save_run(run)
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
    context.broker.cancel(steps.job_prefix(run))
    with suppress(steps.Ended):  # it came to its end just now
        steps.move(context, run, "failed", error=STOPPED)
    return context.records.run(project, number) or run


def changed(
    queue: Sequence[QueuedTask], add: Sequence[int], remove: Sequence[int], uris: Mapping[int, str]
) -> list[QueuedTask]:
    """The queue without `remove`, and with `add` at its end; all others keep their order.

    uris: of the tasks that can be added; one that stands in the queue already is not added twice.
    Raises `TasksUnknown`, `QueueEmptied`.
    """
    present = {one.task for one in queue}
    wanted = [task for task in dict.fromkeys(add) if task not in present]
    unknown, absent = [task for task in wanted if task not in uris], sorted(set(remove) - present)
    if unknown:
        what = "are labelled, locked, deleted or not embedded in this project, so they cannot be added"
        raise TasksUnknown(what, unknown, len(wanted))
    if absent:
        raise TasksUnknown("do not stand in the queue, so they cannot be taken out", absent, len(set(remove)))
    kept = [one for one in queue if one.task not in set(remove)]
    added = [QueuedTask(0, task, uris[task], audit.NO_CLUSTER, 1, by_hand=True) for task in wanted]
    if not any(not one.audit for one in [*kept, *added]):
        raise QueueEmptied(len(queue))
    return [replace(one, rank=rank) for rank, one in enumerate([*kept, *added], start=1)]


def bound(queue: Sequence[QueuedTask], slice_: Sequence[QueuedTask]) -> list[QueuedTask]:
    """The queue with the audit marks of this slice and no others, as where another one was frozen meanwhile.

    A task that only another draw made an audit task leaves the queue: no selector chose it.
    """
    drawn = {one.task: one for one in slice_}
    kept = [one for one in queue if one.task in drawn or not one.audit]
    marked = [
        replace(one, audit=True, group=drawn[one.task].group, cluster=audit.NO_CLUSTER, weight=1)
        if one.task in drawn
        else one
        for one in kept
    ]
    return [replace(one, rank=rank) for rank, one in enumerate(marked, start=1)]


def _without(queue: Sequence[QueuedTask], apart: Collection[int]) -> list[QueuedTask]:
    """What was chosen or drawn before a list was locked, less the tasks on it."""
    return [one for one in queue if one.task not in apart]


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
        warnings=base.warnings if base.state == "chosen" else (),  # of a choice made just now; older ones are stale
        copies=base.number,
    )


def _slice(context: Context, base: Run) -> list[QueuedTask]:
    """The audit slice that binds once this queue stands: the frozen one, else what the dry run has drawn."""
    drawn = context.records.bodies("drawn", base.project, base.number)
    return audit.frozen(context.records, base.project) or [QueuedTask(**one) for one in (drawn[-1][2] if drawn else [])]


def _embedded(context: Context, base: Run, tasks: Collection[int]) -> dict[int, str]:
    """{task: URI} of those whose image is embedded by the embedder of this queue."""
    known = context.sources.known(context.settings.label_studio_url, base.project, sorted(tasks))
    stored = Embeddings.of_fingerprint(context.home, base.fingerprint).few(known.values())
    return {task: uri for (task, uri), sha256 in known.items() if sha256 in stored}
