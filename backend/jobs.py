"""The jobs of a run, each an RQ job whose arguments are ids: list, embed in shards, select and publish.

A job may run twice, be killed anywhere and be taken over: what it did is found by what is stored.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path

from rq import get_current_job

from seedqueue.backend import connection, publish, settings, tabs
from seedqueue.backend.broker import Lane
from seedqueue.backend.choose import choose
from seedqueue.backend.context import Context
from seedqueue.backend.embed import embed_tasks
from seedqueue.backend.embeddings import Embeddings, source_key
from seedqueue.backend.errors import (
    KNOWN,
    EmptyProject,
    LabelStudioRefused,
    LabelStudioUnreachable,
    ProjectNotFound,
    RedisUnreachable,
)
from seedqueue.backend.pool import PoolTask, list_pool
from seedqueue.backend.records import QueuedTask, Run
from seedqueue.backend.snapshots import NO_SHARD
from seedqueue.models import registry as embedders
from seedqueue.models.embedder import Embedder
from seedqueue.selectors.errors import BudgetExceedsPool

PASSING = (LabelStudioUnreachable, LabelStudioRefused, RedisUnreachable)


def job_prefix(run: Run) -> str:
    """What the ids of a run's jobs begin with; ids take letters, digits, `_` and `-` only."""
    return f"run-{run.project}-{run.number}-"


def progress_key(run: Run) -> str:
    return f"{run.project}-{run.number}"


def enqueue_start(context: Context, run: Run) -> None:
    _enqueue(context, run, "start")


def start(project: int, number: int) -> None:
    """List the pool, find what is not embedded yet, cut it into shards and enqueue them."""
    with _context() as context, _following(context, project, number) as run:
        if not run.active:
            return
        pool = list_pool(context.studio, project, run.choices.tab)
        _check_budget(pool, run)
        embedder, store = _embedding(context, run)
        shards = _shards(context, run, pool, store)
        context.snapshots.save(project, number, pool, shards)
        count, missing = max(shards, default=NO_SHARD) + 1, sum(shard != NO_SHARD for shard in shards)
        context.broker.start_progress(progress_key(run), missing)
        labelled = sum(task.labelled for task in pool)
        run = run.moved(
            "embedding",
            fingerprint=embedder.fingerprint,
            tasks=len(pool),
            labelled=labelled,
            shards=count,
            embedded=missing,
        )
        context.records.save_run(run)
        for shard in range(count):
            _enqueue(context, run, "embed_shard", shard)
        if count == 0:
            _enqueue(context, run, "finish")


def embed_shard(project: int, number: int, shard: int) -> None:
    """Embed one shard; the one that finds nothing missing lets the run go on."""
    with _context() as context, _following(context, project, number) as run:
        if run.state != "embedding":
            return
        embedder, store = _embedding(context, run)
        tasks = context.snapshots.pool(project, number, shard)
        key = progress_key(run)
        found = embed_tasks(
            context, project, tasks, embedder, store, lambda images: context.broker.advance(key, images)
        )
        context.records.add_unreadable(project, number, found)
        if context.broker.shard_done(key, shard) >= run.shards:
            _finish_when_embedded(context, run)


def finish(project: int, number: int) -> None:
    """Select, record the queue, publish it. A repeated call publishes the queue that was recorded."""
    with _context() as context, context.broker.lock(f"publish-{project}"), _following(context, project, number) as run:
        if not run.active:
            return
        queue = context.records.queue(project, number)
        if not queue:
            run = _select(context, run)
            queue = context.records.queue(project, number)
        run = run.moved("publishing")
        context.records.save_run(run)
        published = _publish(context, run, queue)
        context.records.save_run(published.moved("published"))
        context.broker.enqueue("control", "jobs.tidy", project, number)


def tidy(project: int, number: int) -> None:
    """After a switch: take away earlier rounds' predictions, the run's pool listing, the home's small fragments."""
    with _context() as context, context.broker.lock(f"tidy-{project}"):
        standing = context.records.published_run(project)
        if standing is None or standing.number != number:
            return
        stored = publish.versions(context.studio, project)
        for run in context.records.runs(project):
            if run.number < number and run.version in stored:
                publish.remove_version(context.studio, project, run.version)
            if run.number <= number:
                context.snapshots.drop(project, run.number)
        context.home.compact()


def reconcile(project: int) -> None:
    """Top the tail up where fewer ranked tasks are free than annotators may need."""
    with _context() as context, context.broker.lock(f"publish-{project}"):
        run = context.records.published_run(project)
        if run is None:
            return
        try:
            _top_up(context, run)
        except ProjectNotFound as error:
            context.records.save_run(run.moved("undone", error=str(error)))


def _top_up(context: Context, run: Run) -> None:
    studio, project = context.studio, run.project
    length = publish.tail_length(studio)
    free = publish.unlabelled_tasks(studio, project, run.version)
    if free >= length or free >= publish.unlabelled_tasks(studio, project):
        return
    unlabelled = [task.task for task in list_pool(studio, project) if not task.labelled]
    publish.top_up(studio, project, run.version, unlabelled, length)


