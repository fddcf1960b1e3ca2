"""A project's tasks as rows of a matrix: which are old, new, labelled; the patient of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from seedqueue.backend.arrivals.division import Parts
from seedqueue.backend.arrivals.drift import one_of_each
from seedqueue.backend.pool import PoolTask
from seedqueue.backend.vectors import Vectors
from seedqueue.selectors.representation import components_for, fit_scaler, represent
from seedqueue.selectors.selection import Embeddings, Rows


@dataclass(frozen=True, eq=False)
class ComparedRows:
    """The readable tasks as rows: which are old, new, points that distances are to; the patient of each."""

    tasks: list[PoolTask]
    old: Rows
    new: Rows
    points: Rows
    groups: Rows
    grouped: bool
    nearest_to: str

    @classmethod
    def of(
        cls, pool: Sequence[PoolTask], parts: Parts, vectors: Vectors, field: str, apart: frozenset[int]
    ) -> ComparedRows:
        """apart: tasks that no head learns from: being near to one of them is of no use."""
        tasks = sorted((one for one in pool if vectors.has(one.task, one.uri)), key=lambda one: one.task)
        is_new = np.array([one.task > parts.cut.after for one in tasks], dtype=bool)
        points = np.array([one.labelled and one.task not in apart for one in tasks], dtype=bool)
        labelled = bool(points.any())
        return cls(
            tasks,
            np.flatnonzero(~is_new),
            np.flatnonzero(is_new),
            np.flatnonzero(points if labelled else ~is_new),
            _patients(tasks, field),
            any(one.fields.get(field) for one in tasks),
            "the nearest labelled image" if labelled else "the nearest old image (nothing is labelled yet)",
        )


def represented_rows(vectors: Vectors, rows: ComparedRows) -> Embeddings:
    """All rows as most selectors see them: unit vectors, on principal components beyond 10,000."""
    hashes = [vectors.hash_of(one.task, one.uri) or "" for one in rows.tasks]
    if not hashes:
        return np.empty((0, 0), dtype=np.float32)
    source = vectors.store.source(hashes)
    return represent(source, fit_scaler(source), "unit", components_for(source.shape, None))


def one_task_of_each(tasks: Sequence[PoolTask], field: str, seed: int) -> list[PoolTask]:
    """One task of each patient, those that cannot be read too."""
    return [tasks[row] for row in one_of_each(np.arange(len(tasks)), _patients(tasks, field), seed).tolist()]


def _patients(tasks: Sequence[PoolTask], field: str) -> Rows:
    """The patient of each task, int64 (n,); a task without one is its own."""
    names: list[str | int] = [one.fields.get(field) or one.task for one in tasks]
    number = {name: at for at, name in enumerate(dict.fromkeys(names))}
    return np.array([number[name] for name in names], dtype=np.int64)
