"""The jobs of a run, each an RQ job whose arguments are ids: list, embed in shards, select and publish.

A job may run twice, be killed anywhere and be taken over: what it did is found by what is stored.
"""

from __future__ import annotations

import logging
import random
import time
import uuid
from collections.abc import Sequence
from functools import lru_cache, partial
from pathlib import Path

from seedqueue.backend import (
    drawing,
    field_jobs,
    learning_jobs,
    logs,
    pool_changes,
    presence,
    progress,
    serving,
    settings,
    siblings,
    steps,
    waking,
)
from seedqueue.backend.context import Context
from seedqueue.backend.embed import embed_tasks
from seedqueue.backend.embeddings import Embeddings, source_key
from seedqueue.backend.errors import EmbedderDiffers, ProjectNotFound
from seedqueue.backend.locked import locked
from seedqueue.backend.narrowing import pool_of
from seedqueue.backend.pool import PoolTask
from seedqueue.backend.pool_errors import BudgetExceedsFree, EmptyProject
from seedqueue.backend.records import Run
from seedqueue.backend.rules import fields_of
from seedqueue.backend.run_queue import queue_of
from seedqueue.backend.snapshots import NO_SHARD
from seedqueue.models import registry as embedders
from seedqueue.models.embedder import Embedder
from seedqueue.models.runtime import Runtime
from seedqueue.selectors.errors import BudgetExceedsPool

logger = logging.getLogger(__name__)


def start(project: int, number: int) -> None:
    """List the pool, find what is not embedded yet, cut it into shards and enqueue them."""
    steps.follow(project, number, "start", (), _start)


def embed_shard(project: int, number: int, generation: str, shard: int) -> None:
    """Embed one shard; the one that finds nothing missing lets the run go on."""
    work = partial(_embed_shard, generation=generation, shard=shard)
    steps.follow(project, number, "embed_shard", (generation, shard), work)


def finish(project: int, number: int) -> None:
    """Select, record the queue, publish it. A repeated call publishes the queue that was recorded."""
    steps.follow(project, number, "finish", (), _finish)


def tidy(project: int, number: int) -> None:
    """After a switch: the tab, where showing it failed, and everything that the earlier round left."""
    with Context(settings.load()) as context, context.broker.lock(f"tidy-{project}"):
        standing = context.records.published_run(project)
        if standing is not None and standing.number == number:
            _name_again(context, standing)
            serving.show(context, standing)
            if serving.clear_earlier(context, standing, context.pace.tidy):
                field_jobs.ask(context, project)
            else:
                _enqueue_tidy(context, standing)


def _name_again(context: Context, run: Run) -> None:
    with context.broker.lock(f"publish-{run.project}"):
        standing = context.records.published_run(run.project)
        if standing is not None and standing.number == run.number:
            serving.name_again(context, run)


def embed_new(project: int, number: int, tasks: list[int]) -> None:
    """Embed tasks that came after the queue was put in place."""
    with Context(settings.load()) as context:
        run = context.records.published_run(project)
        if run is not None and run.number == number:
            pool_changes.embed_some(context, run, tasks, *_embedding(context, run))


def reconcile(project: int) -> None:
    """Compare the standing queue with what Label Studio says, and repair."""
    with logs.about(project=project), Context(settings.load()) as context, context.broker.lock(f"publish-{project}"):
        waking.reconciling(context.broker, project)
        run = context.records.published_run(project)
        if run is None:
            return
        try:
            serving.keep(context, run)
            pool_changes.keep_up(context, run)
            learning_jobs.tick(context, project)
        except ProjectNotFound as error:
            context.records.save_run(run.moved("undone", error=str(error)))


@lru_cache(maxsize=1)
def _load(name: str, weights: Path, runtime: Runtime) -> Embedder:
    """The loaded model stays in the worker: loading costs 4 to 12 s."""
    return embedders.create(name, weights, runtime)


def _embedding(context: Context, run: Run) -> tuple[Embedder, Embeddings]:
    """The run's embedder and its store. Raises `EmbedderDiffers` where this worker's weights are others."""
    embedder = _load(run.choices.embedder, context.settings.weights, context.runtime)
    if run.fingerprint and run.fingerprint != embedder.fingerprint:
        raise EmbedderDiffers(embedder.name, run.fingerprint, embedder.fingerprint)
    return embedder, Embeddings(context.home, embedder.fingerprint, embedder.dimension)


def _pool(context: Context, run: Run) -> list[PoolTask]:
    return pool_of(context.studio, run.project, run.choices, fields_of(run.choices))


def _check_budget(pool: Sequence[PoolTask], apart: frozenset[int], run: Run) -> None:
    unlabelled = {task.task for task in pool if not task.labelled}
    if not unlabelled:
        raise EmptyProject(run.project, run.choices.tab, run.choices.where)
    kept, available, budget = len(unlabelled & apart), len(unlabelled - apart), run.choices.budget
    if available and (run.choices.extends is not None or budget <= available):
        return
    raise BudgetExceedsFree(budget, available, kept) if kept else BudgetExceedsPool(budget, available)


def _shards(context: Context, run: Run, pool: Sequence[PoolTask], store: Embeddings) -> list[int]:
    """The shard of each task; `NO_SHARD` where its embedding is stored. Shards hold random tasks."""
    known = context.sources.known(context.settings.label_studio_url, run.project)
    stored = store.stored()
    missing = [i for i, task in enumerate(pool) if known.get(source_key(task.task, task.uri)) not in stored]
    random.Random(run.choices.random_seed).shuffle(missing)
    shards = [NO_SHARD] * len(pool)
    for position, i in enumerate(missing):
        shards[i] = position // context.settings.shard_images
    return shards


