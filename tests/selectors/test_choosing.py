"""A selection from beginning to end: where rows come from, in which order, what else is known of them."""

from typing import Any

import numpy as np
import pytest
from signals import all_signals

from seedqueue.selectors.choosing import select
from seedqueue.selectors.errors import InvalidEmbeddings, InvalidSignal
from seedqueue.selectors.representation import COMPONENTS, EXACT_ROWS, components_for
from seedqueue.selectors.selection import Embeddings, Rows
from seedqueue.selectors.signals import Signals
from seedqueue.selectors.source import Source


class Counting(Source):
    """Embeddings that are made when they are asked for, and the most rows that were asked for at once."""

    def __init__(self, n: int, d: int) -> None:
        self.shape_ = (n, d)
        self.most = 0
        # Twenty far-apart places: the last digit says which.
        self.places = np.random.default_rng(0).normal(size=(20, d)).astype(np.float32) * 5

    @property
    def shape(self) -> tuple[int, int]:
        return self.shape_

    def take(self, rows: Rows) -> Embeddings:
        self.most = max(self.most, len(rows))
        noise = np.sin(rows[:, None] * np.arange(1, self.shape_[1] + 1)).astype(np.float32)
        return self.places[rows % 20] + noise


@pytest.mark.parametrize("name", ["kmeans", "facility-location", "typiclust", "uniform"])
def test_a_large_pool_is_read_in_blocks_and_reduced(name: str) -> None:
    pool = Counting(45_000, 70)
    chosen = select(name, pool, 20)
    assert pool.most <= 20_000  # what the components are fitted to
    if name != "uniform":
        assert sorted((chosen.rows % 20).tolist()) == list(range(20))


def test_pools_beyond_the_exact_ones_are_reduced() -> None:
    assert components_for((EXACT_ROWS, 1024), None) is None
    assert components_for((EXACT_ROWS + 1, 1024), None) == COMPONENTS
    assert components_for((EXACT_ROWS + 1, 64), None) is None
    assert components_for((EXACT_ROWS + 1, 1024), 0) is None
    assert components_for((100, 1024), 32) == 32
    assert components_for((20, 1024), 32) is None


def test_rows_are_named_as_the_caller_numbers_them() -> None:
    embeddings = np.random.default_rng(0).normal(size=(30, 3))
    embeddings[4] = np.nan
    with pytest.raises(InvalidEmbeddings, match="1 rows, the first is row 4"):
        select("kmeans", embeddings, 3, keys=np.arange(30)[::-1])


def test_keys_sort_the_rows_before_anything_else() -> None:
    embeddings = np.random.default_rng(0).normal(size=(30, 3))
    by_key = select("uniform", embeddings, 5, keys=[f"{29 - row:02}" for row in range(30)]).rows
    assert (29 - by_key).tolist() == select("uniform", embeddings, 5).rows.tolist()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"weak_labels": np.ones((30, 2))}, "values of type float64"),
        ({"weak_labels": np.ones((29, 2), dtype=bool)}, r"shape \(29, 2\) for 30 rows"),
        ({"weak_labels": np.ones((30, 0), dtype=bool)}, r"shape \(30, 0\) for 30 rows"),
        ({"probabilities": np.full((30, 2), 0.4)}, "rows that do not sum to 1"),
        ({"probabilities": np.tile([1.5, -0.5], (30, 1))}, "rows that do not sum to 1"),
        ({"dropout_probabilities": np.full((30, 2), 0.5)}, r"shape \(30, 2\) for 30 rows"),
        ({"pixel_entropy": np.array([0.0] * 29 + [np.nan])}, "NaN or infinite in 1 rows, the first is row 29"),
    ],
)
def test_signals_that_do_not_suit_the_pool(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidSignal, match=reason):
        select("uniform", np.random.default_rng(0).normal(size=(30, 3)), 5, signals=Signals(**changes))


def test_signals_in_another_order() -> None:
    signals, order = all_signals(10), np.random.default_rng(1).permutation(10)
    turned = signals.at(order)
    assert turned.dropout_probabilities is not None
    assert signals.dropout_probabilities is not None
    assert np.array_equal(turned.dropout_probabilities, signals.dropout_probabilities[:, order])
    assert turned.weak_labels is not None
    assert signals.weak_labels is not None
    assert np.array_equal(turned.weak_labels, signals.weak_labels[order])
