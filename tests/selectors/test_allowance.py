"""Which rows may be chosen together, and how many."""

import numpy as np
import numpy.typing as npt
import pytest

from seedqueue.selectors.allowance import Allowance, Rules
from seedqueue.selectors.errors import InvalidRules

NOBODY = np.empty(0, dtype=np.int64)
UNIT = np.array([[1, 0], [0.999, 0.0447], [0, 1], [0.6, 0.8], [-1, 0], [1, 0]], dtype=np.float32)


def allowance(rules: Rules, labelled: npt.NDArray[np.int64] = NOBODY) -> Allowance:
    return Allowance(len(UNIT), labelled, rules, lambda rows: UNIT[rows])


def test_a_row_is_taken_once_and_a_labelled_one_never() -> None:
    asked = allowance(Rules(), np.array([2]))
    assert [asked.take(row) for row in (0, 0, 2, 1)] == [True, False, False, True]
    assert asked.taken.tolist() == [0, 1]
    assert asked.open.tolist() == [False, False, False, True, True, True]


def test_a_full_group_is_closed() -> None:
    asked = allowance(Rules(np.array([7, 7, 7, 3, -1, -1]), per_group=2), np.array([3]))
    assert [asked.take(row) for row in (0, 1, 2)] == [True, True, False]
    assert asked.open.tolist() == [False, False, False, False, True, True]
    closed = allowance(Rules(np.array([7, 7, 7, 3, 3, -1])), np.array([0, 3]))
    assert closed.open.tolist() == [False, False, False, False, False, True]


def test_near_duplicates_of_chosen_and_of_labelled_rows() -> None:
    asked = allowance(Rules(near_duplicate=0.99), np.array([4]))
    assert [asked.take(row) for row in (0, 1, 5, 2, 3)] == [True, False, False, True, True]
    of_labelled = allowance(Rules(near_duplicate=0.99), np.array([0]))
    assert [of_labelled.take(row) for row in (1, 5, 3)] == [False, False, True]


def test_only_what_is_the_same_is_a_duplicate_at_1() -> None:
    asked = allowance(Rules(near_duplicate=1.0))
    assert [asked.take(row) for row in (0, 1, 5)] == [True, True, False]


def test_what_was_refused_may_be_taken_when_nothing_else_is_left() -> None:
    asked = allowance(Rules(np.array([1, 2, 3, 3, 4, 5]), near_duplicate=0.99))
    assert [asked.take(row) for row in (0, 1, 5, 2, 4)] == [True, False, False, True, True]
    assert not asked.open.any()
    asked.lift_near_duplicates()
    assert np.flatnonzero(asked.open).tolist() == [1, 5]
    assert [asked.take(row) for row in (1, 3)] == [True, False]


def test_many_rows_are_compared_with_all_that_were_taken() -> None:
    points = np.random.default_rng(0).normal(size=(700, 30)).astype(np.float32)
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    twice = np.concatenate([points, points])
    asked = Allowance(1400, np.array([0, 1]), Rules(near_duplicate=0.999), lambda rows: twice[rows])
    assert all(asked.take(row) for row in range(2, 700))
    assert not any(asked.take(row) for row in range(700, 1400))


def test_the_first_that_may_be_chosen() -> None:
    asked = allowance(Rules(near_duplicate=0.99), np.array([0]))
    assert asked.first(np.array([5, 1, 3, 2])) == 3
    assert asked.first(np.array([5, 1, 3])) is None


def test_how_many_can_be_had() -> None:
    groups = np.array([0, 0, 0, 1, -1, -1])
    assert Rules(groups).available(NOBODY, 6) == 4
    assert Rules(groups).available(np.array([1, 4]), 6) == 2
    assert Rules(groups, 2).available(np.array([1]), 6) == 4
    assert Rules().available(np.array([1]), 6) == 5


@pytest.mark.parametrize(
    ("rules", "reason"),
    [
        (Rules(np.zeros(5, dtype=np.int64)), r"groups of shape \(5,\)"),
        (Rules(np.zeros(6)), "type float64"),
        (Rules(per_group=0), "at most 0 of a group"),
        (Rules(near_duplicate=0.0), "a cosine of 0.0"),
        (Rules(near_duplicate=1.1), "a cosine of 1.1"),
    ],
)
def test_rules_that_do_not_suit_the_pool(rules: Rules, reason: str) -> None:
    with pytest.raises(InvalidRules, match=reason):
        rules.check(6)
