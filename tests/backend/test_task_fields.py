"""Our fields in task data: which ones a task gets, and that the user's own stay as they are."""

import json

import pytest

from seedqueue.backend.audit import as_queued
from seedqueue.backend.records import QueuedTask
from seedqueue.backend.task_fields import CLUSTER, NEAREST, RANK, STANDS_FOR, fields_of, merged


def test_what_a_chosen_task_says() -> None:
    queue = [QueuedTask(1, 7, "a.png", 3, 12), QueuedTask(2, 8, "b.png", 0, 4)]
    assert fields_of(queue, {7: 99}) == {
        7: {RANK: 1, CLUSTER: 3, STANDS_FOR: 12, NEAREST: 99},
        8: {RANK: 2, CLUSTER: 0, STANDS_FOR: 4},
    }


@pytest.mark.parametrize("one", [as_queued(7, "a.png"), QueuedTask(0, 7, "a.png", 2, 5, by_hand=True)])
def test_a_task_that_no_selector_chose_stands_for_nobody(one: QueuedTask) -> None:
    assert fields_of([one], {}) == {7: {RANK: 0}}


def test_ours_come_and_go_behind_the_users_own() -> None:
    own = {"z": 1.0, "rank": "ü", "a": {"seedqueue_rank": 5}}
    written = merged(own, {RANK: 1, CLUSTER: 2})
    assert json.dumps(written) == json.dumps({**own, RANK: 1, CLUSTER: 2})
    assert merged(written, {RANK: 4}) == {**own, RANK: 4}
    assert json.dumps(merged(written, {})) == json.dumps(own)
