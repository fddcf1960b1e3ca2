"""What every figure is: a value, its interval, and words where one of them is missing."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One figure of a held-out set with its 95 % bootstrap interval.

    value: None where it is not defined. low, high: None where there is no interval. reason: why the
    value or the interval is missing, in words, else "". skipped: resamples on which it is not defined.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    reason: str = ""
    skipped: int = 0


@dataclass(frozen=True)
class Difference:
    """What one model has over another on the same images, with its paired 95 % bootstrap interval.

    value, low, high, reason, skipped: as in `Figure`. n, groups: images and groups (patients, clusters
    of near-duplicates) that it stands on.
    """

    value: float | None
    low: float | None
    high: float | None
    n: int
    groups: int
    reason: str = ""
    skipped: int = 0
