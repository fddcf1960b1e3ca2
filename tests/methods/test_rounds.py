"""Which runs count, and as which round."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from seedqueue.backend.methods.facts import Source
from seedqueue.backend.methods.recorded import Dated, RunRow
from seedqueue.backend.methods.rounds import Rounds, rounds_of
from seedqueue.backend.records import Choices, QueuedTask, Run

BEGAN = datetime(2026, 5, 1, tzinfo=UTC)
CHOICES = Choices(3, "hog", "kmeans", 0)


def queue(*tasks: int, by_hand: tuple[int, ...] = (), audit: tuple[int, ...] = ()) -> tuple[QueuedTask, ...]:
    found = [QueuedTask(0, task, "", 0, 1, by_hand=task in by_hand, audit=task in audit) for task in tasks]
    return tuple(replace(one, rank=rank) for rank, one in enumerate(found, start=1))


def row(number: int, tasks: tuple[QueuedTask, ...], state: str = "published", **changes: Any) -> RunRow:
    run = replace(Run(1, number, "published", CHOICES), state=state, **changes)  # type: ignore[arg-type]
    at = BEGAN + timedelta(hours=number)
    published = state in ("published", "undone")
    return RunRow(run, Source("run", number, at), at, Dated(tasks, Source("queue", number, at)), (), published)


def later(number: int, tasks: tuple[QueuedTask, ...], **changes: Any) -> RunRow:
    choices = replace(CHOICES, selector="uncertainty-herding")
    return row(number, tasks, choices=choices, head="linear-1", labelled=3, **changes)


def numbers(rounds: Rounds) -> list[tuple[int, list[int]]]:
    return [(one.number, [each.run.number for each in one.rows]) for one in rounds.counted]


def test_nothing_yet() -> None:
    assert rounds_of(()) == Rounds((), (), ())
    assert rounds_of(()).listing is None


def test_a_lengthened_queue_stays_its_round_and_a_head_opens_the_next() -> None:
    longer = row(2, queue(1, 2, 3, 4), choices=replace(CHOICES, budget=4, extends=1), labelled=2)
    found = rounds_of([row(1, queue(1, 2, 3)), longer, later(3, queue(7, 8)), later(4, queue(9))])
    assert numbers(found) == [(1, [1, 2]), (2, [3]), (3, [4])]
    assert found.counted[0].seeds == {1, 2, 3, 4}


def test_a_queue_changed_by_hand() -> None:
    changed = row(2, queue(1, 3, 9, by_hand=(9,)), copies=1, labelled=1)
    found = rounds_of([row(1, queue(1, 2, 3)), changed])
    assert numbers(found) == [(1, [1, 2])]
    assert (found.counted[0].seeds, found.counted[0].by_hand, found.counted[0].taken_out) == ({1, 3}, {9}, 1)


def test_audit_tasks_are_no_seeds() -> None:
    assert rounds_of([row(1, queue(1, 2, 3, audit=(2,)))]).counted[0].seeds == {1, 3}


def test_what_was_withdrawn_failed_or_only_tried_does_not_count() -> None:
    tried = row(4, queue(5), state="chosen")
    found = rounds_of([row(1, queue(1)), row(2, queue(2), state="undone"), row(3, queue(3), state="failed"), tried])
    assert found.counted == ()
    assert [one.run.number for one in found.withdrawn] == [1, 2]
    assert numbers(rounds_of([row(1, queue(1), state="undone"), row(2, queue(2))])) == [(1, [2])]


def test_a_round_that_was_taken_away_keeps_its_number() -> None:
    """So that "round 3" of an export and of the text are the same one."""
    undone = later(2, queue(7), state="undone")
    found = rounds_of([row(1, queue(1)), undone, row(3, queue(2)), later(4, queue(8))])
    assert numbers(found) == [(1, [3]), (3, [4])]


def test_a_queue_that_was_taken_away_before_it_stood_was_never_withdrawn_from_anybody() -> None:
    stopped = replace(row(1, queue(1), state="undone"), published=False)
    assert rounds_of([stopped, row(2, queue(2))]).withdrawn == ()


def test_a_seed_queue_that_nobody_labelled_gave_way() -> None:
    found = rounds_of([row(1, queue(1, 2)), row(2, queue(3, 4))])
    assert numbers(found) == [(1, [2])]
    assert [one.first.run.number for one in found.replaced] == [1]


def test_a_second_seed_queue_after_labels_counts_too() -> None:
    found = rounds_of([row(1, queue(1, 2)), row(2, queue(3, 4), labelled=2), later(3, queue(5))])
    assert numbers(found) == [(1, [1]), (1, [2]), (2, [3])]
    assert [one.again for one in found.counted] == [False, True, False]


def test_the_listing_is_of_the_whole_project_where_one_was_made() -> None:
    narrow = later(2, queue(5))
    narrow = replace(narrow, run=replace(narrow.run, choices=replace(narrow.run.choices, tab="Frontal")))
    whole, narrowed = rounds_of([row(1, queue(1)), narrow]), rounds_of([narrow])
    assert whole.listing is not None
    assert whole.listing.run.number == 1
    assert narrowed.listing is not None
    assert narrowed.listing.run.number == 2
