"""From a run's pool and the stored embeddings to its seed queue: which tasks, in which order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from seedqueue.backend.embeddings import Embeddings, source_key
from seedqueue.backend.errors import NoReadableImage
from seedqueue.backend.pool import PoolTask
from seedqueue.backend.records import Choices, QueuedTask, Unreadable
from seedqueue.selectors.choosing import select
from seedqueue.selectors.errors import BudgetExceedsPool


@dataclass(frozen=True)
class _Embedded:
    sha256: str
    task: PoolTask


def choose(
    pool: Sequence[PoolTask],
    known: dict[tuple[int, str], str],
    embeddings: Embeddings,
    choices: Choices,
    kept: Sequence[QueuedTask] = (),
    unreadable: Sequence[Unreadable] = (),
) -> tuple[list[QueuedTask], tuple[str, ...]]:
    """The queue in order, and warnings for the admin.

    Rows are sorted by content hash, so that the same images and random seed give the same queue in
    whatever order the tasks came. Labelled tasks and `kept` ones (the queue that this one extends) are
    covered ground. Where fewer images are readable than were asked for, all of them are chosen.
    Raises `NoReadableImage`.
    """
    stored = embeddings.stored()
    rows = sorted(
        (_Embedded(sha256, task) for task in pool if (sha256 := _hash(task, known)) in stored),
        key=lambda row: (row.sha256, row.task.task),
    )
    kept_tasks = {task.task for task in kept}
    covered = np.array(
        [i for i, row in enumerate(rows) if row.task.labelled or row.task.task in kept_tasks], dtype=np.int64
    )
    wanted, free = choices.budget - len(kept), len(rows) - len(covered)
    if free == 0 and rows:
        raise BudgetExceedsPool(wanted, 0)
    if free == 0:
        first = f"task {unreadable[0].task}: {unreadable[0].reason}" if unreadable else "none is stored"
        raise NoReadableImage(len(pool), first)
    matrix = embeddings.read([row.sha256 for row in rows])
    selection = select(choices.selector, matrix, min(wanted, free), labelled=covered, seed=choices.random_seed)
    added = [
        QueuedTask(len(kept) + position + 1, rows[row].task.task, rows[row].task.uri, cluster, weight)
        for position, (row, cluster, weight) in enumerate(
            zip(selection.rows.tolist(), selection.cluster.tolist(), selection.weight.tolist(), strict=True)
        )
    ]
    return [*kept, *added], _warnings(wanted, free)


def _hash(task: PoolTask, known: dict[tuple[int, str], str]) -> str | None:
    return known.get(source_key(task.task, task.uri))


def _warnings(wanted: int, free: int) -> tuple[str, ...]:
    if free >= wanted:
        return ()
    return (f"{wanted} tasks requested, {free} readable: all of them are in the queue",)
