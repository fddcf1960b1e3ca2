"""The next of a cluster, where a chosen image is gone."""

import numpy as np

from seedqueue.selectors.representation import to_unit_length
from seedqueue.selectors.standing_in import stand_ins


def unit(*rows: tuple[float, float]) -> np.ndarray:
    return to_unit_length(np.array(rows, dtype=np.float32))


CHOSEN = unit((1, 0), (0, 1))
CANDIDATES = unit((1, 0.3), (1, 0.1), (0.2, 1), (0.9, 1))


def test_the_most_alike_of_its_own_cluster_is_taken() -> None:
    assert stand_ins(CHOSEN, np.array([0]), CANDIDATES).tolist() == [1]
    assert stand_ins(CHOSEN, np.array([1]), CANDIDATES).tolist() == [2]


def test_an_empty_cluster_takes_the_most_alike_of_all_and_none_twice() -> None:
    only = CANDIDATES[:2]  # both of the first cluster
    assert stand_ins(CHOSEN, np.array([1, 0]), only).tolist() == [0, 1]
    assert stand_ins(CHOSEN, np.array([0, 1]), only[:1]).tolist() == [0, -1]


def test_a_group_that_is_full_gives_no_more() -> None:
    groups, room = np.array([0, 1, -1, 1]), np.array([1, 0])
    assert stand_ins(CHOSEN, np.array([0]), CANDIDATES, groups, room).tolist() == [0]
    assert room.tolist() == [1, 0]  # the caller's stays as it is
    assert stand_ins(CHOSEN, np.array([0, 1]), CANDIDATES[[1, 3]], np.array([1, 1]), np.array([0, 0])).tolist() == [
        -1,
        -1,
    ]


def test_the_blocks_of_many_candidates_agree_with_one() -> None:
    rng = np.random.default_rng(0)
    chosen, many = (to_unit_length(rng.normal(size=(n, 8)).astype(np.float32)) for n in (20, 9000))
    found = stand_ins(chosen, np.arange(20), many)
    owner = (many @ chosen.T).argmax(axis=1)
    for row, taken in enumerate(found.tolist()):
        cell = np.flatnonzero(owner == row)
        assert taken == cell[(many[cell] @ chosen[row]).argmax()]
