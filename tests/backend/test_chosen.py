"""A queue changed by hand: order, ranks, what cannot be added or taken out."""

import pytest

from seedqueue.backend.audit import as_queued
from seedqueue.backend.chosen import bound, changed
from seedqueue.backend.page_errors import QueueEmptied, TasksUnknown
from seedqueue.backend.records import QueuedTask

QUEUE = [
    QueuedTask(1, 11, "/a.png", 0, 7),
    QueuedTask(2, 12, "/b.png", 1, 5),
    QueuedTask(3, 13, "/c.png", -1, 1, audit=True),
]
URIS = {21: "/x.png", 22: "/y.png"}


def test_added_tasks_go_to_the_end_in_the_order_given() -> None:
    queue = changed(QUEUE, [22, 21, 22], [12], URIS)
    assert [(one.rank, one.task, one.by_hand) for one in queue] == [
        (1, 11, False),
        (2, 13, False),
        (3, 22, True),
        (4, 21, True),
    ]
    assert (queue[2].uri, queue[2].cluster, queue[2].weight) == ("/y.png", -1, 1)


def test_a_task_that_stands_in_the_queue_is_not_added_twice() -> None:
    assert [one.task for one in changed(QUEUE, [11, 21], [], URIS)] == [11, 12, 13, 21]


def test_tasks_that_cannot_be_added_are_named() -> None:
    with pytest.raises(TasksUnknown, match=r"2 of 3 tasks are labelled, locked, deleted or not embedded.*: 98, 99"):
        changed(QUEUE, [21, 98, 99], [], URIS)


def test_tasks_that_cannot_be_taken_out_are_named() -> None:
    with pytest.raises(TasksUnknown, match=r"1 of 2 tasks do not stand in the queue.*: 99"):
        changed(QUEUE, [], [11, 99], URIS)


def test_a_queue_of_audit_tasks_alone_is_none() -> None:
    with pytest.raises(QueueEmptied, match="All 3 tasks"):
        changed(QUEUE, [], [11, 12], URIS)


def test_the_frozen_audit_slice_marks_its_tasks_and_no_others() -> None:
    """13 is an audit task of a draw that was never frozen; 12 was drawn by the one that was, and so was 22."""
    slice_ = [as_queued(12, "/b.png", "patient 7"), as_queued(22, "/y.png")]
    queue = bound(changed(QUEUE, [21, 22], [], URIS), slice_)
    assert [(one.rank, one.task, one.audit, one.group) for one in queue] == [
        (1, 11, False, ""),
        (2, 12, True, "patient 7"),
        (3, 21, False, ""),
        (4, 22, True, ""),
    ]
    assert (queue[1].cluster, queue[1].weight, queue[3].by_hand) == (-1, 1, True)