def _context() -> Context:
    return Context(settings.load())


@lru_cache(maxsize=1)
def _load(name: str, weights: Path, threads: int) -> Embedder:
    """The loaded model stays in the worker: loading costs 4 to 12 s."""
    if threads:
        import torch

        torch.set_num_threads(threads)
    return embedders.create(name, weights)


def _embedding(context: Context, run: Run) -> tuple[Embedder, Embeddings]:
    embedder = _load(run.choices.embedder, context.settings.weights, context.settings.threads)
    return embedder, Embeddings(context.home, embedder.fingerprint, embedder.dimension)


def _enqueue(context: Context, run: Run, step: str, shard: int | None = None) -> None:
    arguments = (run.project, run.number) if shard is None else (run.project, run.number, shard)
    # A repeated id is enqueued and run twice; a fresh one keeps the registries apart.
    job_id = f"{job_prefix(run)}{step}-{uuid.uuid4().hex[:12]}"
    lane: Lane = "control" if shard is None else "embed"
    context.broker.enqueue(lane, f"jobs.{step}", *arguments, job_id=job_id)


def _check_budget(pool: Sequence[PoolTask], run: Run) -> None:
    available = sum(not task.labelled for task in pool)
    if available == 0:
        raise EmptyProject(run.project, run.choices.tab)
    if run.choices.extends is None and run.choices.budget > available:
        raise BudgetExceedsPool(run.choices.budget, available)


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
    with context.broker.lock(f"run-{progress_key(run)}"):
        current = context.records.run(run.project, run.number)
        if current is None or current.state != "embedding":
            return
        _, store = _embedding(context, run)
        known = context.sources.known(context.settings.label_studio_url, run.project)
        stored, unreadable = store.stored(), context.records.unreadable(run.project, run.number)
        accounted = {one.task for one in unreadable}
        pool = context.snapshots.pool(run.project, run.number)
        missing = any(
            known.get(source_key(task.task, task.uri)) not in stored and task.task not in accounted for task in pool
        )
        if missing:
            enqueue_start(context, run)
            return
        context.records.save_run(current.moved("selecting", unreadable=len(accounted)))
        _enqueue(context, run, "finish")


def _select(context: Context, run: Run) -> Run:
    """Choose the queue and record it. Annotations made since the listing count as covered ground."""
    run = run.moved("selecting")
    context.records.save_run(run)
    pool = list_pool(context.studio, run.project, run.choices.tab)
    _, store = _embedding(context, run)
    extends = run.choices.extends
    queue, warnings = choose(
        pool,
        context.sources.known(context.settings.label_studio_url, run.project),
        store,
        run.choices,
        kept=context.records.queue(run.project, extends) if extends is not None else (),
        unreadable=context.records.unreadable(run.project, run.number),
    )
    context.records.save_queue(run, queue)
    return run.moved(run.state, warnings=warnings)


def _publish(context: Context, run: Run, queue: list[QueuedTask]) -> Run:
    """Seeds and tail first, then the switch: nobody meets a moment of random order or of no tasks.

    The tail comes from the whole project also where a tab narrowed the seeds: else an annotator would be
    told that there are no tasks once the tab's are locked.
    """
    studio, project = context.studio, run.project
    attached = connection.find(studio, project, context.settings.backend_url)
    if not context.records.since_undo("before", project):
        context.records.append("before", project, run.number, asdict(publish.before(studio, project, attached)))
    unlabelled = {task.task for task in list_pool(studio, project) if not task.labelled}
    seeds = [task.task for task in queue if task.task in unlabelled]
    scores = publish.seed_scores(seeds) | publish.tail(unlabelled.difference(seeds), publish.tail_length(studio))
    publish.import_scores(studio, project, run.version, scores)
    publish.switch(studio, project, run.version, attached)
    if tabs.show(studio, project):
        context.records.append("default_tab", project, run.number, {"made": True})
    return run if attached else run.moved(run.state, warnings=(*run.warnings, _not_attached(context)))


def _not_attached(context: Context) -> str:
    return (
        f"the project has no connection to {context.settings.backend_url} (SEEDQUEUE_BACKEND_URL): the order is "
        "served, but pre-annotations and events need `seedqueue attach`"
    )


@contextmanager
def _following(context: Context, project: int, number: int) -> Iterator[Run]:
    """The run of a job; an error that no retry mends, or the last retry's, is written into its record."""
    run = context.records.run(project, number)
    if run is None:
        raise LookupError(f"run {number} of project {project} is not in the records of this home")
    try:
        yield run
    except KNOWN as error:
        if isinstance(error, PASSING) and _retries_left():
            raise
        _fail(context, project, number, str(error))
    except Exception as error:
        if not _retries_left():
            _fail(context, project, number, f"unexpected {type(error).__name__}: {error}")
        raise


def _retries_left() -> bool:
    job = get_current_job()
    return bool(job and job.retries_left)


def _fail(context: Context, project: int, number: int, message: str) -> None:
    current = context.records.run(project, number)
    if current is not None and current.active:
        context.records.save_run(current.moved("failed", error=message))
