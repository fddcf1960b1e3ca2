"""Whether more labels pay: what the last ones brought, and what as many more likely bring.

Only versions measured on one audit slice make a curve. Arithmetic only; all that it says stands on its arguments.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from seedqueue.models.metrics import learning_words as words
from seedqueue.models.metrics.bootstrap import Doubles
from seedqueue.models.metrics.figure import Difference

Verdict = Literal["stop", "go on", "cannot tell"]

LEAST_POINTS = 3
# Below this a gain is nobody's reason to label on.
WORTHWHILE = 0.005
_DRAWS = 2000
# Of a 95 % interval in standard deviations, both ends.
_WIDTH = 2 * 1.959964


@dataclass(frozen=True)
class Point:
    """A version's primary figure on the audit slice. labels: those it was trained on; low, high: its 95 % interval."""

    labels: int
    value: float
    low: float | None
    high: float | None
    version: str


@dataclass(frozen=True)
class Advice:
    """recent: what the last labels brought. gain, low, high: what `more` labels likely bring, with its 95 %
    interval. seconds: how long they take at the measured pace. sentence: all of it for people; reason: why a part
    is missing, else ""."""

    verdict: Verdict
    recent: Difference | None
    gain: float | None
    low: float | None
    high: float | None
    more: int
    seconds: float | None
    sentence: str
    reason: str = ""


def advice(
    points: Sequence[Point],
    recent: Difference | None,
    seconds_per_label: float | None,
    more: int = 20,
    recent_labels: int = 20,
    metric: str = "AUPRC",
) -> Advice:
    """points: the versions measured on one audit slice, in any order; empty where there is no audit slice.

    recent: the newest version less the one `recent_labels` labels before it, paired on that slice.
    "stop" where the interval of the expected gain lies wholly below 0.005, "go on" where wholly above,
    else "cannot tell". Pure: equal arguments give equal advice.
    """
    curve = sorted((each for each in points if each.labels > 0), key=lambda each: each.labels)
    seconds = None if seconds_per_label is None else more * seconds_per_label
    if not curve:
        return Advice("cannot tell", None, None, None, None, more, seconds, words.NO_AUDIT, words.NO_AUDIT)
    brought = words.brought(recent, recent_labels, metric)
    stages = len({each.labels for each in curve})
    if stages < LEAST_POINTS:
        reason = words.too_few(stages, LEAST_POINTS, more)
        return Advice("cannot tell", recent, None, None, None, more, seconds, f"{brought} {reason}", reason)
    gain, low, high = expected_gain(curve, more)
    verdict = _verdict(low, high)
    expected = words.expected(gain, low, high, more, metric, seconds)
    reason = words.NO_SPREAD if low is None else ""
    sentence = f"{brought} {expected} {words.VERDICT[verdict]}"
    return Advice(verdict, recent, gain, low, high, more, seconds, sentence, reason)


def expected_gain(curve: Sequence[Point], more: int) -> tuple[float, float | None, float | None]:
    """What `more` labels after the last point likely bring, and its 95 % interval, all within [0, 1 - value].

    A line a + b log(labels) by least squares; the gain is its rise, b log((labels + more) / labels). The
    interval is a parametric bootstrap: every point is drawn anew with the deviation its own interval
    has, or that of the residuals if larger, and the line is fitted again. Points are drawn independently,
    though one audit slice gives all a common error that leaves the slope alone: the interval is too wide
    rather than too narrow. None where no point has one. That learning keeps to the line is assumed, not shown.
    """
    x = np.log([each.labels for each in curve])
    y = np.array([each.value for each in curve])
    room = max(0.0, 1 - curve[-1].value)
    step = float(np.log1p(more / curve[-1].labels))
    slope, residual = _fitted(x, y)
    gain = float(np.clip(slope[0] * step, 0, room))
    spread = _deviations(curve, float(residual))
    if spread is None:
        return gain, None, None
    drawn = y + np.random.default_rng(0).normal(size=(_DRAWS, len(y))) * spread
    low, high = np.quantile(np.clip(_fitted(x, drawn)[0] * step, 0, room), (0.025, 0.975))
    return gain, float(low), float(high)


def _fitted(x: Doubles, y: Doubles) -> tuple[Doubles, float]:
    """Slopes (b,) of lines through y, (b, points) or (points,), and the residuals' deviation of the first."""
    rows = np.atleast_2d(y)
    centred = x - x.mean()
    slope = (rows - rows.mean(axis=1, keepdims=True)) @ centred / np.square(centred).sum()
    left = rows[0] - rows[0].mean() - slope[0] * centred
    return slope, float(np.sqrt(np.square(left).sum() / (len(x) - 2)))


def _deviations(curve: Sequence[Point], residual: float) -> Doubles | None:
    own = [None if each.low is None or each.high is None else (each.high - each.low) / _WIDTH for each in curve]
    if all(each is None for each in own):
        return None
    return np.array([max(each or 0.0, residual) for each in own])


def _verdict(low: float | None, high: float | None) -> Verdict:
    if low is None or high is None:
        return "cannot tell"
    if high < WORTHWHILE:
        return "stop"
    return "go on" if low > WORTHWHILE else "cannot tell"
