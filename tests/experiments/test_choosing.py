"""The queue of an arm: distinct rows of the training part, the same for the same seed, with each option at work."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from seedqueue.experiments import arms
from seedqueue.experiments.choosing import Choice
from seedqueue.experiments.errors import PoolUnusable
from seedqueue.experiments.linear_cells import queues
from seedqueue.experiments.prepared import Floats, Rows
from seedqueue.selectors.clusters import kmeans_clusters
from seedqueue.selectors.errors import BudgetExceedsPool
from seedqueue.selectors.representation import fit_scaler, represent
from seedqueue.selectors.signals import Signals
from seedqueue.selectors.source import Matrix

N = 90
TEXTS = (
    "uniform",
    "kmeans",
    "kmeans:representation=raw:components=3",
    "kmeans:pool=40",
    "kmeans:clusters=2",
    "kmeans:clusters=0.5",
    "kmeans:clusters=9",
    "facility-location:pool=30",
    "kmeans:seeds=10:then=uniform",
    "kmeans:seeds=10:then=margin",
)


@pytest.fixture(scope="module")
def vectors() -> Floats:
    return np.random.default_rng(1).standard_normal((N, 6), dtype=np.float32)


def choice(vectors: Floats, seed: int = 0) -> Choice:
    """A head that is surer of a row the higher its first number is, whatever is labelled."""

    def predict(chosen: Rows) -> Signals:
        sure = 1 / (1 + np.exp(-np.abs(vectors[:, 0])))
        return Signals(probabilities=np.stack([sure, 1 - sure], axis=1).astype(np.float32))

    return Choice(vectors, Signals(), seed, predict)


def queue(vectors: Floats, text: str, budget: int, seed: int = 0) -> list[int]:
    rows: list[int] = choice(vectors, seed).queue(arms.parse(text), budget).tolist()
    return rows


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("budget", [2, 25])
def test_a_queue_is_of_distinct_rows_of_the_training_part(vectors: Floats, text: str, budget: int) -> None:
    rows = queue(vectors, text, budget)
    assert len(rows) == len(set(rows)) == budget
    assert set(rows) <= set(range(N))


@pytest.mark.parametrize("text", TEXTS)
def test_the_same_seed_gives_the_same_queue(vectors: Floats, text: str) -> None:
    assert queue(vectors, text, 20, seed=3) == queue(vectors, text, 20, seed=3)


@pytest.mark.parametrize("text", ["uniform", "kmeans", "kmeans:pool=40", "kmeans:clusters=2"])
def test_another_seed_gives_another_queue(vectors: Floats, text: str) -> None:
    assert queue(vectors, text, 20, seed=3) != queue(vectors, text, 20, seed=4)


def test_a_smaller_pool_is_drawn_and_all_arms_of_a_seed_draw_it_alike(vectors: Floats) -> None:
    whole = queue(vectors, "uniform:pool=30", 30)
    assert sorted(whole) == sorted(queue(vectors, "kmeans:pool=30", 30))
    assert sorted(whole) != sorted(queue(vectors, "uniform:pool=30", 30, seed=1))
    assert set(queue(vectors, "facility-location:pool=30", 10)) <= set(whole)


@pytest.mark.parametrize(("text", "budget"), [("kmeans:pool=91", 10), ("kmeans:pool=9", 10)])
def test_a_pool_that_cannot_be_drawn_is_told(vectors: Floats, text: str, budget: int) -> None:
    with pytest.raises(PoolUnusable, match=f"for a budget of {budget}, of {N} training images"):
        queue(vectors, text, budget)


@pytest.mark.parametrize("text", ["kmeans", "uniform", "kmeans:clusters=2"])
def test_more_than_there_is_cannot_be_chosen(vectors: Floats, text: str) -> None:
    with pytest.raises(BudgetExceedsPool):
        queue(vectors, text, N + 1)


def clusters_of(vectors: Floats, rows: Sequence[int], k: int) -> list[int]:
    source = Matrix(vectors)
    labels = kmeans_clusters(represent(source, fit_scaler(source), "unit"), k, 0).label
    return [int(labels[row]) for row in rows]


def test_half_as_many_clusters_give_two_rows_each(vectors: Floats) -> None:
    found = clusters_of(vectors, queue(vectors, "kmeans:clusters=0.5", 20), 10)
    assert len(set(found[:10])) == 10, "each cluster once"
    assert len(set(found)) == 10
    assert max(map(found.count, found)) <= 3


def test_twice_as_many_clusters_leave_the_smaller_half_out(vectors: Floats) -> None:
    rows = queue(vectors, "kmeans:clusters=2", 10)
    labels = np.array(clusters_of(vectors, range(N), 20))
    sizes = np.bincount(labels, minlength=20)
    chosen = labels[rows]
    assert len(set(chosen.tolist())) == 10
    left = np.setdiff1d(np.arange(20), chosen)
    assert sizes[chosen].min() >= sizes[left].max()
    assert sizes[chosen].tolist() == sorted(sizes[chosen].tolist(), reverse=True)


def test_later_rounds_follow_the_seeds(vectors: Floats) -> None:
    rows = queue(vectors, "kmeans:seeds=10:then=margin", 45)
    assert rows[:10] == queue(vectors, "kmeans", 10)
    left = [row for row in range(N) if row not in rows[:10]]
    assert rows[10:] == sorted(left, key=lambda row: abs(vectors[row, 0]))[:35], "the least sure first"


def test_a_head_is_asked_anew_each_round_for_what_is_labelled_then(vectors: Floats) -> None:
    asked: list[int] = []

    def predict(chosen: Rows) -> Signals:
        asked.append(len(chosen))
        return Signals(probabilities=np.full((N, 2), 0.5, dtype=np.float32))

    Choice(vectors, Signals(), 0, predict).queue(arms.parse("kmeans:seeds=10:then=margin"), 45)
    assert asked == [10, 30]


def test_a_drawn_pool_and_later_rounds_together_name_the_right_rows(vectors: Floats) -> None:
    labelled: list[set[int]] = []

    def predict(chosen: Rows) -> Signals:
        labelled.append(set(chosen.tolist()))
        sure = 1 / (1 + np.exp(-np.abs(vectors[:, 0])))
        return Signals(probabilities=np.stack([sure, 1 - sure], axis=1).astype(np.float32))

    rows = Choice(vectors, Signals(), 0, predict).queue(arms.parse("kmeans:pool=40:seeds=10:then=margin"), 20).tolist()
    pool = set(queue(vectors, "uniform:pool=40", 40))
    assert set(rows) <= pool
    assert labelled == [set(rows[:10])]
    left = pool - set(rows[:10])
    assert rows[10:] == sorted(left, key=lambda row: abs(vectors[row, 0]))[:10]


def test_later_rounds_without_a_head_are_refused(vectors: Floats) -> None:
    with pytest.raises(PoolUnusable, match="need a head"):
        Choice(vectors, Signals(), 0).queue(arms.parse("margin"), 30)


@pytest.mark.parametrize("text", ["uniform", "facility-location", "kmeans", "kmeans:clusters=2"])
def test_queues_of_all_budgets_are_those_of_each(vectors: Floats, text: str) -> None:
    arm = arms.parse(text)
    found = queues(choice(vectors), arm, (5, 12, 20))
    assert {budget: rows.tolist() for budget, rows in found.by_budget.items()} == {
        budget: queue(vectors, text, budget) for budget in (5, 12, 20)
    }
    assert set(found.seconds) == {5, 12, 20}
    assert all(seconds > 0 for seconds in found.seconds.values())
    assert set(found.core_seconds) == {5, 12, 20}
