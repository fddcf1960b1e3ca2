from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest

from seedqueue.backend.people.working import Label, labels_of, pace_of

NOW = datetime(2026, 3, 20, 15, tzinfo=UTC)


def days(who: str, per_day: int, *ago: int, skipped: bool = False) -> list[Label]:
    at = [NOW - timedelta(days=one) for one in ago]
    return [Label(who, day, 10.0 + number, skipped) for day in at for number in range(per_day)]


def test_a_steady_pace_is_carried_on() -> None:
    found = pace_of(days("7", 10, *range(15)), {"the queue": 25, "the whole pool": 0}, NOW)
    assert (found.days, found.per_day, found.low, found.high) == (14, 10, 10, 10)
    queue, pool = found.projections
    assert queue.day == queue.earliest == queue.latest == date(2026, 3, 23)
    assert (pool.left, pool.day) == (0, date(2026, 3, 20))


def test_days_off_count_and_widen_the_range() -> None:
    work = [one for one in range(1, 15) if one % 7 > 1]
    found = pace_of(days("7", 14, *work, 15), {"the queue": 100}, NOW)
    assert found.per_day == pytest.approx(10)
    [queue] = found.projections
    assert queue.day == date(2026, 3, 30)
    assert queue.earliest is not None
    assert queue.latest is not None
    assert queue.earliest < queue.day < queue.latest


def test_who_stopped_is_told_and_not_counted_on() -> None:
    labels = days("7", 10, *range(1, 13)) + days("8", 30, *range(9, 14)) + days("9", 1, 8)
    found = pace_of(labels, {"the queue": 100}, NOW)
    assert {one.annotator: one.gone for one in found.people} == {"7": False, "8": True, "9": True}
    assert found.days == 13
    assert found.per_day == pytest.approx(120 / 13)


def test_a_day_is_not_over_and_two_days_are_too_few() -> None:
    found = pace_of(days("7", 10, 0, 1, 2), {"the queue": 100}, NOW)
    assert (found.projections, found.reason) == ((), "a date takes 3 whole days of work, and there are 2")
    assert found.labels == 30


def test_when_nobody_works_any_more_there_is_no_date() -> None:
    assert pace_of(days("7", 10, 20, 21, 22), {"the queue": 5}, NOW).reason == "nobody has labelled for 20 days"
    assert "those who work now have no label" in pace_of(days("7", 3, 0) + days("8", 3, 9), {"q": 5}, NOW).reason


def test_medians_skips_and_days_of_each() -> None:
    labels = days("7", 3, 1, 2) + days("8", 2, 1, skipped=True) + [Label("8", NOW, None, False)]
    found = pace_of(labels, {}, NOW)
    seven, eight = found.people
    assert (seven.labels, seven.skips, seven.seconds, seven.days, seven.per_day) == (6, 0, 11, 2, 3)
    assert (eight.labels, eight.skips, eight.seconds, eight.last) == (1, 2, None, NOW.date())
    assert (found.labels, found.skips, found.seconds) == (7, 2, 11)


def test_a_day_ends_at_the_lab_s_midnight() -> None:
    late = [Label("7", datetime(2026, 3, 19, 23, tzinfo=UTC), 1, False)]
    assert pace_of(late, {}, NOW).people[0].last == date(2026, 3, 19)
    assert pace_of(late, {}, NOW.astimezone(timezone(timedelta(hours=2)))).people[0].last == date(2026, 3, 20)


def test_a_pace_that_never_ends_is_no_date() -> None:
    found = pace_of(days("7", 1, 1, 13), {"the whole pool": 10**7}, NOW)
    assert found.projections[0].day is None


def test_annotations_of_label_studio_become_labels(task: Any) -> None:
    made = task(1, (7, "yes", False, 8), (8, "skip", False, 9), (None, "no", False, 9))
    imported = task(2, (7, "yes", False, 8))
    imported["annotations"][0]["import_id"] = 5
    at = datetime(2026, 3, 2, 8, tzinfo=UTC)
    assert labels_of([made, imported]) == [
        Label("7", at, 10.0, False),
        Label("8", at + timedelta(hours=1), 20.0, True),
    ]
