"""The percentile bootstrap over groups of the test set (Efron & Tibshirani 1993, chapters 8 and 13).

A resample is a row of whole-number weights over the images, so that a metric which takes weights
answers all resamples at once and sorts only once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from seedqueue.models.metrics.figure import Difference, Figure

Doubles = npt.NDArray[np.float64]
Groups = npt.NDArray[np.int64]
# Weights float64 (b, n) to values (b,), NaN where a row of weights leaves the metric undefined.
Metric = Callable[[Doubles], Doubles]
Model = TypeVar("Model")

BOOTSTRAPS = 200
_TAILS = (0.025, 0.975)
# An interval of the few resamples that happen to be defined would describe those, not the set.
_LEAST_DEFINED = 0.5
_ROUNDING = 1e-12


@dataclass(frozen=True)
class Resamples:
    """The set as it is and resampled.

    weights: float64 (1 + bootstraps, n), how often each image is drawn; row 0 is the set itself, all
    ones. member: int64 (n,), each image's group as 0 .. groups - 1.
    """

    weights: Doubles
    member: Groups
    groups: int

    def holders(self, images: npt.NDArray[np.bool_]) -> int:
        """How many groups hold at least one of the images marked in bool (n,)."""
        return len(np.unique(self.member[images]))

    def figure(self, values: Doubles, missing: str, narrow: str = "") -> Figure:
        """The figure of `values` (1 + bootstraps,), the first of them being the set's own.

        missing: said where that one is NaN. narrow: says why resampling cannot show the spread; then
        there is no interval.
        """
        if np.isnan(values[0]):
            return Figure(None, None, None, missing)
        low, high, reason, skipped = _interval(values[1:], self.groups)
        if not reason and high - low <= _ROUNDING:
            reason = "all resamples agree: no interval"
        if narrow or reason:
            return Figure(float(values[0]), None, None, narrow or reason, skipped)
        return Figure(float(values[0]), low, high, "", skipped)


def resample(groups: Groups, bootstraps: int = BOOTSTRAPS, seed: int = 0) -> Resamples:
    """Draw groups with replacement, as many as there are. groups: int64 (n,), any numbers.

    The draws depend on the sorted group numbers alone, not on the order of the images.
    """
    known, member = np.unique(np.asarray(groups, dtype=np.int64), return_inverse=True)
    count = len(known)
    drawn = np.random.default_rng(seed).integers(max(count, 1), size=(bootstraps, count))
    cells = drawn + np.arange(bootstraps)[:, None] * count
    times = np.bincount(cells.ravel(), minlength=bootstraps * count).reshape(bootstraps, count)
    weights = np.vstack([np.ones((1, len(member))), times[:, member].astype(np.float64)])
    return Resamples(weights, member.astype(np.int64), count)


def interval(metric: Metric, groups: Groups, bootstraps: int = BOOTSTRAPS, seed: int = 0) -> Figure:
    """A metric of the set with its interval. groups: int64 (n,), one number an image."""
    resamples = resample(groups, bootstraps, seed)
    return resamples.figure(metric(resamples.weights), "not defined on these images")


def paired_difference(
    metric: Callable[[Model, Doubles], Doubles],
    a: Model,
    b: Model,
    groups: Groups,
    bootstraps: int = BOOTSTRAPS,
    seed: int = 0,
) -> Difference:
    """The metric of `a` less that of `b`, both on the same resamples: above 0 where `a` has more.

    metric: a model's output (whatever it is) and weights float64 (r, n) to values (r,). groups: int64 (n,).
    Two models that agree on every image differ by 0 (0 to 0).
    """
    resamples = resample(groups, bootstraps, seed)
    values = metric(a, resamples.weights) - metric(b, resamples.weights)
    n, count = len(resamples.member), resamples.groups
    if np.isnan(values[0]):
        return Difference(None, None, None, n, count, "not defined on these images")
    low, high, reason, skipped = _interval(values[1:], count)
    if reason:
        return Difference(float(values[0]), None, None, n, count, reason, skipped)
    return Difference(float(values[0]), low, high, n, count, "", skipped)


def macro(rows: list[Doubles]) -> Doubles:
    """The mean over classes of values (1 + bootstraps,) each; of the set itself only where all are defined.

    A resample's mean is over the classes that it leaves defined: rare classes would otherwise cost
    most resamples. NaN where none is.
    """
    if not rows:
        return np.full(1, np.nan)
    table = np.vstack(rows)
    defined = ~np.isnan(table)
    count = defined.sum(axis=0)
    mean: Doubles = np.where(defined, table, 0).sum(axis=0) / np.where(count, count, np.nan)
    mean[0] = table[:, 0].mean()
    return mean


def _interval(drawn: Doubles, groups: int) -> tuple[float, float, str, int]:
    """Low, high, why there is none, and how many resamples are undefined."""
    defined = drawn[~np.isnan(drawn)]
    skipped = len(drawn) - len(defined)
    if groups < 2:
        return 0.0, 0.0, "all images are of one group: no interval", skipped
    if len(defined) < max(2, _LEAST_DEFINED * len(drawn)):
        return 0.0, 0.0, f"defined on {len(defined)} of {len(drawn)} resamples: no interval", skipped
    low, high = np.quantile(defined, _TAILS)
    return float(low), float(high), "", skipped
