"""From a run's pool and the stored embeddings to its seed queue: which tasks, in which order."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np

from seedqueue.backend.embeddings import Embeddings, source_key
from seedqueue.backend.pool import PoolTask
from seedqueue.backend.pool_errors import NoReadableImage
from seedqueue.backend.records import Choices, QueuedTask, Unreadable
from seedqueue.backend.rules import repeats, rules_for, signals_for
from seedqueue.models.findings import Findings
from seedqueue.selectors.choosing import select
from seedqueue.selectors.errors import BudgetExceedsGroups, BudgetExceedsPool
from seedqueue.selectors.signals import Signals
from seedqueue.selectors.source import Source

Predictions = Callable[[Sequence[PoolTask], Source], Signals]


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
    findings: Callable[[], Findings | None] = lambda: None,
    held_out: Collection[int] = (),
    predictions: Predictions | None = None,
) -> tuple[list[QueuedTask], tuple[str, ...]]:
    """The queue in order, and warnings for the admin.

    Rows are sorted by content hash, so that the same images and random seed give the same queue in
    whatever order the tasks came. Labelled tasks and `kept` ones (the queue that this one extends) are
    covered ground. Where fewer images can be chosen than were asked for, as many as can be are.
    findings: loads the embedder's own classifier. held_out: tasks of the audit slice, which are no part of the pool
    here. predictions: what a head says of the rows, for a later round. Raises `NoReadableImage`, `NoGroups`,
    `NoWeakLabels`.
    """
    stored = embeddings.stored()
    rows = sorted(
        (
            _Embedded(sha256, task)
            for task in pool
            if task.task not in held_out and (sha256 := _hash(task, known)) in stored
        ),
        key=lambda row: (row.sha256, row.task.task),
    )
    kept_tasks = {task.task for task in kept}
    covered = np.array(
        [i for i, row in enumerate(rows) if row.task.labelled or row.task.task in kept_tasks], dtype=np.int64
    )
    wanted, free = choices.budget - sum(not one.audit for one in kept), len(rows) - len(covered)
    if free == 0 and rows:
        raise BudgetExceedsPool(wanted, 0)
    if free == 0:
        first = f"task {unreadable[0].task}: {unreadable[0].reason}" if unreadable else "none is stored"
        raise NoReadableImage(len(pool), first)
    fields = [row.task.fields for row in rows]
    rules = rules_for(choices, fields)
    allowed = rules.available(covered, len(rows))
    if allowed == 0:
        raise BudgetExceedsGroups(wanted, 0, rules.per_group)
    source = embeddings.source([row.sha256 for row in rows])
    known_signals = predictions([row.task for row in rows], source) if predictions else None
    selection = select(
        choices.selector,
        source,
        min(wanted, allowed),
        labelled=covered,
        seed=choices.random_seed,
        rules=rules,
        signals=signals_for(choices, fields, source, findings, known_signals),
    )
    added = [
        QueuedTask(len(kept) + position + 1, rows[row].task.task, rows[row].task.uri, cluster, weight)
        for position, (row, cluster, weight) in enumerate(
            zip(selection.rows.tolist(), selection.cluster.tolist(), selection.weight.tolist(), strict=True)
        )
    ]
    return [*kept, *added], _warnings(wanted, free, allowed, choices, repeats([row.sha256 for row in rows]))


def _hash(task: PoolTask, known: dict[tuple[int, str], str]) -> str | None:
    return known.get(source_key(task.task, task.uri))


def _warnings(wanted: int, free: int, allowed: int, choices: Choices, repeated: int) -> tuple[str, ...]:
    found = []
    if free < wanted:
        found.append(f"{wanted} tasks requested, {free} readable: all of them are in the queue")
    if allowed < min(wanted, free):
        found.append(
            f"{wanted} tasks requested, {allowed} are in the queue: at most {choices.per_group} with the same "
            f"{choices.group_field}"
        )
    if repeated:
        found.append(f"{repeated} tasks hold the same image as another one")
    return tuple(found)
