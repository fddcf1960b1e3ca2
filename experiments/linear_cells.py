"""Cells of the linear head: one queue, all targets, in milliseconds a budget."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from seedqueue.experiments.arms import Arm
from seedqueue.experiments.choosing import Choice
from seedqueue.experiments.class_metrics import Tuning, bootstrap_sd, class_metrics
from seedqueue.experiments.clock import Clock
from seedqueue.experiments.judged_choice import choice_metrics
from seedqueue.experiments.prepared import Flags, Floats, PreparedPool, Rows, Target
from seedqueue.experiments.views import View
from seedqueue.models.heads.certainty import as_distribution
from seedqueue.models.heads.folds import out_of_fold
from seedqueue.models.heads.linear import LinearHead, fit_linear
from seedqueue.models.heads.regression import Kind
from seedqueue.models.metrics.bootstrap import resample
from seedqueue.selectors.signals import Signals

DROPOUT_DRAWS = 10
BOOTSTRAPS = 100


@dataclass(frozen=True, eq=False)
class LinearTask:
    """A target as the linear head learns it on a split."""

    pool: PreparedPool
    target: Target
    seen: View
    seed: int

    @property
    def kind(self) -> Kind:
        return "single" if self.target.single else "multi"

    def truth(self, rows: Rows) -> Flags:
        """bool (len(rows), classes of the target)."""
        return np.asarray(self.pool.truth[np.ix_(rows, np.array(self.target.columns))], dtype=np.bool_)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.pool.described.classes[column] for column in self.target.columns)

    def fit(self, rows: Rows) -> LinearHead:
        """A head on `features`, which are standardised already."""
        features = self.seen.features
        zero, one = np.zeros(features.shape[1]), np.ones(features.shape[1])
        return fit_linear(features[rows], self.truth(rows), self.names, self.kind, zero, one, self.seed)

    def predict(self, chosen: Rows) -> Signals:
        """The head's word on the training part once `chosen` of it are labelled: for selectors of later rounds."""
        rows, everything, scaler = self.seen.split.train[chosen], self.seen.train, self.seen.scaler
        # On the embeddings themselves: dropout is of their columns.
        head = fit_linear(
            everything[chosen], self.truth(rows), self.names, self.kind, scaler.mean, scaler.deviation, self.seed
        )
        said = head.probabilities(everything)
        drawn = head.dropout_probabilities(everything, DROPOUT_DRAWS, self.seed)
        return Signals(
            probabilities=as_distribution(said, self.kind),
            dropout_probabilities=as_distribution(drawn, self.kind, like=said),
        )

    def metrics(self, chosen: Rows, clock: Clock, protocol: str) -> dict[str, dict[str, float]]:
        """Metrics by column: "" alone, or "" (honest) and "@paper". chosen: rows of the pool."""
        _ = self.seen.features  # made once for many units: no part of this one's time
        with clock.stage("train"):
            head = self.fit(chosen)
            folded = out_of_fold(
                lambda rows: self.fit(chosen[rows]),
                self.seen.features[chosen],
                self.truth(chosen),
                self.pool.groups[chosen],
                seed=self.seed,
            )
        with clock.stage("judge"):
            scores = head.probabilities(self.seen.features[self.seen.split.test])
            honest = None if folded is None else (folded, self.truth(chosen))
            found = {"": self._judged(scores, honest, bootstraps=protocol == "paper")}
            if protocol == "paper":
                validation = self.seen.split.validation
                tuning = (head.probabilities(self.seen.features[validation]), self.truth(validation))
                found["@paper"] = self._judged(scores, tuning, bootstraps=True)
        return found

    def _judged(self, scores: Floats, tuning: Tuning | None, *, bootstraps: bool) -> dict[str, float]:
        test = self.seen.split.test
        weights = resample(self.pool.groups[test], BOOTSTRAPS if bootstraps else 0, self.seed).weights
        first, *others = class_metrics(scores, self.truth(test), tuning, weights)
        return {**first, **bootstrap_sd(others, ("auprc", "f1_youden"))}


@dataclass(frozen=True, eq=False)
class Queues:
    """The queues of an arm in one repeat and draw, for every budget. Rows of the training part."""

    by_budget: Mapping[int, Rows]
    seconds: Mapping[int, float]
    core_seconds: Mapping[int, float]


def queues(choice: Choice, arm: Arm, budgets: tuple[int, ...]) -> Queues:
    """A queue whose beginning is the smaller queue is chosen once; each budget then counts the whole time."""
    found: dict[int, Rows] = {}
    clocks: dict[int, Clock] = {}
    for budget in reversed(budgets):
        if arm.nested and found:
            largest = max(found)
            found[budget], clocks[budget] = found[largest][:budget], clocks[largest]
            continue
        clocks[budget] = Clock()
        with clocks[budget].stage("select"):
            found[budget] = choice.queue(arm, budget)
    return Queues(
        found,
        {budget: clock.seconds["select"] for budget, clock in clocks.items()},
        {budget: clock.core_seconds for budget, clock in clocks.items()},
    )


def of_choice(pool: PreparedPool, target: Target, view: View, rows: Rows) -> dict[str, float]:
    """What is said of the queue itself. rows: of the training part."""
    positive = pool.truth[np.ix_(view.split.train, np.array(target.columns))]
    share = choice_metrics(view.unit, positive[:, 0], rows)
    if len(target.columns) > 1:
        share.pop("positive_share")
    return share
