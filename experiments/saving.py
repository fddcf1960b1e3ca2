"""Label saving: how many random labels reach what a selector reaches with a few."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from seedqueue.experiments.comparisons import Findings
from seedqueue.experiments.metrics import LOWER_IS_BETTER
from seedqueue.experiments.series import Series
from seedqueue.experiments.significance import Values, labels_for, monotone

# Level is level, whatever the last bits of a mean are.
_DIGITS = 12


@dataclass(frozen=True)
class Saving:
    """With `budget` labels the selector is worth `labels` random ones, low to high from the difference's interval.

    Beyond the budgets measured, `first` to `last`, minus infinity or infinity.
    """

    budget: int
    labels: float
    low: float
    high: float
    first: int
    last: int

    def told(self, labels: float) -> str:
        if math.isnan(labels):
            return "–"
        if math.isinf(labels):
            return f"< {self.first}" if labels < 0 else f"> {self.last}"
        return f"{labels:.0f}"


def saving(findings: Findings, one: Series) -> Saving | None:
    """At the grid's `saving_at`, or the budget nearest to it; None without random at two budgets.

    The mean curve of random, made monotone, is inverted at its own value plus the paired difference, and plus the
    ends of that difference's interval; random's own curve is taken as exact. On a level stretch of the curve: the
    budget itself if it lies there, else the middle.
    """
    reference, metric = findings.reference(one.key), findings.metric(one.key)
    if reference is None or metric in LOWER_IS_BETTER or metric not in reference.values:
        return None
    means = np.array([np.nanmean(row) if np.isfinite(row).any() else math.nan for row in reference.values[metric]])
    known = np.isfinite(means)
    budgets = [budget for budget, there in zip(reference.budgets, known, strict=True) if there]
    common = [budget for budget in budgets if budget in one.budgets]
    if len(budgets) < 2 or not common:
        return None
    budget = min(common, key=lambda each: abs(each - findings.study.grid.saving_at))
    curve = np.round(monotone(budgets, means[known]), _DIGITS)
    gain = findings.gain(one, reference, budget, metric)
    worth = float(curve[budgets.index(budget)])
    return Saving(
        budget=budget,
        labels=_within(budgets, curve, round(worth + gain.mean, _DIGITS), budget),
        low=labels_for(budgets, curve, round(worth + gain.low, _DIGITS)),
        high=labels_for(budgets, curve, round(worth + gain.high, _DIGITS), most=True),
        first=budgets[0],
        last=budgets[-1],
    )


def _within(budgets: Sequence[int], curve: Values, value: float, budget: int) -> float:
    """The number of labels at a value; on a level stretch the budget itself if it lies there, else the middle."""
    least, most = labels_for(budgets, curve, value), labels_for(budgets, curve, value, most=True)
    if least <= budget <= most:
        return float(budget)
    return least if math.isinf(least) else (least + most) / 2
