from __future__ import annotations

import pytest

from seedqueue.backend.people.drawing import in_common

QUEUE = list(range(1000, 1100))


@pytest.mark.parametrize(("first", "share", "count"), [(10, 0.1, 19), (0, 0.5, 50), (10, 0, 10), (10, 0.001, 11)])
def test_the_head_and_a_share_of_the_rest(first: int, share: float, count: int) -> None:
    found = in_common(QUEUE, first, share, seed=0)
    assert list(found[:first]) == QUEUE[:first]
    assert len(found) == len(set(found)) == count
    assert list(found) == sorted(found)


def test_all_of_it_and_more_than_there_is() -> None:
    assert in_common(QUEUE, 10, 1.0, 0) == tuple(QUEUE)
    assert in_common(QUEUE[:4], 10, 0.5, 0) == tuple(QUEUE[:4])
    assert in_common([], 10, 0.5, 0) == ()


def test_a_larger_share_keeps_what_there_was_and_another_seed_draws_others() -> None:
    small, large, other = (set(in_common(QUEUE, 10, *more)) for more in ((0.1, 0), (0.3, 0), (0.1, 1)))
    assert small < large
    assert small != other


def test_every_rank_has_the_same_chance() -> None:
    drawn = [task for seed in range(300) for task in in_common(QUEUE, 10, 0.1, seed)[10:]]
    halves = sum(task < 1055 for task in drawn)
    assert 0.45 < halves / len(drawn) < 0.55
