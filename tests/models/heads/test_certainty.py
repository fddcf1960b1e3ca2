"""What the selectors of later rounds are given: rows that sum to 1, of the most uncertain label."""

import numpy as np
import pytest

from seedqueue.models.heads.certainty import as_distribution
from seedqueue.selectors.signals import Signals


def test_one_class_an_image_stays_as_it_is() -> None:
    given = np.array([[0.2, 0.5, 0.3]], dtype=np.float32)
    assert as_distribution(given, "single") is given


def test_several_labels_become_the_most_uncertain_one() -> None:
    given = np.array([[0.01, 0.6, 0.99], [0.3, 0.95, 0.999], [0.4, 0.6, 0.9], [0.0, 1.0, 1.0]], dtype=np.float32)
    found = as_distribution(given, "multi")
    assert found.dtype == np.float32
    assert found == pytest.approx(np.array([[0.6, 0.4], [0.3, 0.7], [0.4, 0.6], [0, 1]]), abs=1e-6)


def test_draws_are_all_of_the_label_that_their_mean_is_unsure_of() -> None:
    # The first label alternates, each draw certain of it: the mean is 1/2, as the disagreement should show.
    draws = np.array([[[0.05, 0.7], [0.9, 0.4]], [[0.95, 0.8], [0.8, 0.6]]], dtype=np.float32)
    found = as_distribution(draws, "multi")
    assert found == pytest.approx(np.array([[[0.05, 0.95], [0.4, 0.6]], [[0.95, 0.05], [0.6, 0.4]]]), abs=1e-6)


def test_draws_can_be_of_the_label_that_the_prediction_is_unsure_of() -> None:
    probabilities = np.array([[0.5, 0.9]], dtype=np.float32)
    draws = np.array([[[0.1, 0.6]], [[0.2, 0.4]]], dtype=np.float32)
    assert as_distribution(draws, "multi") == pytest.approx(np.array([[[0.6, 0.4]], [[0.4, 0.6]]]), abs=1e-6)
    alike = as_distribution(draws, "multi", like=probabilities)
    assert alike == pytest.approx(np.array([[[0.1, 0.9]], [[0.2, 0.8]]]), abs=1e-6)


def test_the_selectors_take_both() -> None:
    rng = np.random.default_rng(0)
    draws = rng.random((6, 50, 4)).round(1).astype(np.float32)
    Signals(
        probabilities=as_distribution(draws[0], "multi"), dropout_probabilities=as_distribution(draws, "multi")
    ).check(50)
