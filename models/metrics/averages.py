"""Means and medians under many weightings of the images at once, over the images that have the figure."""

import numpy as np

from seedqueue.models.metrics.bootstrap import Doubles
from seedqueue.models.metrics.decisions import ratio


def weighted_mean(values: Doubles, weights: Doubles) -> Doubles:
    """float64 (b,). values: float64 (n,), NaN where an image has none; weights: float64 (b, n)."""
    known = ~np.isnan(values)
    drawn = weights[:, known]
    return ratio(drawn @ values[known], drawn.sum(axis=1))


def weighted_median(values: Doubles, weights: Doubles) -> Doubles:
    """The median of the values, each as often as its whole-number weight says: float64 (b,). Arguments as above."""
    known = np.flatnonzero(~np.isnan(values))
    if not len(known):
        return np.full(len(weights), np.nan)
    known = known[np.argsort(values[known], kind="stable")]
    upto = np.cumsum(weights[:, known], axis=1)
    total = upto[:, -1]
    lower, upper = (
        values[known][np.minimum((upto <= place[:, None]).sum(axis=1), len(known) - 1)]
        for place in ((total - 1) // 2, total // 2)
    )
    return np.where(total > 0, lower / 2 + upper / 2, np.nan)
