"""Prior shift against Bayes' rule on known distributions, and calibration figures counted by hand."""

import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss

from seedqueue.models.errors import PrevalenceUnusable
from seedqueue.models.metrics.calibration import (
    brier,
    expected_calibration_error,
    prior_shift,
    reliability,
    smoothed_prevalence,
)

RNG = np.random.default_rng(4)


def posterior(likelihoods: np.ndarray, prior: np.ndarray) -> np.ndarray:
    joint = likelihoods * prior
    return joint / joint.sum(axis=1, keepdims=True)


def test_exclusive_classes_get_the_posterior_of_the_other_prior() -> None:
    likelihoods = RNG.random((50, 3))
    queue, audit = np.array([0.5, 0.3, 0.2]), np.array([0.9, 0.02, 0.08])
    shifted = prior_shift(posterior(likelihoods, queue), queue, audit, "single")
    assert np.allclose(shifted, posterior(likelihoods, audit))


def test_classes_of_their_own_are_shifted_each_against_its_absence() -> None:
    likelihoods = RNG.random((50, 2))
    queue, audit = np.array([0.4, 0.6]), np.array([0.05, 0.95])
    learnt = posterior(likelihoods, queue)[:, :1]
    shifted = prior_shift(learnt, queue[:1], audit[:1], "multi")
    assert np.allclose(shifted[:, 0], posterior(likelihoods, audit)[:, 0])
    # Odds of 1 at a prevalence of one half are the odds of the new prevalence: 1 in 5.
    assert prior_shift(np.array([[0.5]]), np.array([0.5]), np.array([0.2]), "multi")[0, 0] == pytest.approx(0.2)


@pytest.mark.parametrize("kind", ["single", "multi"])
def test_the_same_prevalence_changes_nothing_and_certainty_stays(kind: str) -> None:
    p = np.array([[0.0, 1.0], [0.3, 0.7], [1.0, 0.0]])
    here, there = np.array([0.2, 0.8]), np.array([0.6, 0.4])
    assert np.allclose(prior_shift(p, here, here, kind), p)  # type: ignore[arg-type]
    shifted = prior_shift(p, here, there, kind)  # type: ignore[arg-type]
    assert np.allclose(shifted[[0, 2]], p[[0, 2]])
    assert np.allclose(prior_shift(shifted, there, here, kind), p)  # type: ignore[arg-type]


def test_a_prevalence_without_odds_is_refused_and_the_smoothed_one_never_is() -> None:
    p = np.array([[0.3, 0.7]])
    with pytest.raises(PrevalenceUnusable, match="class 1: a prevalence of 0"):
        prior_shift(p, np.array([1.0, 0.0]), np.array([0.5, 0.5]), "single")
    with pytest.raises(PrevalenceUnusable, match="class 0: a prevalence of 1"):
        prior_shift(p, np.array([0.5, 0.5]), np.array([1.0, 0.5]), "multi")
    targets = np.array([[True, False], [True, False], [True, False]])
    assert smoothed_prevalence(targets, "single").tolist() == [3.5 / 4, 0.5 / 4]
    assert smoothed_prevalence(targets, "multi").tolist() == [3.5 / 4, 0.5 / 4]
    assert smoothed_prevalence(targets[:, :1], "single").tolist() == [1]
    assert prior_shift(p[:, :1], np.ones(1), np.ones(1), "single").tolist() == [[1]]
    assert np.isfinite(prior_shift(p, smoothed_prevalence(targets, "multi"), np.array([0.5, 0.5]), "multi")).all()


def test_calibration_counted_by_hand() -> None:
    p, y = np.array([0.1, 0.15, 0.9, 1.0]), np.array([False, True, True, True])
    once, first_twice = np.ones((1, 4)), np.array([[2.0, 1, 1, 1]])
    # Bin [0.1, 0.2): 0.125 against 0.5; bin [0.9, 1]: 0.95 against 1.
    assert expected_calibration_error(p, y, once)[0] == pytest.approx(0.5 * 0.375 + 0.5 * 0.05)
    assert expected_calibration_error(p, y, first_twice)[0] == pytest.approx((0.65 + 0.1) / 5)
    assert brier(p, y, once)[0] == pytest.approx((0.01 + 0.7225 + 0.01) / 4)
    assert [(each.n, each.mean_probability, each.share_positive) for each in reliability(p, y)] == [
        (2, pytest.approx(0.125), 0.5),
        (2, pytest.approx(0.95), 1.0),
    ]


def test_equal_to_scikit_learn() -> None:
    p = RNG.random(300)
    y = RNG.random(300) < p
    weights = RNG.integers(3, size=(1, 300)).astype(np.float64)
    assert brier(p, y, weights)[0] == pytest.approx(brier_score_loss(y, p, sample_weight=weights[0]))
    share, mean = calibration_curve(y, p, n_bins=10)
    bins = reliability(p, y)
    assert [each.share_positive for each in bins] == pytest.approx(share.tolist())
    assert [each.mean_probability for each in bins] == pytest.approx(mean.tolist())
    gap = sum(each.n * abs(each.mean_probability - each.share_positive) for each in bins) / 300
    assert expected_calibration_error(p, y, np.ones((1, 300)))[0] == pytest.approx(gap)
    assert gap < 0.1
    assert expected_calibration_error(p**3, y, np.ones((1, 300)))[0] > 0.2
