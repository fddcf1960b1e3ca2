"""Why a label exists, by the records of a project's queues."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from seedqueue.backend.export.reasons import Reasons, Why, reasons_of
from seedqueue.backend.records import Choices, QueuedTask, Records, Run
from seedqueue.backend.tables import Home

SEEDING, ROUND = Choices(3, "hog", "kmeans", 0), Choices(3, "hog", "entropy", 0)


@pytest.fixture
def records(tmp_path: Path) -> Records:
    return Records(Home(tmp_path), "http://ls")


def queued(*tasks: int, **more: Any) -> list[QueuedTask]:
    return [QueuedTask(rank, task, f"{task}.png", 0, 1, **more) for rank, task in enumerate(tasks, 1)]


@pytest.fixture
def publish(records: Records) -> Callable[..., datetime]:
    """Put a queue in place; a moment at which it stands."""

    def put(number: int, choices: Choices, queue: list[QueuedTask], **changes: Any) -> datetime:
        run = Run(1, number, "requested", choices, **changes)
        records.save_run(run)
        records.save_queue(run, queue)
        records.save_run(run.moved("publishing"))
        records.save_run(run.moved("published"))
        return datetime.now(UTC)

    return put


def whys(found: Reasons, moment: datetime, *tasks: int) -> list[Why]:
    return [found.why(task, moment) for task in tasks]


def test_seeds_rounds_and_what_lengthens_them(records: Records, publish: Callable[..., datetime]) -> None:
    first = publish(1, SEEDING, queued(11, 12))
    longer = publish(2, replace(SEEDING, extends=1), queued(11, 12, 13))
    second = publish(3, ROUND, queued(21, 22))
    by_hand = publish(4, ROUND, [*queued(21, 22), QueuedTask(3, 31, "", 0, 1, by_hand=True)], copies=3)
    third = publish(5, ROUND, queued(41))
    found = reasons_of(records, 1)
    assert whys(found, first, 11, 13) == [Why("seed", 1, 1), Why("other")]
    assert whys(found, longer, 12, 13) == [Why("seed", 2, 2), Why("seed", 3, 2)]
    assert whys(found, second, 22, 12, 99) == [Why("round 2", 2, 3), Why("seed", 2, 2), Why("other")]
    assert whys(found, by_hand, 21, 31) == [Why("round 2", 1, 4), Why("by hand", 3, 4)]
    assert whys(found, third, 41, 21) == [Why("round 3", 1, 5), Why("round 2", 1, 4)]


def test_a_selector_that_is_not_installed_any_more_sinks_no_export(
    records: Records, publish: Callable[..., datetime]
) -> None:
    publish(1, SEEDING, queued(11))
    later = publish(2, replace(ROUND, selector="of-a-plugin"), queued(21))
    assert whys(reasons_of(records, 1), later, 11, 21) == [Why("seed", 1, 1), Why("round 2", 1, 2)]


def test_labels_from_before_the_queue_are_of_other_reasons(records: Records, publish: Callable[..., datetime]) -> None:
    before = datetime.now(UTC) - timedelta(seconds=1)
    publish(1, SEEDING, queued(11))
    assert whys(reasons_of(records, 1), before, 11) == [Why("other")]


def test_an_undone_queue_asks_for_nothing_more(records: Records, publish: Callable[..., datetime]) -> None:
    stood = publish(1, SEEDING, queued(11))
    records.save_run(Run(1, 1, "undone", SEEDING))
    later = datetime.now(UTC) + timedelta(seconds=1)
    assert whys(reasons_of(records, 1), stood, 11) == [Why("seed", 1, 1)]
    assert whys(reasons_of(records, 1), later, 11) == [Why("other")]


def test_a_dry_run_asked_for_nothing(records: Records) -> None:
    run = Run(1, 1, "chosen", replace(SEEDING, dry_run=True))
    records.save_run(run)
    records.save_queue(run, queued(11))
    assert whys(reasons_of(records, 1), datetime.now(UTC), 11) == [Why("other")]


def test_audit_goes_before_all_and_locked_behind_the_queues(records: Records, publish: Callable[..., datetime]) -> None:
    records.append("audit", 1, 1, [vars(one) for one in queued(12, audit=True)])
    records.append("locked", 1, 0, {"tasks": [99]})
    records.append("locked", 1, 0, {"tasks": [11, 50, 51]})  # the newest row is the list
    moment = publish(1, SEEDING, queued(11, 12))
    found = reasons_of(records, 1)
    assert whys(found, moment, 11, 12, 50, 99) == [Why("seed", 1, 1), Why("audit", 2, 1), Why("locked"), Why("other")]
    assert found.locked == {11, 50, 51}


def test_no_records_at_all(records: Records) -> None:
    assert whys(reasons_of(records, 1), datetime.now(UTC), 1) == [Why("other")]
