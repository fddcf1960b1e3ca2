"""Tasks that came and went since a queue was put in place: deleted seeds are replaced, new images embedded."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Collection, Sequence

from seedqueue.backend import audit, demand, publish
from seedqueue.backend.context import Context
from seedqueue.backend.embed import embed_tasks
from seedqueue.backend.embeddings import Embeddings
from seedqueue.backend.locked import locked
from seedqueue.backend.narrowing import pool_of
from seedqueue.backend.pool import PoolTask, list_pool, pool_state, tasks_of
from seedqueue.backend.pool_errors import TabNotFound, UnreadableFilter
from seedqueue.backend.records import QueuedTask, Run
from seedqueue.backend.replacing import next_of_cluster, replaced
from seedqueue.backend.rules import fields_of
from seedqueue.backend.siblings import siblings
from seedqueue.backend.vectors import Vectors, vectors_of
from seedqueue.models.embedder import Embedder

# A large import is some chains of shards, not all of its shards at once: whoever comes later has a turn between them.
SHARDS_OF_A_CHAIN = 20
KEPT_SECONDS = 24 * 3600.0

logger = logging.getLogger(__name__)


def keep_up(context: Context, run: Run) -> None:
    """Where the project's tasks are others than at the last look: replace deleted seeds, have new images embedded.

    Few cheap calls where nothing has changed. Called with the project's publish lock held.
    """
    described = context.studio.call("GET", f"/api/projects/{run.project}", project=run.project)
    # Label Studio gives all tasks another overlap, locked ones too, where the project's is changed.
    apart = locked(context.records, run.project)
    told = hash((described["maximum_annotations"], described["overlap_cohort_percentage"], apart))
    state, name = [*pool_state(context.studio, run.project), told], f"pool-{run.project}-{run.number}"
    if context.broker.noted(name) == state or not context.broker.first_in(f"look-{name}-{told}", context.pace.listing):
        return
    _keep_locked(context, run.project, apart, demand.counts_skips(described))
    pool = list_pool(context.studio, run.project, fields=fields_of(run.choices))
    within = _within(context, run, pool)
    vectors = vectors_of(context, run.project, run.fingerprint)
    held_out = {one.task for one in audit.frozen(context.records, run.project)}
    closed = held_out | siblings(context.records, run.project, pool, run.choices.group_field)
    queue = _replace_deleted(context, run, pool, within, vectors, closed, apart)
    publish.join_tail(
        context.studio, run.project, run.version, pool, held_out.union(apart, (one.task for one in queue))
    )
    if not _embed_new(context, run, within, vectors):
        context.broker.note(name, state, KEPT_SECONDS)


def _keep_locked(context: Context, project: int, apart: Collection[int], skips: bool) -> None:
    """Have nobody served the locked list, whatever was set since; not while it is lengthened or opened."""
    with context.broker.lock_if_free(f"locked-{project}") as free:
        if free and apart:
            entries = demand.stored(context.studio, project, apart)
            demand.tell(context.studio, dict.fromkeys(apart, 0), entries, skips)


def _within(context: Context, run: Run, pool: Sequence[PoolTask]) -> list[PoolTask]:
    """The tasks that seeds may come from; none where the run's tab, or the control of its filter, is there no more."""
    if not run.choices.tab and not run.choices.where:
        return list(pool)
    try:
        inside = {one.task for one in pool_of(context.studio, run.project, run.choices)}
    except (TabNotFound, UnreadableFilter) as error:  # what else there is to repair, and to learn, goes on
        logger.warning("project %s: %s", run.project, error)
        return []
    return [one for one in pool if one.task in inside]


def embed_some(context: Context, run: Run, tasks: Sequence[int], embedder: Embedder, store: Embeddings) -> None:
    """Embed a shard of these, as far as they are still there; a job at the end of the lane has the rest."""
    size = context.settings.shard_images
    listed = tasks_of(context.studio, run.project, tasks[:size])
    found = embed_tasks(context, run.project, listed, embedder, store, lambda images: None)
    context.records.add_unreadable(run.project, run.number, found)
    if len(tasks) > size:
        _enqueue(context, run, tasks[size:])


def _replace_deleted(
    context: Context,
    run: Run,
    pool: Sequence[PoolTask],
    within: Sequence[PoolTask],
    vectors: Vectors,
    closed: Collection[int],
    apart: Collection[int],
) -> list[QueuedTask]:
    """Seeds that were deleted or locked give their ranks to the next of their clusters, and the run says so.

    within, without `closed`: the tasks that seeds may come from. apart: the locked ones. The queue as it stands then.
    """
    queue, pool = context.records.queue(run.project, run.number), [one for one in pool if one.task not in apart]
    present = {one.task for one in pool}
    if present.issuperset(one.task for one in queue):
        return queue
    taken = {*closed, *apart, *(one.task for one in queue)}
    free = [one for one in within if not (one.labelled or one.skipped or one.task in taken)]
    found = next_of_cluster(queue, pool, free, vectors, run.choices)
    changed, told = replaced(queue, present, found, apart)
    logger.warning("project %s: %s", run.project, "; ".join(told))
    scores = publish.seed_scores([one.task for one in changed])
    new = {one.task for one in found.values()}
    publish.rescore(context.studio, run.project, run.version, {task: scores[task] for task in new})
    context.records.save_queue(run, changed)
    context.records.save_run(run.moved(run.state, warnings=run.warnings + told))
    return changed


def _embed_new(context: Context, run: Run, pool: Sequence[PoolTask], vectors: Vectors) -> bool:
    """Enqueue the images that are neither embedded nor known to be unreadable; whether there are any."""
    unreadable = {one.task for one in context.records.unreadable(run.project, run.number)}
    missing = [one.task for one in pool if one.task not in unreadable and not vectors.has(one.task, one.uri)]
    if missing and not embedding(context, run):
        embed(context, run, missing)
    return bool(missing)


def embedding(context: Context, run: Run) -> bool:
    """Whether images that came after the run's queue are being embedded or are about to."""
    return bool(context.broker.fates(_prefix(run)).alive)


def embed(context: Context, run: Run, tasks: Sequence[int]) -> None:
    """Have these tasks' images embedded, in chains of shards."""
    length = SHARDS_OF_A_CHAIN * context.settings.shard_images
    for start in range(0, len(tasks), length):
        _enqueue(context, run, tasks[start : start + length])


def _enqueue(context: Context, run: Run, tasks: Sequence[int]) -> None:
    job_id = f"{_prefix(run)}{uuid.uuid4().hex[:12]}"
    context.broker.enqueue("embed", "jobs.embed_new", run.project, run.number, list(tasks), job_id=job_id)


def _prefix(run: Run) -> str:
    return f"new-{run.project}-{run.number}-"
