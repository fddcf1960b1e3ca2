"""A fresh audit slice: some of the new tasks, drawn at random and held out like the first slice."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from seedqueue.backend import audit, chosen, publish, waking
from seedqueue.backend.arrivals.division import Cut, parted
from seedqueue.backend.arrivals.embedded import Tell, embedded
from seedqueue.backend.audit import Part
from seedqueue.backend.audit_draw import whole_groups
from seedqueue.backend.context import Context
from seedqueue.backend.errors import NoSeedQueue
from seedqueue.backend.learning_errors import AuditExceedsPool
from seedqueue.backend.locked import locked
from seedqueue.backend.pool import PoolTask, list_pool
from seedqueue.backend.records import QueuedTask, Run
from seedqueue.backend.rules import fields_of
from seedqueue.backend.vectors import Vectors


def draw_fresh_audit(
    context: Context, project: int, after: int, size: int, tell: Tell = lambda done, total: None
) -> Part:
    """The slice of the tasks newer than `after`, with at least `size` tasks: drawn now, or lengthened, or as it is.

    Whole groups of the new part, labelled tasks among them, so that it is a fair sample of it. Its tasks stand behind
    the standing queue before all others, without pre-annotations; a queue that is made later takes them in. Nothing
    is learnt from them any more, nor from other images of their patients. Images that cannot be read are not drawn.
    Raises `NoSeedQueue`, `NothingOld`, `NothingNew`, `AuditExceedsPool`, and what `embedded` does.
    """
    run = context.records.published_run(project)
    if run is None:
        raise NoSeedQueue(project)
    pool = list_pool(context.studio, project, fields=fields_of(run.choices))
    vectors, _ = embedded(context, run, parted(pool, Cut(after, ""), project).new, tell)
    with context.broker.lock(f"publish-{project}"):
        known = audit.part_after(context.records, project, after)
        wanted = size - (len(known.tasks) if known else 0)
        if wanted > 0:
            apart = locked(context.records, project).union(o.task for o in audit.frozen(context.records, project))
            free = [one for one in pool if one.task > after and one.task not in apart]
            drawn = draw(free, vectors, run, wanted, len(known.tasks) if known else 0)
            audit.freeze_part(context.records, project, run.number, after, drawn)
            known = audit.part_after(context.records, project, after)
        # A slice that was drawn before too: whoever drew it may have been killed before its tasks stood.
        known = known or Part(after, (), run.number, datetime.now(UTC))
        _stand(context, run, known, {one.task for one in pool if not one.labelled})
        waking.wake(context.broker, project, event=False)
    return known


def draw(free: Sequence[PoolTask], vectors: Vectors, run: Run, size: int, drawn_before: int = 0) -> list[QueuedTask]:
    """At least `size` of these tasks as whole groups, in random order, the same in whatever order they come.

    Raises `AuditExceedsPool` where nothing would be left to label.
    """
    found = [(sha256, one) for one in free if (sha256 := vectors.hash_of(one.task, one.uri))]
    choices = run.choices
    named = choices.group_field if any(one.fields.get(choices.group_field) for _, one in found) else ""
    seed = choices.random_seed + drawn_before
    drawn = whole_groups(found, vectors.store, size, seed, named, choices.near_duplicate)
    if not {one.task for _, one in found if not one.labelled}.difference(one.task for one in drawn):
        raise AuditExceedsPool(size, len(found))
    return drawn


def _stand(context: Context, run: Run, part: Part, unlabelled: set[int]) -> None:
    """In the standing queue: those that it has are marked, others come next behind it; none with our predictions."""
    studio, records = context.studio, context.records
    queue, frozen = records.queue(run.project, run.number), audit.frozen(records, run.project)
    marked = chosen.bound(queue, frozen)
    if marked != queue:
        records.save_queue(run, marked)
    waiting = [one.task for one in part.tasks if one.task in unlabelled]
    place = {one.task: publish.TAIL_FLOOR + at * publish.AHEAD_STEP for at, one in enumerate(frozen)}
    ranked = {one.task for one in queue}
    publish.rescore(studio, run.project, run.version, {task: place[task] for task in waiting if task not in ranked})
    heads = context.versions.said(run.project, publish.versions(studio, run.project))
    for task in waiting:
        for said in studio.call("GET", "/api/predictions/", params={"task": task}):
            path = f"/api/predictions/{said['id']}/"
            if said["model_version"] == run.version and said["result"]:
                studio.call("PATCH", path, json={"result": []}, missing_ok=True)
            elif said["model_version"] in heads:
                studio.call("DELETE", path, missing_ok=True)
