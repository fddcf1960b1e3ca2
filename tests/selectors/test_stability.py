"""The stability report: facts on pools whose answer is known."""

import dataclasses
import json
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest

from seedqueue.selectors.allowance import Rules
from seedqueue.selectors.choosing import select
from seedqueue.selectors.errors import BudgetExceedsPool, InvalidEmbeddings, InvalidRules
from seedqueue.selectors.signals import Signals
from seedqueue.selectors.stability import ground, landscape, neighbours
from seedqueue.selectors.stability.making import STEPS, stability_report
from seedqueue.selectors.stability.repeats import chosen_again, jaccard
from seedqueue.selectors.stability.report import Report
from seedqueue.selectors.stability.sensitivity import budgets, cluster_numbers
from seedqueue.selectors.stability.standing import standing

Floats = npt.NDArray[np.float32]


def blobs(each: int = 24, d: int = 5) -> Floats:
    """Five tight groups, one after the other."""
    rng = np.random.default_rng(0)
    centres = np.eye(5, d) * 10
    return (np.repeat(centres, each, axis=0) + rng.normal(0, 0.3, (5 * each, d))).astype(np.float32)


def noise(n: int, d: int) -> Floats:
    return np.random.default_rng(1).normal(size=(n, d)).astype(np.float32)


def report(x: Floats, budget: int = 5, selector: str = "kmeans", **more: object) -> Report:
    names = [f"{row}.png" for row in range(len(x))]
    return stability_report(x, names, selector, budget, 0, repeats=4, **more)  # type: ignore[arg-type]


def numbers(value: object) -> Iterator[float]:
    if isinstance(value, dict):
        value = tuple(value.values())
    if isinstance(value, (tuple, list)):
        for each in value:
            yield from numbers(each)
    elif isinstance(value, (int, float)):
        yield float(value)


