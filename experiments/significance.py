"""The arithmetic of paired comparisons over repeated splits: numbers in, numbers out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

CONFIDENCE = 0.95

Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Difference:
    """Of paired values: their mean, its standard error, the interval at CONFIDENCE, two-sided p, how many pairs.

    error, low, high and p are NaN where fewer than two pairs exist.
    """

    mean: float
    error: float
    low: float
    high: float
    p: float
    repeats: int


def corrected(values: Values, ratio: float | None) -> Difference:
    """The mean of paired differences over repeated splits, and how sure it is.

    values: float64 (J,), one for each repeat; NaN is left out. ratio: test images / training images; the splits of
    one pool overlap, so the variance is (1/J + ratio) s^2 (Nadeau & Bengio 2003, corrected resampled t-test). None:
    the split is the same in all repeats, only random seeds differ, and the variance is s^2 / J. Student's t with
    J - 1 degrees of freedom.
    """
    from scipy import special

    known = values[np.isfinite(values)]
    count = len(known)
    if count < 2:
        mean = float(known[0]) if count else math.nan
        return Difference(mean, math.nan, math.nan, math.nan, math.nan, count)
    mean = float(known.mean())
    error = math.sqrt((1 / count + (ratio or 0.0)) * float(known.var(ddof=1)))
    reach = float(special.stdtrit(count - 1, (1 + CONFIDENCE) / 2)) * error
    without_error = 1.0 if mean == 0 else 0.0
    p = 2 * float(special.stdtr(count - 1, -abs(mean) / error)) if error > 0 else without_error
    return Difference(mean, error, mean - reach, mean + reach, p, count)


def holm(p: Sequence[float]) -> list[float]:
    """Adjusted p values that hold the family-wise error (Holm 1979), in the order given; NaN stays NaN, uncounted."""
    order = sorted((value, index) for index, value in enumerate(p) if not math.isnan(value))
    adjusted = [math.nan] * len(p)
    largest = 0.0
    for rank, (value, index) in enumerate(order):
        largest = max(largest, min(1.0, value * (len(order) - rank)))
        adjusted[index] = largest
    return adjusted


def area(budgets: Sequence[int], values: Values) -> Values:
    """The area under the budget curve divided by the budgets' range: float64 (B, J) to (J,), in the metric's units.

    Trapezoids; with one budget its value. NaN where one of the repeat's values is.
    """
    if len(budgets) == 1:
        return np.asarray(values[0], dtype=np.float64)
    x = np.asarray(budgets, dtype=np.float64)
    under = ((values[1:] + values[:-1]) / 2 * np.diff(x)[:, None]).sum(axis=0)
    return np.asarray(under / (x[-1] - x[0]), dtype=np.float64)


def monotone(budgets: Sequence[int], means: Values) -> Values:
    """The nearest curve (B,) that never falls: isotonic regression."""
    from sklearn.isotonic import IsotonicRegression

    fitted = IsotonicRegression().fit_transform(np.asarray(budgets, dtype=np.float64), means)
    return np.asarray(fitted, dtype=np.float64)


def labels_for(budgets: Sequence[int], curve: Values, value: float, *, most: bool = False) -> float:
    """The number of labels at which a curve that never falls reaches a value, linear between budgets.

    Below the curve minus infinity, above it infinity. Where the curve stays level: the least such number, or the most.
    """
    if math.isnan(value):
        return math.nan
    if value < curve[0]:
        return -math.inf
    if value > curve[-1]:
        return math.inf
    after = int(np.searchsorted(curve, value, side="right" if most else "left"))
    if after == len(curve):
        return float(budgets[-1])
    if after == 0:
        return float(budgets[0])
    below, above = curve[after - 1], curve[after]
    share = (value - below) / (above - below)
    return float(budgets[after - 1] + share * (budgets[after] - budgets[after - 1]))


def jaccard(queues: Sequence[frozenset[int]]) -> float:
    """The mean over pairs of |common| / |either|; NaN for fewer than two queues."""
    shares = [
        len(one & other) / max(len(one | other), 1) for index, one in enumerate(queues) for other in queues[index + 1 :]
    ]
    return float(np.mean(shares)) if shares else math.nan
