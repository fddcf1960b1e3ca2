"""Kappa of many resamples at once: weights of tasks in, one value a row of weights out. Pure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]
Answers = NDArray[np.int64]  # (tasks, annotators), -1 where one has not answered

NOBODY = -1


def cohen(one: Answers, other: Answers, weights: Doubles) -> Doubles:
    """Cohen's kappa of two annotators, float64 (r,): (observed - by chance) / (1 - by chance) agreement.

    one, other: int64 (tasks,), `NOBODY` where not answered; weights: float64 (r, tasks). NaN where there is nothing
    both have answered, or one answer only.
    """
    both = (one != NOBODY) & (other != NOBODY)
    known, coded = np.unique(np.stack([one[both], other[both]]), return_inverse=True)
    if not len(known):
        return np.full(len(weights), np.nan)
    first, second = coded.reshape(2, -1)
    count = len(known)
    cells = np.zeros((len(first), count * count))
    cells[np.arange(len(first)), first * count + second] = 1
    table = (weights[:, both] @ cells).reshape(-1, count, count)
    total = table.sum(axis=(1, 2))
    observed = np.trace(table, axis1=1, axis2=2)
    chance = (table.sum(axis=1) * table.sum(axis=2)).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return _beyond_chance(observed / total, chance / total**2)


def fleiss(answers: Answers, weights: Doubles) -> Doubles:
    """Fleiss' kappa of all annotators, float64 (r,), as `agreement.fleiss_kappa` has it for unequal numbers of them.

    answers: int64 (tasks, annotators); tasks with fewer than two answers do not count. NaN where only one answer
    was given.
    """
    given = (answers != NOBODY).sum(axis=1)
    rows = given > 1
    known = np.unique(answers[rows][answers[rows] != NOBODY])
    counts = (answers[rows][:, :, None] == known).sum(axis=1).astype(np.float64)
    number = counts.sum(axis=1)
    agreed = (counts * (counts - 1)).sum(axis=1) / (number * (number - 1))
    w = weights[:, rows]
    with np.errstate(invalid="ignore", divide="ignore"):
        share = (w @ counts) / (w @ number)[:, None]
        return _beyond_chance((w @ agreed) / w.sum(axis=1), np.square(share).sum(axis=1))


def _beyond_chance(observed: Doubles, chance: Doubles) -> Doubles:
    left = np.where(1 - chance > 1e-12, 1 - chance, np.nan)
    return np.asarray((observed - chance) / left)
