"""AUPRC and AUROC of many weightings at once against scikit-learn, one weighting at a time."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from seedqueue.models.metrics.averages import weighted_mean, weighted_median
from seedqueue.models.metrics.ranking import above_chance, auroc, average_precision


def test_a_ranking_counted_by_hand() -> None:
    # Ranked: +, -, +, -: precision 1 at the first hit, 2/3 at the second. Of four pairs one is wrong.
    scores, targets = np.array([0.9, 0.8, 0.7, 0.1]), np.array([True, False, True, False])
    assert average_precision(scores, targets, np.ones((1, 4))).tolist() == pytest.approx([(1 + 2 / 3) / 2])
    assert auroc(scores, targets, np.ones((1, 4))).tolist() == [0.75]


@settings(deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 30), st.integers(2, 6))
def test_equal_to_scikit_learn_under_any_weights(seed: int, n: int, levels: int) -> None:
    rng = np.random.default_rng(seed)
    scores, targets = rng.integers(levels, size=n) / levels, rng.random(n) < 0.4
    weights = rng.integers(3, size=(5, n)).astype(np.float64)
    for row, precision, area in zip(
        weights, average_precision(scores, targets, weights), auroc(scores, targets, weights), strict=True
    ):
        if not row[targets].any() or not row[~targets].any():
            assert np.isnan(precision)
            assert np.isnan(area)
            continue
        assert precision == pytest.approx(average_precision_score(targets, scores, sample_weight=row))
        assert area == pytest.approx(roc_auc_score(targets, scores, sample_weight=row))


def test_above_chance_is_0_by_chance_and_1_at_best() -> None:
    assert above_chance(np.array([0.2, 1.0, 0.6]), np.array([0.2, 0.2, 0.2])).tolist() == pytest.approx([0, 1, 0.5])


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3), st.booleans()), min_size=1, max_size=12))
def test_mean_and_median_are_those_of_the_repeated_values(rows: list[tuple[int, int, bool]]) -> None:
    values = np.array([np.nan if missing else value for value, _, missing in rows], dtype=np.float64)
    times = np.array([weight for _, weight, _ in rows])
    repeated = np.repeat(values, times)
    repeated = repeated[~np.isnan(repeated)]
    weights = times[None].astype(np.float64)
    if len(repeated):
        assert weighted_mean(values, weights)[0] == pytest.approx(repeated.mean())
        assert weighted_median(values, weights)[0] == np.median(repeated)
    else:
        assert np.isnan([weighted_mean(values, weights)[0], weighted_median(values, weights)[0]]).all()