def test_five_blobs() -> None:
    found = report(blobs())
    assert [each.rank for each in found.queue] == [1, 2, 3, 4, 5]
    assert {each.row // 24 for each in found.queue} == set(range(5))
    assert [each.stands_for for each in found.queue] == [24] * 5
    assert (found.stands_for.least, found.stands_for.median, found.stands_for.most) == (24, 24, 24)
    assert found.stands_for.share == 1
    covered = found.coverage
    assert covered.ours.beaten == covered.random.repeats == 20
    assert 0.9 < covered.ours.mean <= 1
    assert covered.ours.largest_gap < covered.random_gap.mean
    assert covered.random.least <= covered.random.mean <= covered.random.most < covered.ours.mean
    assert covered.ours.unseen is not None
    assert covered.unseen_random is not None
    assert covered.ours.unseen.mean > covered.unseen_random.mean
    # The blobs are found again whatever the random seed; within one, which image stands for it may change.
    assert found.stability.random_seeds.jaccard.mean > 0.9
    assert found.stability.chance.jaccard.mean < 0.3
    best = max(found.sensitivity.clusters, key=lambda each: each.silhouette or -1)
    assert best.clusters in (4, 5, 7)
    assert found.outliers.count == found.near_duplicates.pairs_in_queue == 0


def test_the_queue_is_the_one_that_select_gives() -> None:
    x, keys = noise(80, 6), np.random.default_rng(2).permutation(80)
    found = report(x, 7, "typiclust", keys=keys, labelled=[3, 4], rules=Rules(near_duplicate=0.9))
    chosen = select("typiclust", x, 7, seed=0, keys=keys, labelled=[3, 4], rules=Rules(near_duplicate=0.9))
    assert [each.row for each in found.queue] == chosen.rows.tolist()
    assert [each.stands_for for each in found.queue] == chosen.weight.tolist()
    assert all(each.name == f"{each.row}.png" for each in found.queue)
    assert {each.row: each.rank for each in found.map.points if each.rank} == {e.row: e.rank for e in found.queue}
    assert {each.row for each in found.map.points if each.labelled} == {3, 4}


def test_the_order_of_the_pool_does_not_matter() -> None:
    x, keys, order = noise(60, 5), np.arange(60), np.random.default_rng(3).permutation(60)
    names = np.array([f"{row}.png" for row in range(60)])
    one, other = (
        stability_report(x[at], names[at].tolist(), "kmeans", 6, 0, keys=keys[at], repeats=3)
        for at in (np.arange(60), order)
    )
    assert [each.name for each in one.queue] == [each.name for each in other.queue]
    assert one.coverage == other.coverage
    assert one.stability == other.stability
    assert [each.row for each in one.map.points] == [int(order[each.row]) for each in other.map.points]


def test_the_same_arguments_give_the_same_report() -> None:
    assert report(blobs(), 4) == report(blobs(), 4)


def test_no_method_stands_out_on_noise() -> None:
    assert report(noise(300, 64), 20).coverage.standing.verdict == "no method stands out"


def test_whether_a_method_stands_out() -> None:
    assert standing(0.5, {}, 0.1).verdict == "no method stands out"
    assert standing(0.5, {"a": 0.45, "b": 0.4}, 0.1).verdict == "no method stands out"
    assert standing(0.5, {"a": 0.4}, 0.1).verdict == "no method stands out"
    ahead = standing(0.5, {"a": 0.3, "b": 0.25}, 0.1)
    assert (ahead.verdict, ahead.rival, round(ahead.lead, 6)) == ("this one stands out", "a", 0.2)
    behind = standing(0.2, {"b": 0.4, "a": 0.4}, 0.1)
    assert (behind.verdict, behind.rival, round(behind.lead, 6)) == ("another one stands out", "a", -0.2)


@pytest.mark.parametrize("exact_rows", [10_000, 50])
def test_planted_duplicates(exact_rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    x = noise(120, 16)
    x[[11, 60, 119]] = x[10]
    x[77] = x[40] + 1e-3
    monkeypatch.setattr(neighbours, "EXACT_ROWS", exact_rows)
    found = report(x, 8, "facility-location", rules=Rules(near_duplicate=0.98)).near_duplicates
    assert (found.groups, found.images, found.pairs_in_queue) == (2, 6, 0)
    assert [each.names for each in found.largest] == [("10.png", "11.png", "60.png", "119.png"), ("40.png", "77.png")]
    assert found.elsewhere[-1].images == 6
    assert report(x[[10, 11, 60, 119, 1]], 5).near_duplicates.pairs_in_queue == 6


def test_all_images_alike() -> None:
    x = np.vstack([noise(1, 8)] * 1500 + [noise(2, 8)])  # more pairs than are held at once
    found = report(x, 2).near_duplicates
    assert (found.groups, found.images, found.largest[0].size) == (1, 1501, 1501)


def test_a_planted_outlier() -> None:
    x = blobs()
    x[50] = -x.sum(axis=0)
    found = report(x, 6, "kcenter").outliers
    assert [(each.row, each.name) for each in found.farthest] == [(50, "50.png")]
    assert found.count == found.in_queue == 1
    assert found.farthest[0].rank > 0
    assert found.farthest[0].distance > found.fence


@pytest.mark.parametrize(("n", "budget"), [(1, 1), (2, 1), (3, 3), (9, 2), (10, 4), (12, 12)])
@pytest.mark.parametrize("constant", [False, True])
def test_small_and_constant_pools(n: int, budget: int, constant: bool) -> None:
    x = np.ones((n, 3), dtype=np.float32) if constant else noise(n, 3)
    found = report(x, budget)
    fields = dataclasses.asdict(found)
    json.dumps(fields, allow_nan=False)
    assert np.isfinite(list(numbers(fields))).all()
    assert len(found.queue) == budget
    assert found.map.method == ("t-SNE" if n >= 10 and not constant else "PCA")


def test_large_pools_are_seen_in_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ground, "PART_ROWS", 100)
    monkeypatch.setattr(landscape, "MOST_ROWS", 60)
    x = noise(400, 8)
    found = report(x, 10, labelled=[7, 399])
    assert (found.pool.images, found.pool.part, found.pool.whole) == (400, 102, False)
    assert len(found.map.points) == 60
    assert sum(each.rank > 0 for each in found.map.points) == 10
    assert [each.row for each in found.queue] == select("kmeans", x, 10, seed=0, labelled=[7, 399]).rows.tolist()
    assert found == report(x, 10, labelled=[7, 399])


def test_groups_and_weak_labels() -> None:
    x = noise(60, 6)
    rules = Rules(np.arange(60, dtype=np.int64) // 6)
    weak = np.zeros((60, 1), dtype=bool)
    weak[:15] = True
    found = report(x, 6, "weak-label", rules=rules, signals=Signals(weak_labels=weak))
    assert found.choice.per_group == 1
    assert {each.selector for each in found.coverage.others} >= {"kmeans", "facility-location"}
    assert "weak-label" in {o.selector for o in report(x, 6, signals=Signals(weak_labels=weak)).coverage.others}
    assert not {"weak-label", "uniform"} & {o.selector for o in report(x, 6).coverage.others}
    # Ten groups: twice the budget is not to be had.
    assert [each.budget for each in found.sensitivity.budgets] == [3, 6, 9, 10]


def test_shares_and_steps() -> None:
    rows = np.array([1, 2, 3, 4])
    assert jaccard(rows, np.array([3, 4, 5, 6])) == pytest.approx(2 / 6)
    assert chosen_again(rows, np.array([3, 9]), np.array([2, 3, 9])) == 0.5
    assert chosen_again(rows, np.array([9]), np.array([9])) == 1
    assert budgets(5, 7) == [2, 5, 7]
    assert budgets(1, 50) == [1, 2]
    assert cluster_numbers(40, 780) == [2, 4, 9, 18, 38, 80]
    assert cluster_numbers(3, 4) == [2, 3]
    assert cluster_numbers(1, 2) == []


def test_steps_are_told_and_refusals_named() -> None:
    steps: list[tuple[int, int]] = []
    report(noise(30, 4), progress=lambda done, total: steps.append((done, total)))
    assert steps == [(step, STEPS) for step in range(1, STEPS + 1)]
    with pytest.raises(BudgetExceedsPool, match="5 requested, 4 available"):
        report(noise(4, 4))
    with pytest.raises(InvalidEmbeddings, match="NaN"):
        report(np.full((9, 2), np.nan, dtype=np.float32))
    with pytest.raises(InvalidRules, match=r"cosine of 1\.5"):
        report(noise(9, 2), near_duplicate=1.5)
    with pytest.raises(ValueError, match="3 names for 9 rows"):
        stability_report(noise(9, 2), ["a", "b", "c"], "kmeans", 2, 0)
