"""How fast labels come, and when they would be done. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedqueue.backend.annotations import author_of

WINDOW_DAYS = 14
GONE_DAYS = 7  # without a label: who stays away longer is not counted on
LEAST_DAYS = 3
BOOTSTRAPS = 2000
LONGEST_DAYS = 36_500  # a date farther off is none


@dataclass(frozen=True)
class Label:
    """One annotation, or one skip. seconds: None where Label Studio has not measured it."""

    annotator: str
    at: datetime
    seconds: float | None
    skipped: bool


@dataclass(frozen=True)
class PersonPace:
    """One annotator. per_day: labels on the days with any; gone: left out of the projection; last: the last day."""

    annotator: str
    labels: int
    skips: int
    seconds: float | None
    days: int
    last: date
    gone: bool

    @property
    def per_day(self) -> float:
        return self.labels / self.days if self.days else 0.0


@dataclass(frozen=True)
class Projection:
    """When what is left would be read. earliest, latest: 95 % over the days of the window; None: not in sight."""

    what: str
    left: int
    day: date | None
    earliest: date | None
    latest: date | None


@dataclass(frozen=True)
class Pace:
    """per_day: labels a day of those who still work, over the `days` whole days before today, days off included;
    low, high: its 95 % bootstrap interval. reason: why there is no projection, else "".
    """

    people: tuple[PersonPace, ...]
    labels: int
    skips: int
    seconds: float | None
    days: int
    per_day: float | None
    low: float | None
    high: float | None
    projections: tuple[Projection, ...]
    reason: str


def labels_of(tasks: Iterable[Mapping[str, Any]]) -> list[Label]:
    """The annotations of Label Studio's tasks `{annotations: [...]}`; those that were imported are nobody's work."""
    found = []
    for task in tasks:
        for one in task.get("annotations") or ():
            who, seconds = author_of(one), one.get("lead_time")
            if who is not None and one.get("import_id") is None:
                timed = float(seconds) if isinstance(seconds, int | float) and seconds > 0 else None
                found.append(Label(who, datetime.fromisoformat(one["created_at"]), timed, bool(one["was_cancelled"])))
    return found


def pace_of(labels: Sequence[Label], left: Mapping[str, int], now: datetime, seed: int = 0) -> Pace:
    """labels: one at least. left: {what: readings that are still to be made}. now: with the time zone that days have.

    The pace is that of the last `WINDOW_DAYS` whole days, or of as many as there are since the first label; of people
    who have labelled or skipped within `GONE_DAYS`.
    """
    people = _people(labels, now)
    working = {one.annotator for one in people if not one.gone}
    done = [one for one in labels if not one.skipped]
    counts = _daily(done, working, _window(labels, now), now)
    rate, low, high, reason = _rate(counts, people, now, seed)
    projected = tuple(_projected(what, count, now, rate, low, high) for what, count in left.items())
    return Pace(
        people,
        len(done),
        len(labels) - len(done),
        _seconds(done),
        len(counts),
        rate,
        low,
        high,
        () if reason else projected,
        reason,
    )


def _people(labels: Sequence[Label], now: datetime) -> tuple[PersonPace, ...]:
    found = []
    for who in sorted({one.annotator for one in labels}):
        mine = [one for one in labels if one.annotator == who]
        done = [one for one in mine if not one.skipped]
        last = max(_day(one, now) for one in mine)
        gone = last < now.date() - timedelta(days=GONE_DAYS)
        days = len({_day(one, now) for one in done})
        found.append(PersonPace(who, len(done), len(mine) - len(done), _seconds(done), days, last, gone))
    return tuple(found)


def _seconds(done: Sequence[Label]) -> float | None:
    timed = [one.seconds for one in done if one.seconds]
    return median(timed) if timed else None


def _day(label: Label, now: datetime) -> date:
    return label.at.astimezone(now.tzinfo).date()


def _window(labels: Sequence[Label], now: datetime) -> list[date]:
    """The whole days that the pace is taken from; today is not over."""
    today = now.date()
    first = max(min(_day(one, now) for one in labels), today - timedelta(days=WINDOW_DAYS))
    return [first + timedelta(days=number) for number in range((today - first).days)]


def _daily(done: Sequence[Label], working: set[str], window: Sequence[date], now: datetime) -> NDArray[np.int64]:
    at = {day: number for number, day in enumerate(window)}
    rows = [at[day] for one in done if one.annotator in working and (day := _day(one, now)) in at]
    return np.bincount(rows, minlength=len(window)) if window else np.zeros(0, dtype=np.int64)


def _rate(
    counts: NDArray[np.int64], people: Sequence[PersonPace], now: datetime, seed: int
) -> tuple[float | None, float | None, float | None, str]:
    """Labels a day with an interval over resampled days, and why there is none."""
    if all(one.gone for one in people):
        days = (now.date() - max(one.last for one in people)).days
        return None, None, None, f"nobody has labelled for {days} days"
    if len(counts) < LEAST_DAYS:
        return None, None, None, f"a date takes {LEAST_DAYS} whole days of work, and there are {len(counts)}"
    if not counts.any():
        return None, None, None, f"those who work now have no label in the {len(counts)} days before today"
    drawn = np.random.default_rng(seed).integers(len(counts), size=(BOOTSTRAPS, len(counts)))
    low, high = np.quantile(counts[drawn].mean(axis=1), [0.025, 0.975])
    return float(counts.mean()), float(low), float(high), ""


def _projected(
    what: str, left: int, now: datetime, rate: float | None, low: float | None, high: float | None
) -> Projection:
    return Projection(what, left, *(_end(left, now, one) for one in (rate, high, low)))


def _end(left: int, now: datetime, rate: float | None) -> date | None:
    days = left / rate if rate else float("inf")
    return now.date() + timedelta(days=int(np.ceil(days))) if days <= LONGEST_DAYS else None
