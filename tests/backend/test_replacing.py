"""A queue whose tasks were deleted: who takes the ranks, and what is told."""

from seedqueue.backend.pool import PoolTask
from seedqueue.backend.records import QueuedTask
from seedqueue.backend.replacing import replaced

QUEUE = [
    QueuedTask(1, 11, "/a.png", 0, 7),
    QueuedTask(2, 12, "/b.png", 1, 1),
    QueuedTask(3, 13, "/c.png", -1, 1, audit=True),
]


def test_a_stand_in_has_the_rank_and_the_cluster() -> None:
    queue, told = replaced(QUEUE, {12, 13}, {11: PoolTask(40, "/d.png", False)})
    assert queue == [QueuedTask(1, 40, "/d.png", 0, 6), *QUEUE[1:]]
    assert told == ("task 11 was deleted: task 40, the next of its cluster, has its rank",)


def test_without_one_the_others_move_up() -> None:
    queue, told = replaced(QUEUE, {11, 12}, {})
    assert [(one.rank, one.task) for one in queue] == [(1, 11), (2, 12)]
    assert told == ("task 13 was deleted, and nothing takes its rank",)
    queue, _ = replaced(QUEUE, {11, 13}, {})
    assert [(one.rank, one.task, one.audit) for one in queue] == [(1, 11, False), (2, 13, True)]


def test_a_task_that_stood_for_itself_alone_still_does() -> None:
    queue, _ = replaced(QUEUE, {11, 13}, {12: PoolTask(41, "/e.png", False)})
    assert queue[1].weight == 1
