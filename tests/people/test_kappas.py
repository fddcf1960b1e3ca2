from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from seedqueue.backend.agreement import fleiss_kappa
from seedqueue.backend.people.answers import majority
from seedqueue.backend.people.kappas import NOBODY, cohen, fleiss


@pytest.mark.parametrize("classes", [2, 4])
def test_cohens_kappa_is_scikit_learns_on_every_resample(classes: int) -> None:
    rng = np.random.default_rng(classes)
    one, other = rng.integers(classes, size=(2, 40))
    times = np.vstack([np.ones(40), rng.multinomial(40, np.full(40, 1 / 40), size=6)]).astype(np.float64)
    expected = [cohen_kappa_score(np.repeat(one, row.astype(int)), np.repeat(other, row.astype(int))) for row in times]
    assert cohen(one, other, times) == pytest.approx(np.array(expected))


def test_fleiss_kappa_is_that_of_the_counts_and_passes_over_what_one_has_read() -> None:
    rng = np.random.default_rng(1)
    answers = rng.integers(3, size=(30, 4))
    answers[:5, 3] = NOBODY
    answers[5:8, 1:] = NOBODY
    kept = answers[(answers != NOBODY).sum(axis=1) > 1]
    counts = np.stack([(kept == one).sum(axis=1) for one in range(3)], axis=1)
    assert fleiss(answers, np.ones((1, 30)))[0] == pytest.approx(fleiss_kappa(counts))


def test_one_answer_only_and_nothing_in_common_have_no_kappa() -> None:
    ones, nothing = np.ones(5, dtype=np.int64), np.full(5, NOBODY)
    for one, other in ((ones, ones), (ones, nothing), (nothing, nothing)):
        assert np.isnan(cohen(one, other, np.ones((2, 5)))).all()
    assert np.isnan(fleiss(np.stack([ones, ones, ones], axis=1), np.ones((1, 5)))).all()


def test_a_divided_majority_is_none() -> None:
    answers = np.array([[0, 1, 1, 1], [0, 1, 0, 1], [2, 1, NOBODY, NOBODY], [2, NOBODY, NOBODY, NOBODY]])
    assert majority(answers, 0).tolist() == [1, 1, 1, NOBODY]
    assert majority(answers, 3).tolist() == [1, 0, NOBODY, 2]
