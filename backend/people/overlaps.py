"""Reading in common: how many annotators each task of a queue is served to, in Label Studio Community.

A task's own `overlap` can be set through its API. While the project's maximum_annotations stays 1, Label Studio
does not serve begun tasks first (and at random), as it does else: every annotator gets the queue in rank order,
tasks that are read in common until all have read them, the others once. An annotator's lock takes one of a
task's places and no more.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from seedqueue.backend import demand, publish, seeding
from seedqueue.backend.context import Context
from seedqueue.backend.label_studio import Studio
from seedqueue.backend.locked import locked
from seedqueue.backend.milestones import Overlap
from seedqueue.backend.people.drawing import in_common
from seedqueue.backend.people.errors import OverlapIsProjectWide, OverlapRefused
from seedqueue.backend.records import QueuedTask, Run


def share_reading(context: Context, project: int, annotators: int, first: int = 10, share: float = 0.1) -> Overlap:
    """Let so many annotators read the head of the standing seed queue and a share of its rest; what is read in common.

    first: tasks at the queue's head; share: of the others, in [0, 1]. Asked again it gives what is asked now: tasks
    that are no longer read in common get back what they had, and with fewer annotators those that have been read
    by enough are finished. One annotator: as `release`. What stood before is written down before anything is
    changed: what is cut off is finished by the next call, or put back.

    Raises `NoSeedQueue`, `OverlapIsProjectWide`, `OverlapRefused`.
    """
    run, queue = seeding.standing_queue(context, project)
    if annotators < 2:
        release(context, project)
        return Overlap(1, first, share, ())
    with context.broker.lock(f"publish-{project}"):  # no list is locked meanwhile
        return _share(context, run, queue, Overlap(annotators, first, share, ()))


def _share(context: Context, run: Run, queue: Sequence[QueuedTask], asked: Overlap) -> Overlap:
    project = run.project
    described = context.studio.call("GET", f"/api/projects/{project}", project=project)
    if described["maximum_annotations"] > 1:
        raise OverlapIsProjectWide(project, described["maximum_annotations"])
    apart = locked(context.records, project)
    ranked = [one.task for one in queue if one.task not in apart]
    drawn = in_common(ranked, asked.first, asked.share, run.choices.random_seed)
    earlier = _before(context, project)
    entries = demand.stored(context.studio, project, {*drawn, *earlier})
    now = {task: entries[task]["overlap"] for task in drawn if task in entries}
    before = {task: earlier.get(task, overlap) for task, overlap in now.items()}
    dropped = {task: overlap for task, overlap in earlier.items() if task not in before}
    wanted = replace(asked, tasks=tuple(before), before=tuple(before.items()))
    _save(context, project, replace(wanted, before=tuple({**before, **dropped}.items())))
    told = {**dict.fromkeys(before, asked.annotators), **dropped}
    _set(context, project, told, entries, demand.counts_skips(described))
    _rank(context.studio, project, run.version, [one.task for one in queue], before)
    _save(context, project, wanted)
    return wanted


def release(context: Context, project: int) -> int:
    """Give every task that is read in common back what it had; how many. None is left half read: who read it counts.

    Tasks that are gone are passed over. Nothing happens where nothing is read in common.
    """
    with context.broker.lock(f"publish-{project}"):
        last = Overlap.last(context.records, project)
        if last is None or not last.before:
            return 0
        described = context.studio.call("GET", f"/api/projects/{project}", project=project)
        before = _before(context, project)
        entries = demand.stored(context.studio, project, before)
        wanted = {task: before[task] for task in entries}
        _set(context, project, wanted, entries, demand.counts_skips(described))
        Overlap(1, 0, 0.0, ()).save(context.records, project)
    return len(entries)


def _save(context: Context, project: int, overlap: Overlap) -> None:
    if Overlap.last(context.records, project) != overlap:
        overlap.save(context.records, project)


def _before(context: Context, project: int) -> dict[int, int]:
    """{task: how many were to read it} of all tasks that were changed and not put back, but for locked ones since.

    Those are nobody's until the list is opened, which gives them what they had.
    """
    last, apart = Overlap.last(context.records, project), locked(context.records, project)
    return {task: overlap for task, overlap in last.before if task not in apart} if last else {}


def _set(
    context: Context, project: int, wanted: Mapping[int, int], entries: Mapping[int, demand.Entry], skips: bool
) -> None:
    """Tell the tasks how many are to read them, and whether that makes them finished. Raises `OverlapRefused`."""
    demand.tell(context.studio, wanted, entries, skips)
    after = demand.stored(context.studio, project, wanted)
    wrong = [task for task, entry in after.items() if entry["overlap"] != wanted[task]]
    if wrong:
        raise OverlapRefused(wanted[wrong[0]], wrong)


def _rank(studio: Studio, project: int, version: str, queue: Sequence[int], tasks: Collection[int]) -> None:
    """Give those that have none their rank: a queue published anew leaves out what one annotator has read."""
    scores = publish.seed_scores(queue)
    publish.import_scores(studio, project, version, {task: scores[task] for task in queue if task in tasks})
