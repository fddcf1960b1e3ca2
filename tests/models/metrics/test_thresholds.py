"""Thresholds against a search over all candidates with scikit-learn, and where there is nothing to choose."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score, recall_score

from seedqueue.models.errors import UnequalLengths
from seedqueue.models.metrics.thresholds import best_f1, youden


def test_what_separates_is_cut_in_the_middle() -> None:
    scores, targets = np.array([0.1, 0.2, 0.6, 0.9]), np.array([False, False, True, True])
    assert youden(scores, targets) == pytest.approx(0.4)
    assert best_f1(scores, targets) == pytest.approx(0.4)


def test_youden_does_not_maximise_f1() -> None:
    # 2 positives, one of them above all 20 negatives, one in their middle.
    scores = np.append(np.linspace(0, 0.8, 20), [0.9, 0.41])
    targets = np.append(np.zeros(20, dtype=bool), [True, True])
    assert best_f1(scores, targets) == pytest.approx(0.85)
    # Youden: 1/2 + 1 - 1 at 0.85 as well as 1 + 1/2 - 1 just below 0.41: the wider gap.
    assert youden(scores, targets) == pytest.approx(0.85)
    scores[-1] = 0.5
    assert best_f1(scores, targets) == pytest.approx(0.85)
    assert youden(scores, targets) < 0.5


def test_equally_good_ones_go_to_the_widest_gap_then_to_the_highest() -> None:
    targets = np.array([False, True, False, True])
    assert youden(np.array([0.0, 0.25, 0.5, 1.0]), targets) == 0.75
    assert youden(np.array([0.0, 0.5, 0.75, 1.0]), targets) == 0.25
    assert youden(np.array([0.0, 0.25, 0.5, 0.75]), targets) == 0.625


@pytest.mark.parametrize("choose", [youden, best_f1])
def test_nothing_to_choose_gives_one_half(choose: Callable[[np.ndarray, np.ndarray], float]) -> None:
    scores = np.array([0.1, 0.8])
    assert choose(scores, np.array([True, True])) == 0.5
    assert choose(scores, np.array([False, False])) == 0.5
    assert choose(np.array([0.3, 0.3]), np.array([True, False])) == 0.5
    assert choose(scores[:0], np.zeros(0, dtype=bool)) == 0.5
    with pytest.raises(UnequalLengths, match="scores: 2, targets: 1"):
        choose(scores, np.array([True]))


def test_neighbouring_floats_are_told_apart() -> None:
    low = 0.5
    high = float(np.nextafter(low, 1))
    threshold = youden(np.array([low, high]), np.array([False, True]))
    assert low < threshold <= high


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.booleans()), min_size=2, max_size=25))
def test_no_candidate_is_better(rows: list[tuple[int, bool]]) -> None:
    scores, targets = np.array([each for each, _ in rows]) / 9, np.array([each for _, each in rows])
    distinct = np.unique(scores)
    if len(distinct) < 2 or targets.all() or not targets.any():
        return
    candidates = (distinct[1:] + distinct[:-1]) / 2

    def f1(threshold: float) -> float:
        return float(f1_score(targets, scores >= threshold, zero_division=0))

    def informedness(threshold: float) -> float:
        called = scores >= threshold
        return float(recall_score(targets, called) + recall_score(~targets, ~called))

    assert f1(best_f1(scores, targets)) == pytest.approx(max(map(f1, candidates)))
    assert informedness(youden(scores, targets)) == pytest.approx(max(map(informedness, candidates)))
