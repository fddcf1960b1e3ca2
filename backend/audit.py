"""The audit slice: tasks drawn at random from the whole pool before any seeding, and frozen.

EVALUATION.md: only it estimates performance on the pool. Whole groups (patients, near duplicates) are
drawn, it stands among the seeds, shows no pre-annotation and is never learnt from.

Images that come later (`seedqueue arrivals`) may get a slice of their own: a further part, frozen beside the first.
All parts are held out; only the first is a sample of the pool that it was drawn from, so estimates keep to it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice

import numpy as np

from seedqueue.backend.records import QueuedTask, Records
from seedqueue.selectors.selection import Rows

SEEDS_PER_AUDIT = 2  # one audit task follows every second seed
NO_CLUSTER = -1


@dataclass(frozen=True)
class Part:
    """One slice. after: its tasks are newer than this one, 0: of the whole pool. at: when it was frozen last."""

    after: int
    tasks: tuple[QueuedTask, ...]
    run: int
    at: datetime


def draw(groups: Rows, size: int, seed: int) -> Rows:
    """Rows of whole groups, drawn at random until there are at least `size` rows, in random order.

    groups: int64 (n,), the group of each row. Every group has the same chance, so a row's does not depend on
    what it shows. All rows where `size` exceeds them.
    """
    random = np.random.default_rng((seed, 0xA0D17))
    members: dict[int, list[int]] = {}
    for row, group in enumerate(groups.tolist()):
        members.setdefault(group, []).append(row)
    drawn: list[int] = []
    for group in random.permutation(sorted(members)).tolist():
        if len(drawn) >= size:
            break
        drawn += members[group]
    return random.permutation(np.asarray(drawn, dtype=np.int64))


def interleaved(seeds: Sequence[QueuedTask], audit: Sequence[QueuedTask], first_rank: int = 1) -> list[QueuedTask]:
    """Seeds in their order, behind every second one an audit task while these last; ranks from `first_rank`."""
    waiting, queue = iter(audit), list[QueuedTask]()
    for position, seed in enumerate(seeds):
        queue.append(seed)
        if position % SEEDS_PER_AUDIT == SEEDS_PER_AUDIT - 1:
            queue += islice(waiting, 1)
    return [replace(one, rank=first_rank + position) for position, one in enumerate(queue)]


def as_queued(task: int, uri: str, group: str = "") -> QueuedTask:
    """An audit task before its rank is known: it stands for itself and belongs to no cluster."""
    return QueuedTask(0, task, uri, NO_CLUSTER, 1, audit=True, group=group)


def waiting(slice_: Sequence[QueuedTask], done: Collection[int]) -> list[QueuedTask]:
    """The audit tasks that are in no queue yet and that nobody has labelled."""
    return [one for one in slice_ if one.task not in done]


def frozen(records: Records, project: int) -> list[QueuedTask]:
    """All of the project's audit tasks, part after part in their drawn order; empty where none was drawn."""
    return list({one.task: one for part in parts(records, project) for one in part.tasks}.values())


def first(records: Records, project: int) -> list[QueuedTask]:
    """The part by which versions are judged: the one drawn before all others."""
    found = parts(records, project)
    return list(found[0].tasks) if found else []


def parts(records: Records, project: int) -> list[Part]:
    """The slices in the order in which they were first drawn.

    Of the slice of the whole pool the first row counts, whatever comes later; rows of a later part add to it.
    """
    found: dict[int, Part] = {}
    for row in records.dated("audit", project):
        after, tasks = (0, row.body) if isinstance(row.body, list) else (row.body["after"], row.body["tasks"])
        drawn, known = tuple(QueuedTask(**one) for one in tasks), found.get(after)
        if known is None:
            found[after] = Part(after, drawn, row.run, row.at)
        elif after:
            found[after] = replace(known, tasks=known.tasks + drawn, at=row.at)
    return list(found.values())


def part_after(records: Records, project: int, after: int) -> Part | None:
    """The slice of the tasks that are newer than this one."""
    return next((part for part in parts(records, project) if part.after == after), None)


def freeze(records: Records, project: int, run: int, tasks: Sequence[QueuedTask]) -> None:
    """Write it once: the first row counts, whatever comes later."""
    records.append("audit", project, run, [vars(task) for task in tasks])


def freeze_part(records: Records, project: int, run: int, after: int, tasks: Sequence[QueuedTask]) -> None:
    """Write a slice of the tasks newer than `after` (1 or more), or lengthen it."""
    records.append("audit", project, run, {"after": after, "tasks": [vars(task) for task in tasks]})
