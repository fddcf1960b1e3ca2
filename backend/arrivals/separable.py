"""A classifier two-sample test (Lopez-Paz & Oquab 2017): can new images be told from old ones at all? Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seedqueue.models.metrics import bootstrap, ranking

MOST_ROWS = 1_000  # of either part: permutations cost the square of it
PERMUTATIONS = 1_999  # the least p value is 1 in 2,000: small enough to survive a correction for some 40 tests
FOLDS = 5
_RIDGE = 0.01

Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class Separable:
    """auroc: cross-validated, 0.5 where the parts cannot be told apart; its interval; the permutation p value."""

    auroc: float
    low: float | None
    high: float | None
    p: float


def separability(old: Doubles, new: Doubles, seed: int) -> Separable:
    """Fisher's linear discriminant, as ridge regression on the part, judged on the folds that it has not seen.

    old, new: float64 (m, d), (k, d). With the folds fixed, its scores are linear in the membership of the rows: all
    permutations together are one product of matrices, which makes the p value exact at the cost of a second.
    """
    rng = np.random.default_rng(seed)
    old, new = (one if len(one) <= MOST_ROWS else rng.permutation(one)[:MOST_ROWS] for one in (old, new))
    seen = np.concatenate([old, new])
    deviation = seen.std(axis=0)
    seen = (seen - seen.mean(axis=0)) / np.where(deviation > 0, deviation, 1.0)
    is_new = np.arange(len(seen)) >= len(old)
    smoother = _smoother(seen, rng.permutation(len(seen)) % FOLDS)
    drawn = np.stack([is_new, *(rng.permutation(is_new) for _ in range(PERMUTATIONS))], axis=1)
    aurocs = _aurocs(smoother @ (drawn - is_new.mean()), drawn)
    p = float((1 + (aurocs[1:] >= aurocs[0] - 1e-12).sum()) / (1 + PERMUTATIONS))
    scores = smoother @ (is_new - is_new.mean())
    found = bootstrap.interval(lambda weights: ranking.auroc(scores, is_new, weights), np.arange(len(seen)), seed=seed)
    return Separable(float(aurocs[0]), found.low, found.high, p)


def _smoother(seen: Doubles, fold: NDArray[np.int64]) -> Doubles:
    """The matrix (n, n) that makes out-of-fold scores of centred memberships (n,)."""
    result = np.zeros((len(seen), len(seen)))
    for each in range(FOLDS):
        left_out, kept = np.flatnonzero(fold == each), np.flatnonzero(fold != each)
        gram = seen[kept].T @ seen[kept] + _RIDGE * len(kept) * np.eye(seen.shape[1])
        result[np.ix_(left_out, kept)] = seen[left_out] @ np.linalg.solve(gram, seen[kept].T)
    return result


def _aurocs(scores: Doubles, drawn: NDArray[np.bool_]) -> Doubles:
    """The AUROC of each column by the sum of ranks. scores, drawn: (n, b); as many drawn in each column."""
    from scipy.stats import rankdata

    count = int(drawn[:, 0].sum())
    ranks = (rankdata(scores, axis=0) * drawn).sum(axis=0)
    return np.asarray((ranks - count * (count + 1) / 2) / (count * (len(drawn) - count)))