def _finish_when_embedded(context: Context, run: Run) -> None:
    """Fan-in by what is stored: the run goes on when pool minus stored minus unreadable is empty."""
    _, store = _embedding(context, run)
    known = context.sources.known(context.settings.label_studio_url, run.project)
    stored = store.stored()
    pool = context.snapshots.pool(run.project, run.number, run.generation)
    absent = {task.task for task in pool if known.get(source_key(task.task, task.uri)) not in stored}
    unreadable = {one.task for one in context.records.unreadable(run.project, run.number)}
    if absent - unreadable:
        steps.enqueue_start(context, run)
        return
    run = steps.move(context, run, "selecting", unreadable=len(absent), embedded=max(0, run.embedded - len(absent)))
    steps.enqueue(context, run, "finish")


def _select(context: Context, run: Run) -> Run:
    """Choose the queue and record it. Annotations made since the listing count as covered ground."""
    pool = _pool(context, run)
    related = siblings.siblings(context.records, run.project, pool, run.choices.group_field)
    apart = locked(context.records, run.project) | related
    embedder, store = _embedding(context, run)
    queue, warnings, head = queue_of(context, run, [one for one in pool if one.task not in apart], embedder, store)
    warnings += siblings.told(related, run.choices.group_field)
    run = steps.move(context, run, "selecting", warnings=warnings, head=head)
    # Last: once a queue is recorded, a run that is taken up again publishes it as it is.
    context.records.save_queue(run, queue)
    return run


def _start(context: Context, run: Run) -> None:
    if context.records.queue(run.project, run.number):  # chosen already: only its publication is left
        steps.enqueue(context, run, "finish")
        return
    pool = _pool(context, run)  # locked tasks too: heads are judged on them once they are labelled
    apart = locked(context.records, run.project)
    apart |= siblings.siblings(context.records, run.project, pool, run.choices.group_field)
    _check_budget(pool, apart, run)
    embedder, store = _embedding(context, run)
    shards = _shards(context, run, pool, store)
    generation = uuid.uuid4().hex[:12]
    context.snapshots.save(run.project, run.number, generation, pool, shards)
    count, missing = max(shards, default=NO_SHARD) + 1, sum(shard != NO_SHARD for shard in shards)
    progress.start(context.broker, steps.progress_key(run), missing)
    labelled = sum(task.labelled for task in pool)
    counts = {"tasks": len(pool), "labelled": labelled, "shards": count, "embedded": missing}
    run = steps.move(
        context, run, "embedding", fingerprint=embedder.fingerprint, generation=generation, unreadable=0, **counts
    )
    logger.info("%d tasks listed, %d images to embed in %d shards", len(pool), missing, count)
    _enqueue_shards(context, run)
    if count == 0:
        steps.enqueue(context, run, "finish")


def _enqueue_shards(context: Context, run: Run) -> None:
    """One shard more than there are workers, and no more: a run that comes later has its turn between them."""
    key, ahead = f"{steps.progress_key(run)}-{run.generation}", 1 + max(1, presence.listening(context.broker))
    while progress.shards_issued(context.broker, key) - progress.shards_done(context.broker, key) < ahead:
        shard = progress.issue_shard(context.broker, key)
        if shard >= run.shards:
            return
        steps.enqueue(context, run, "embed_shard", run.generation, shard)


def _embed_shard(context: Context, run: Run, generation: str, shard: int) -> None:
    if run.state != "embedding" or run.generation != generation:
        return
    embedder, store = _embedding(context, run)
    tasks = context.snapshots.pool(run.project, run.number, generation, shard)
    key, began = steps.progress_key(run), time.monotonic()
    found = embed_tasks(
        context, run.project, tasks, embedder, store, lambda images: progress.advance(context.broker, key, images)
    )
    context.records.add_unreadable(run.project, run.number, found)
    seconds = time.monotonic() - began
    logger.info("shard %d: %d images in %.1f s, %d unreadable", shard + 1, len(tasks), seconds, len(found))
    if progress.shard_done(context.broker, f"{key}-{generation}", shard) >= run.shards:
        _finish_when_embedded(context, run)
    else:
        _enqueue_shards(context, run)


def _enqueue_tidy(context: Context, run: Run) -> None:
    """Behind the shards that wait: what annotators wait for, a next round or another project's, goes first."""
    context.broker.enqueue("embed", "jobs.tidy", run.project, run.number)


def _finish(context: Context, run: Run) -> None:
    with context.broker.lock(f"publish-{run.project}"):
        queue = context.records.queue(run.project, run.number)
        if not queue:
            run = _select(context, run)
            queue = context.records.queue(run.project, run.number)
        logger.info("%d tasks chosen by %s", len(queue), run.choices.selector)
        if run.choices.dry_run:
            steps.move(context, run, "chosen")
            drawing.ask(context, run.project)
            return
        run = steps.move(context, run, "publishing")
        warnings = serving.put_in_place(context, run, queue)
        # At once: from here on annotators are served this queue, whatever else goes wrong.
        steps.move(context, run, "published", warnings=run.warnings + warnings)
        logger.info("%s is in place", run.version)
        try:
            serving.show(context, run)
        finally:
            _enqueue_tidy(context, run)
            drawing.ask(context, run.project)
