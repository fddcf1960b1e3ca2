"""Seeds that were deleted in Label Studio, or locked: the next task of the same cluster takes the rank."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np

from seedqueue.backend.pool import PoolTask
from seedqueue.backend.records import Choices, QueuedTask
from seedqueue.backend.vectors import Vectors
from seedqueue.selectors.representation import components_for, represent
from seedqueue.selectors.selection import Rows
from seedqueue.selectors.standing_in import stand_ins


def next_of_cluster(
    queue: Sequence[QueuedTask],
    pool: Sequence[PoolTask],
    candidates: Sequence[PoolTask],
    vectors: Vectors,
    choices: Choices,
) -> dict[int, PoolTask]:
    """{seed that is gone: the candidate that takes its rank}, as far as there are candidates.

    Audit tasks are not replaced, since the slice is what was drawn; nor are tasks that a person added. The rule of
    `per_group` holds for stand-ins too.
    """
    present = {one.task for one in pool}
    seeds = [one for one in queue if not one.audit and not one.by_hand and vectors.has(one.task, one.uri)]
    gone = np.array([row for row, one in enumerate(seeds) if one.task not in present], dtype=np.int64)
    free = [one for one in candidates if vectors.has(one.task, one.uri)]
    if not len(gone) or not free:
        return {}
    places = [(one.task, one.uri) for one in seeds] + [(one.task, one.uri) for one in free]
    source = vectors.store.source([vectors.hash_of(*place) or "" for place in places])
    unit = represent(source, vectors.scaler, "unit", components_for(source.shape, None))
    groups, room = _groups(choices, queue, pool, free)
    rows = stand_ins(unit[: len(seeds)], gone, unit[len(seeds) :], groups, room)
    return {seeds[at].task: free[row] for at, row in zip(gone.tolist(), rows.tolist(), strict=True) if row >= 0}


def replaced(
    queue: Sequence[QueuedTask], present: set[int], found: Mapping[int, PoolTask], locked: Collection[int] = ()
) -> tuple[list[QueuedTask], tuple[str, ...]]:
    """The queue with stand-ins for deleted or locked tasks, less those that have none; a sentence on each."""
    kept, told = list[QueuedTask](), list[str]()
    for one in queue:
        gone = "locked" if one.task in locked else "deleted"
        if one.task in present:
            kept.append(one)
        elif one.task in found:
            other = found[one.task]
            kept.append(replace(one, task=other.task, uri=other.uri, weight=max(1, one.weight - 1)))
            told.append(f"task {one.task} was {gone}: task {other.task}, the next of its cluster, has its rank")
        else:
            told.append(f"task {one.task} was {gone}, and nothing takes its rank")
    return [replace(one, rank=rank) for rank, one in enumerate(kept, start=1)], tuple(told)


def _groups(
    choices: Choices, queue: Sequence[QueuedTask], pool: Sequence[PoolTask], free: Sequence[PoolTask]
) -> tuple[Rows | None, Rows | None]:
    """The groups of the candidates, and how many more images each group may give."""
    if not choices.group_field:
        return None, None
    queued = {one.task for one in queue}
    used = Counter(one.fields.get(choices.group_field, "") for one in pool if one.labelled or one.task in queued)
    names = [one.fields.get(choices.group_field, "") for one in free]
    number = {name: at for at, name in enumerate(dict.fromkeys(name for name in names if name))}
    room = np.array([choices.per_group - used[name] for name in number] or [0], dtype=np.int64)
    return np.array([number.get(name, -1) for name in names], dtype=np.int64), room
