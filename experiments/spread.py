"""How much comes back: the spread of a score over repeats, and the overlap of queues over random seeds."""

from __future__ import annotations

import math

import numpy as np

from seedqueue.experiments.metrics import NEEDS_ALL
from seedqueue.experiments.series import Series
from seedqueue.experiments.significance import jaccard


def over_repeats(one: Series, budget: int, metric: str) -> float:
    """SD over repeats (of a repeat's mean, where it holds several draws)."""
    return deviation(one.at(budget, metric))


def whole(one: Series, budget: int, metric: str) -> float:
    """The mean over repeats; NaN of a metric in `NEEDS_ALL` that some repeats lack: their mean is of other splits."""
    return math.nan if lacking(one, budget, metric) else mean(one.at(budget, metric))


def lacking(one: Series, budget: int, metric: str) -> str:
    """How many repeats have a metric in `NEEDS_ALL`, in words; empty where all do."""
    known = int(np.isfinite(one.at(budget, metric)).sum())
    if metric not in NEEDS_ALL or metric not in one.values or known == len(one.repeats):
        return ""
    return f"{known} of {len(one.repeats)} repeats"


def over_draws(one: Series, budget: int, metric: str) -> float:
    """The mean over repeats of the SD over a repeat's draws; NaN for a single draw."""
    found = one.draws_sd.get(metric)
    return mean(found[one.budgets.index(budget)]) if found is not None and budget in one.budgets else math.nan


def of_one_queue(one: Series, budget: int, metric: str) -> float:
    """The SD of a single queue's score over everything that varies: draws within a repeat and the repeats themselves.

    The variance of the repeats' means, of which a `draws`-th part is the draws' own, and the rest of the draws'.
    """
    drawn, between = over_draws(one, budget, metric), over_repeats(one, budget, metric)
    if math.isnan(drawn):
        return between
    found = one.draws_sd[metric][one.budgets.index(budget)]
    within = mean(found**2) * (1 - 1 / one.draws)
    return math.sqrt((0.0 if math.isnan(between) else between**2) + within)


def overlap(one: Series, budget: int) -> float:
    """Mean Jaccard index of the queues over pairs of repeats: of use on a fixed split alone."""
    return jaccard(one.rows.get(budget, ()))


def mean(values: np.typing.NDArray[np.float64]) -> float:
    """Of what is known, NaN of nothing."""
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else math.nan


def deviation(values: np.typing.NDArray[np.float64]) -> float:
    known = values[np.isfinite(values)]
    return float(known.std(ddof=1)) if len(known) > 1 else math.nan
