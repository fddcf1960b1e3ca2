"""The bootstrap over groups: what it draws, what it refuses, and how often its intervals hold the truth."""

import numpy as np
import pytest

from seedqueue.models.metrics.averages import weighted_mean
from seedqueue.models.metrics.bootstrap import Doubles, interval, macro, paired_difference, resample
from seedqueue.models.metrics.decisions import share
from seedqueue.models.metrics.ranking import auroc


def test_whole_groups_are_drawn_and_as_many_as_there_are() -> None:
    groups = np.array([7, 3, 7, 5, 3, 3])
    found = resample(groups, 100, 0)
    assert found.groups == 3
    assert found.weights[0].tolist() == [1] * 6
    assert (found.weights[:, [1]] == found.weights[:, [4, 5]]).all()
    assert (found.weights[:, 0] == found.weights[:, 2]).all()
    assert (found.weights[1:, [0, 1, 3]].sum(axis=1) == 3).all()
    assert found.weights[1:, [0, 1, 3]].mean(axis=0) == pytest.approx(1, abs=0.3)
    assert set(found.weights[1:, 0]) == {0, 1, 2, 3}


def test_the_same_seed_draws_the_same_in_whatever_order_the_images_come() -> None:
    groups = np.arange(20) // 2
    order = np.random.default_rng(1).permutation(20)
    first, again = resample(groups, 50, 3), resample(groups[order], 50, 3)
    assert np.array_equal(first.weights[:, order], again.weights)
    assert not np.array_equal(first.weights, resample(groups, 50, 4).weights)


def test_the_interval_is_that_of_resampling_one_by_one() -> None:
    values = np.random.default_rng(2).normal(size=30)
    found = interval(lambda weights: weighted_mean(values, weights), np.arange(30), 500, 1)
    rng = np.random.default_rng(1)
    means = [values[rows].mean() for rows in rng.integers(30, size=(500, 30))]
    assert found.value == pytest.approx(values.mean())
    assert [found.low, found.high] == pytest.approx(np.quantile(means, [0.025, 0.975]).tolist())


def test_resamples_without_a_positive_are_skipped_and_counted() -> None:
    targets = np.arange(10) < 2
    scores = np.linspace(0, 1, 10) * np.where(targets, 3, 1)
    found = interval(lambda weights: auroc(scores, targets, weights), np.arange(10), 400, 0)
    drawn = resample(np.arange(10), 400, 0).weights[1:]
    assert found.skipped == (drawn[:, :2].sum(axis=1) == 0).sum() > 20
    assert found.low is not None


@pytest.mark.parametrize(
    ("groups", "values", "reason"),
    [
        (np.zeros(6), np.arange(6.0), "one group"),
        (np.arange(6), np.ones(6), "all resamples agree"),
        (np.arange(6), np.array([np.nan] * 6), "not defined"),
    ],
)
def test_no_interval_has_its_reason(groups: Doubles, values: Doubles, reason: str) -> None:
    found = interval(lambda weights: weighted_mean(values, weights), groups.astype(np.int64))
    assert found.low is None
    assert found.high is None
    assert reason in found.reason


def test_mostly_undefined_resamples_give_no_interval() -> None:
    def fragile(weights: Doubles) -> Doubles:
        return np.where((weights > 0).sum(axis=1) > 8, weights[:, 0], np.nan)

    found = interval(fragile, np.arange(10))
    assert found.value == 1
    assert found.low is None
    assert "resamples: no interval" in found.reason
    assert found.skipped > 100


def test_a_macro_mean_of_the_set_needs_all_classes_a_resamples_those_it_has() -> None:
    rows = [np.array([1.0, np.nan, np.nan]), np.array([3.0, 5.0, np.nan])]
    assert macro(rows)[:2].tolist() == [2, 5]
    assert np.isnan(macro(rows)[2])
    assert np.isnan(macro([np.array([np.nan, 1.0]), np.array([1.0, 1.0])])[0])


def test_a_difference_is_a_less_b_and_narrower_paired() -> None:
    rng = np.random.default_rng(0)
    b = rng.normal(size=100)
    a = b + 0.1 + rng.normal(size=100) * 0.05
    groups = np.arange(100) // 2
    found = paired_difference(weighted_mean, a, b, groups)
    assert found.value == pytest.approx((a - b).mean())
    assert (found.n, found.groups) == (100, 50)
    assert found.low is not None
    assert found.high is not None
    assert 0.08 < found.low < found.high < 0.12
    same = paired_difference(weighted_mean, a, a, groups)
    assert (same.value, same.low, same.high) == (0, 0, 0)
    assert paired_difference(weighted_mean, a * np.nan, b, groups).value is None


def test_intervals_hold_the_truth_about_95_times_in_100() -> None:
    """Groups of three images that share half of their variance: of single images the intervals would be too narrow."""
    held = {"groups": 0, "images": 0}
    for seed in range(400):
        rng = np.random.default_rng(seed)
        groups = np.repeat(np.arange(40), 3)
        right = rng.normal(size=40)[groups] + rng.normal(size=120) > 0
        for name, by in (("groups", groups), ("images", np.arange(120))):
            found = interval(lambda weights, right=right: share(right, weights), by, 200, seed)
            assert found.low is not None
            assert found.high is not None
            held[name] += found.low <= 0.5 <= found.high
    assert 0.91 <= held["groups"] / 400 <= 0.98
    assert held["images"] / 400 < 0.90


def test_intervals_of_auroc_hold_the_truth_about_95_times_in_100() -> None:
    # Two normal distributions one deviation apart: AUROC is the normal distribution's value at 1 / sqrt(2).
    held = 0
    for seed in range(400):
        rng = np.random.default_rng(seed)
        targets = rng.random(150) < 0.4
        scores = targets + rng.normal(size=150)
        found = interval(lambda weights, s=scores, y=targets: auroc(s, y, weights), np.arange(150), 200, seed)
        assert found.low is not None
        assert found.high is not None
        held += found.low <= 0.76025 <= found.high
    assert 0.91 <= held / 400 <= 0.98
