"""Strata and their shares on pools whose answer is known."""

import numpy as np
import pytest

from seedqueue.selectors.choosing import select
from seedqueue.selectors.first_round.weak_label import allocation, stratum_of
from seedqueue.selectors.signals import Signals


def test_a_row_belongs_to_the_rarest_finding_that_it_has() -> None:
    # The first finding is common, the second rare, the third nobody's.
    labels = np.array([[1, 1, 0], [1, 0, 0], [1, 0, 0], [0, 0, 0]], dtype=bool)
    assert stratum_of(labels).tolist() == [1, 0, 0, 2]
    assert stratum_of(labels[:, [1, 0, 2]]).tolist() == [0, 1, 1, 2]
    assert stratum_of(np.zeros((3, 2), dtype=bool)).tolist() == [0, 0, 0]


def test_shares_grow_with_the_square_root_of_the_size() -> None:
    turns = allocation([900, 100], [0, 0], 40)
    assert turns[:2] == [0, 1]
    assert (turns.count(0), turns.count(1)) == (30, 10)


def test_every_stratum_once_before_one_comes_twice_and_prefixes_are_alike() -> None:
    sizes = [500, 7, 60, 1]
    turns = allocation(sizes, [0] * 4, 30)
    assert sorted(turns[:4]) == [0, 1, 2, 3]
    assert turns[:20] == allocation(sizes, [0] * 4, 20)
    assert turns.count(3) == 1  # it has no more


def test_what_is_labelled_counts_towards_a_share() -> None:
    assert allocation([100, 100], [6, 0], 6) == [1] * 6
    assert allocation([3, 2], [1, 2], 10) == [0, 0]


@pytest.mark.parametrize("random_seed", range(5))
def test_it_reaches_a_finding_of_one_in_a_hundred(random_seed: int) -> None:
    rng = np.random.default_rng(random_seed)
    embeddings = rng.normal(size=(1000, 8))
    labels = np.zeros((1000, 1), dtype=bool)
    labels[rng.choice(1000, 10, replace=False)] = True
    chosen = select("weak-label", embeddings, 40, signals=Signals(weak_labels=labels), seed=random_seed)
    assert labels[chosen.rows].sum() == 4  # 40 x sqrt(10) / (sqrt(10) + sqrt(990)) = 3.7
    assert labels[chosen.rows[:2]].sum() == 1
    assert labels[select("uniform", embeddings, 40, seed=random_seed).rows].sum() <= 2
