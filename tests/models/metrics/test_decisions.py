"""Yes-or-no figures counted by hand, and where they divide by nothing."""

import numpy as np
import pytest

from seedqueue.models.metrics.decisions import decisions, share

TARGETS = np.array([True, True, True, False, False])
CALLED = np.array([True, True, False, True, False])


def test_outcomes_counted_by_hand_as_often_as_they_are_drawn() -> None:
    found = decisions(CALLED, TARGETS, np.array([[1.0, 1, 1, 1, 1], [3, 0, 1, 0, 2]]))
    assert found.sensitivity.tolist() == pytest.approx([2 / 3, 3 / 4])
    assert found.specificity.tolist() == [1 / 2, 1]
    assert found.f1.tolist() == pytest.approx([4 / 6, 6 / 7])
    assert share(CALLED == TARGETS, np.ones((1, 5))).tolist() == [3 / 5]


def test_what_divides_by_nothing_is_not_defined() -> None:
    # No positive drawn, one false alarm: F1 would be 0 of nothing to find.
    found = decisions(CALLED, TARGETS, np.array([[0.0, 0, 0, 1, 1], [1, 1, 1, 0, 0], [0, 0, 0, 0, 0]]))
    assert np.isnan(found.sensitivity).tolist() == [True, False, True]
    assert np.isnan(found.specificity).tolist() == [False, True, True]
    assert np.isnan(found.f1).tolist() == [True, False, True]
    assert np.isnan(share(CALLED, np.zeros((1, 5)))).all()
