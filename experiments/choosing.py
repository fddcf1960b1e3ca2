"""The queue of an arm: rows of the training part, chosen from their embeddings alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from seedqueue.experiments.arms import REFERENCE, STEP, Arm
from seedqueue.experiments.errors import PoolUnusable
from seedqueue.experiments.prepared import Floats, Rows
from seedqueue.selectors.allowance import Allowance, Rules
from seedqueue.selectors.choosing import select
from seedqueue.selectors.clusters import kmeans_clusters, nearest_to_centroid
from seedqueue.selectors.errors import BudgetExceedsPool
from seedqueue.selectors.representation import fit_scaler, represent
from seedqueue.selectors.signals import Signals
from seedqueue.selectors.source import Matrix

# A head's word on all rows of the training part after the rows given are labelled.
Predict = Callable[[Rows], Signals]


@dataclass(frozen=True, eq=False)
class Choice:
    """What an arm chooses from. embeddings: (n, d) of the training part; predict: for later rounds."""

    embeddings: Floats
    signals: Signals
    seed: int
    predict: Predict | None = None

    def queue(self, arm: Arm, budget: int) -> Rows:
        """Rows of the training part, int64 (budget,), in rank order. Raises `PoolUnusable`, `BudgetExceedsPool`."""
        n = len(self.embeddings)
        if arm.pool is None:
            return self._of(arm, np.arange(n), budget)
        if not budget <= arm.pool <= n:
            raise PoolUnusable(arm.text, f"a pool of {arm.pool} for a budget of {budget}, of {n} training images")
        some = np.sort(np.random.default_rng((self.seed, 7)).choice(n, arm.pool, replace=False))
        return some[self._of(arm, some, budget)]

    def _of(self, arm: Arm, rows: Rows, budget: int) -> Rows:
        if arm.clusters is not None:
            return _varied_kmeans(self.embeddings[rows], budget, round(arm.clusters * budget), self.seed, arm)
        first = budget if arm.seeds is None else min(arm.seeds, budget)
        chosen = self._select(arm, arm.selector, rows, first, rows[:0], self.signals.at(rows))
        while len(chosen) < budget:
            count = min(STEP, budget - len(chosen))
            chosen = np.concatenate([chosen, self._round(arm, rows, count, chosen)])
        return chosen

    def _round(self, arm: Arm, rows: Rows, count: int, chosen: Rows) -> Rows:
        if arm.then == REFERENCE:
            return self._select(arm, REFERENCE, rows, count, chosen, self.signals.at(rows))
        if self.predict is None or arm.then is None:
            raise PoolUnusable(arm.text, "later rounds need a head that says how sure it is")
        return self._select(arm, arm.then, rows, count, chosen, self.predict(rows[chosen]).at(rows))

    def _select(self, arm: Arm, name: str, rows: Rows, count: int, labelled: Rows, signals: Signals) -> Rows:
        return select(
            name,
            self.embeddings[rows],
            count,
            labelled=labelled,
            seed=self.seed,
            signals=signals,
            representation=arm.representation,
            components=arm.components,
        ).rows


def _varied_kmeans(embeddings: Floats, budget: int, k: int, seed: int, arm: Arm) -> Rows:
    """K-means whose number of clusters is not the budget: clusters in turn, larger first, each its next nearest row."""
    source = Matrix(embeddings)
    if budget > len(embeddings):
        raise BudgetExceedsPool(budget, len(embeddings))
    k = min(max(k, 1), len(embeddings))
    with threadpool_limits(limits=1):
        shown = represent(source, fit_scaler(source), arm.representation or "unit", arm.components or None)
        found = kmeans_clusters(shown, k, seed)
        ordered = sorted(
            (rows for rows in nearest_to_centroid(shown, found) if len(rows)), key=lambda rows: (-len(rows), rows[0])
        )
    allowance = Allowance(len(embeddings), np.empty(0, dtype=np.int64), Rules(), lambda rows: shown[rows])
    chosen: list[int] = []
    while len(chosen) < budget:
        for rows in ordered:
            row = allowance.first(rows)
            if row is not None and len(chosen) < budget:
                chosen.append(int(row))
    return np.array(chosen, dtype=np.int64)
