"""The job that draws a project's map: places in the plane, and what is known of each task today."""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from seedqueue.backend import field_jobs, settings
from seedqueue.backend.context import Context
from seedqueue.backend.map_words import labels, said
from seedqueue.backend.pool import PoolTask, list_pool
from seedqueue.backend.pool_map import SCHEMA, PoolMap
from seedqueue.backend.records import Run
from seedqueue.backend.vectors import vectors_of
from seedqueue.selectors.representation import components_for, represent
from seedqueue.selectors.stability.landscape import laid_out

CHUNK = 4096  # rows whose cosines are held at once
MOST = 100_000  # images on a map: what a browser shows smoothly

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


def ask(context: Context, project: int) -> None:
    """Have the map drawn anew. A lane of its own kind: a selection is never kept waiting by a picture."""
    context.broker.enqueue("learn", "drawing.draw", project)


def ask_again(context: Context, project: int) -> None:
    """The same after a training, unless listing the pool would take Label Studio minutes."""
    last = context.maps.newest(project)
    if last is None or last.pool <= MOST:
        ask(context, project)


def draw(project: int) -> None:
    """Draw the map of the queue that is shown: a dry run that is ready, else the one that stands."""
    with Context(settings.load()) as context, context.broker.lock(f"draw-{project}"):
        run = shown_run(context, project)
        if run is not None:
            context.maps.save(project, drawn(context, run))
            field_jobs.ask(context, project)


def shown_run(context: Context, project: int) -> Run | None:
    """The newest dry run while nothing came after it, else the published run."""
    latest = context.records.latest_run(project)
    if latest is not None and latest.state == "chosen":
        return latest
    return context.records.published_run(project)


def drawn(context: Context, run: Run) -> PoolMap:
    """The map of the tasks of a project whose embeddings are stored; of more than 100,000 a random part."""
    vectors = vectors_of(context, run.project, run.fingerprint)
    everything = [task for task in list_pool(context.studio, run.project) if vectors.has(task.task, task.uri)]
    pool = shown(everything, {one.task for one in context.records.queue(run.project, run.number)}, MOST)
    hashes = {task.task: vectors.hash_of(task.task, task.uri) or "" for task in pool}
    pool.sort(key=lambda task: (hashes[task.task], task.task))
    source = vectors.store.source([hashes[task.task] for task in pool])
    unit = represent(source, vectors.scaler, "unit", components_for(source.shape, None))
    places, method = _places(context, run, pool, unit)
    columns = {
        "task": [task.task for task in pool],
        "x": places[:, 0],
        "y": places[:, 1],
        **_chosen(context, run, pool, unit),
        **_labelled(pool, unit),
        **said(context, run, pool, source),
        "label": labels(context, run, pool),
        "round": _rounds(context, run.project, pool),
    }
    table = pa.table({name: pa.array(columns[name], SCHEMA.field(name).type) for name in SCHEMA.names}, schema=SCHEMA)
    return PoolMap(run.number, run.fingerprint, datetime.now(UTC).isoformat(), method, len(everything), table)


def shown(pool: Sequence[PoolTask], queued: Collection[int], most: int) -> list[PoolTask]:
    """At most so many tasks: the queue's, the labelled ones, and others at random, the same ones every time."""
    if len(pool) <= most:
        return list(pool)
    drawn = random.Random(0)
    order = sorted(pool, key=lambda task: (task.task not in queued, not task.labelled, drawn.random()))
    return order[:most]


def nearest(unit: Floats, among: Ints) -> tuple[Ints, Floats]:
    """The row of `among` that is most like each row of unit vectors (n, d), never itself, and their cosine.

    int64 (n,) and float32 (n,); -1 and NaN where there is none. O(n m d) time; memory: a chunk of n times m.
    """
    found, cosines = np.full(len(unit), -1, dtype=np.int64), np.full(len(unit), np.nan, dtype=np.float32)
    if len(among):
        column = {row: at for at, row in enumerate(among.tolist())}
        for start in range(0, len(unit), CHUNK):
            cosine = unit[start : start + CHUNK] @ unit[among].T
            for row in range(start, min(start + CHUNK, len(unit))):
                if row in column:
                    cosine[row - start, column[row]] = -np.inf
            best = cosine.argmax(axis=1)
            top = cosine[np.arange(len(best)), best]
            some = np.isfinite(top)
            found[start : start + CHUNK] = np.where(some, among[best], -1)
            cosines[start : start + CHUNK] = np.where(some, top, np.nan)
    return found, cosines


def _places(context: Context, run: Run, pool: Sequence[PoolTask], unit: Floats) -> tuple[Floats, str]:
    """Where each task lies: as on the last map, if it holds the same tasks. t-SNE up to 2,000 images, else PCA."""
    last = context.maps.newest(run.project)
    tasks = [task.task for task in pool]
    if last is not None and last.fingerprint == run.fingerprint and last.table.column("task").to_pylist() == tasks:
        return np.column_stack([last.table.column(axis).to_numpy() for axis in "xy"]), last.method
    places, method = laid_out(unit)
    return places.astype(np.float32), method


def _chosen(context: Context, run: Run, pool: Sequence[PoolTask], unit: Floats) -> dict[str, list[object]]:
    rank = {one.task: one.rank for one in context.records.queue(run.project, run.number) if not one.audit}
    among = np.array([row for row, task in enumerate(pool) if task.task in rank], dtype=np.int64)
    near, cosine = nearest(unit, among)
    near[among] = among
    cosine[among] = 1.0
    cluster = [rank[pool[row].task] if row >= 0 else 0 for row in near.tolist()]
    return {"cluster": list(cluster), "closeness": _or_none(cosine)}


def _labelled(pool: Sequence[PoolTask], unit: Floats) -> dict[str, list[object]]:
    near, cosine = nearest(unit, np.array([row for row, task in enumerate(pool) if task.labelled], dtype=np.int64))
    tasks: list[object] = [pool[row].task if row >= 0 else None for row in near.tolist()]
    return {"nearest_labelled": tasks, "nearest_cosine": _or_none(cosine)}


def _rounds(context: Context, project: int, pool: Sequence[PoolTask]) -> list[int]:
    """The run by which each task came into the annotators' queue first; 0 for none."""
    undone = context.records.last_undone(project)
    first: dict[int, int] = {}
    for run in context.records.runs(project):
        if run.state == "published" and run.number > undone:
            for one in context.records.queue(project, run.number):
                first.setdefault(one.task, run.number)
    return [first.get(task.task, 0) for task in pool]


def _or_none(values: Floats) -> list[object]:
    return [None if np.isnan(value) else value for value in values.tolist()]
