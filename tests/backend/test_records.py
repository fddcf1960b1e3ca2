"""Records of runs: the newest row counts, per instance, and nothing is lost on the way through JSON."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from object_store import open_home

from seedqueue.backend import records as module
from seedqueue.backend.records import Choices, QueuedTask, Records, Run, Unreadable
from seedqueue.backend.tables import Home

CHOICES = Choices(40, "hog", "kmeans", 0)


def run(number: int, project: int = 1, **changes: object) -> Run:
    return replace(Run(project, number, "requested", CHOICES), **changes)  # type: ignore[arg-type]


@pytest.fixture
def records(place: Path | str) -> Records:
    return Records(open_home(place), "http://ls")


@pytest.fixture
def publish(records: Records) -> Callable[[int], None]:
    return lambda number: records.save_run(run(number).moved("published"))


def test_nothing_yet(records: Records) -> None:
    assert records.runs() == []
    assert records.latest_run(1) is None
    assert records.published_run(1) is None
    assert records.run(1, 1) is None
    assert records.queue(1, 1) == []
    assert records.unreadable(1, 1) == []


def test_a_run_comes_back_as_it_was_saved(records: Records) -> None:
    saved = Run(
        project=3,
        number=2,
        state="failed",
        choices=Choices(7, "imagenet:densenet121", "uniform", 5, "tab 'x'", 1),
        fingerprint="ab",
        tasks=10,
        labelled=1,
        unreadable=2,
        shards=3,
        embedded=9,
        error='it\'s "broken" ü',
        warnings=("a", "b"),
    )
    records.save_run(saved)
    assert records.run(3, 2) == saved
    assert hash(records.run(3, 2)) == hash(saved)


def test_the_newest_row_of_a_run_counts(records: Records) -> None:
    for state in ("requested", "embedding", "selecting"):
        records.save_run(run(1).moved(state))  # type: ignore[arg-type]
    assert records.runs(1) == [run(1).moved("selecting")]
    assert records.run(1, 1) == run(1).moved("selecting")


def test_runs_are_in_the_order_of_their_numbers(records: Records) -> None:
    for number in (2, 10, 1):
        records.save_run(run(number))
    records.save_run(run(3, project=2))
    assert [one.number for one in records.runs(1)] == [1, 2, 10]
    assert [(one.project, one.number) for one in records.runs()] == [(1, 1), (1, 2), (1, 10), (2, 3)]
    assert records.latest_run(1) == run(10)


def test_versions_carry_the_number() -> None:
    assert run(12).version == "Seed queue 12"


def test_active_until_it_ends() -> None:
    states = ("requested", "embedding", "selecting", "publishing", "published", "failed", "undone")
    assert [run(1).moved(state).active for state in states] == [True] * 4 + [False] * 3  # type: ignore[arg-type]


def test_the_published_run_stands_while_the_next_is_made(records: Records, publish: Callable[[int], None]) -> None:
    publish(1)
    records.save_run(run(2).moved("embedding"))
    assert records.published_run(1) == run(1).moved("published")
    records.save_run(run(2).moved("failed"))
    assert records.published_run(1) == run(1).moved("published")
    publish(3)
    assert records.published_run(1) == run(3).moved("published")


def test_undoing_takes_earlier_queues_with_it(records: Records, publish: Callable[[int], None]) -> None:
    publish(1)
    publish(2)
    records.save_run(run(2).moved("undone"))
    assert records.published_run(1) is None
    publish(3)
    assert records.published_run(1) == run(3).moved("published")


def test_a_queue_comes_back_in_order(records: Records) -> None:
    queue = [QueuedTask(1, 9, "/data/ü.png", 4, 12), QueuedTask(2, 3, "s3://b/'x'.png", 0, 1)]
    records.save_queue(run(1), queue)
    assert records.queue(1, 1) == queue
    assert records.queue(1, 2) == []


def test_an_unreadable_task_is_listed_once_with_the_last_reason(records: Records) -> None:
    records.add_unreadable(1, 1, [Unreadable(5, "/a", "HTTP 500"), Unreadable(6, "/b", "text")])
    records.add_unreadable(1, 1, [])
    records.add_unreadable(1, 1, [Unreadable(5, "/a", "truncated PNG")])
    assert records.unreadable(1, 1) == [Unreadable(5, "/a", "truncated PNG"), Unreadable(6, "/b", "text")]
    assert records.unreadable(1, 2) == []


def test_two_instances_in_one_home_do_not_mix(tmp_path: Path) -> None:
    home = Home(tmp_path)
    mine, theirs = Records(home, "http://ls"), Records(home, "http://ls' OR 'a'='a")
    mine.save_run(run(1))
    theirs.save_run(run(4))
    mine.save_queue(run(1), [QueuedTask(1, 1, "a", 0, 1)])
    assert [one.number for one in mine.runs()] == [1]
    assert [one.number for one in theirs.runs()] == [4]
    assert theirs.queue(1, 1) == []


def test_records_outlive_the_process(tmp_path: Path) -> None:
    Records(Home(tmp_path), "i").save_run(run(1))
    assert Records(Home(tmp_path), "i").runs() == [run(1)]


def test_what_another_process_wrote_is_seen_at_once(tmp_path: Path) -> None:
    reader, writer = Records(Home(tmp_path), "i"), Records(Home(tmp_path), "i")
    writer.save_run(run(1))
    assert reader.runs() == [run(1)]
    writer.save_run(run(1).moved("embedding"))
    assert reader.runs() == [run(1).moved("embedding")]


def test_the_last_row_written_is_the_newest_where_the_clock_is_set_back(
    records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An hour ahead, as another machine's clock may be, and back again."""
    now = datetime(2026, 11, 25, 12, tzinfo=UTC)
    for hours, state in [(0, "requested"), (1, "embedding"), (0, "selecting"), (-1, "published")]:
        monkeypatch.setattr(module, "datetime", Clock(now + timedelta(hours=hours)))
        records.save_run(run(1).moved(state))  # type: ignore[arg-type]
    found = records.run(1, 1)
    assert found is not None
    assert found.state == "published"
    times = [row.at for row in records.dated("run", 1, 1)]
    assert times == sorted(set(times))


class Clock:
    """A clock that stands."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self, zone: object) -> datetime:
        return self.at
