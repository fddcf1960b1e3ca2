"""What is uncertain, what counts as equally so, and which of the equal ones comes first."""

import numpy as np
import numpy.typing as npt
import pytest

from seedqueue.selectors import greedy
from seedqueue.selectors.choosing import select
from seedqueue.selectors.coverage import covered_by
from seedqueue.selectors.greedy import Covering, greedy_cover
from seedqueue.selectors.kernels import Gaussian
from seedqueue.selectors.representation import fit_scaler, represent
from seedqueue.selectors.signals import Signals
from seedqueue.selectors.source import Matrix
from seedqueue.selectors.uncertainty import (
    ROUNDING,
    certain,
    levels,
    narrowness,
    one_less_largest,
    shannon_entropy,
    where_uncertain,
)

NOTHING = np.empty(0, dtype=np.int64)


def unit(n: int = 120, d: int = 6, seed: int = 0) -> npt.NDArray[np.float32]:
    source = Matrix(np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32))
    return represent(source, fit_scaler(source), "unit")


def pair(second: list[float], dtype: type[np.floating] = np.float64) -> npt.NDArray[np.floating]:
    values = np.asarray(second)
    return np.stack([1 - values, values], axis=-1).astype(dtype)


def test_the_margin_keeps_the_order_where_the_first_probability_is_rounded_to_one() -> None:
    second = [1e-30, 1e-17, 1e-16, 1e-12, 1e-3, 0.2, 0.5]
    found = narrowness(pair(second))
    assert (np.diff(found) > 0).all()
    assert found == pytest.approx([1e-30, 1e-17, 2e-16, 2e-12, 2e-3, 0.4, 1], rel=0.5)
    assert narrowness(np.array([[1.0005, 0.0]])).tolist() == [0]


def test_what_float32_cannot_tell_from_one_is_certain_in_every_score() -> None:
    """Three steps of float32 below 1; entropy makes 3e-6 of them."""
    steps = pair([0, 6e-8, 12e-8, 18e-8], np.float32)
    assert len(set(steps[:, 0].tolist())) == 4
    assert certain(steps).all()
    for score in (shannon_entropy, narrowness, one_less_largest):
        assert not where_uncertain(score(steps), steps).any()
    assert certain(pair([1e-3, 1e-6])).tolist() == [False, False]
    assert where_uncertain(np.array([0.3, 0.2]), pair([1e-3, 0])).tolist() == [0.3, 0]


def test_levels_are_equal_where_rounding_alone_tells_two_scores_apart() -> None:
    score = np.array([0.3, 0.3 + 3e-8, 0.3 + 2 * ROUNDING, 0, 1e-17, -1e-17])
    found = levels(score)
    assert found[0] == found[1] < found[2]
    assert found[3:].tolist() == [0, 0, 0]
    assert levels(score.astype(np.float32))[0] == found[0]


def test_ties_are_broken_by_what_covers_most_beside_the_rows_above() -> None:
    embeddings = unit()
    score = np.zeros(120)
    score[[70, 20]] = [0.9, 0.8]
    tied = np.array([5, 40, 41, 90, 110])
    score[tied] = 0.5
    rows = select("pixel-entropy", embeddings, 12, signals=Signals(pixel_entropy=score), representation="raw").rows
    kernel = embeddings.astype(np.float64) @ embeddings.T
    expected = [70, 20]
    for candidates, end in ((tied, 7), (np.arange(120), 12)):
        while len(expected) < end:
            left = np.setdiff1d(candidates, expected)
            expected.append(int(left[np.argmax([kernel[:, [*expected, row]].max(axis=1).sum() for row in left])]))
    assert rows.tolist() == expected


def test_among_equal_scores_it_is_facility_location() -> None:
    embeddings = np.random.default_rng(3).normal(size=(150, 8)).astype(np.float32)
    equal = Signals(probabilities=np.full((150, 3), 1 / 3), pixel_entropy=np.zeros(150))
    expected = select("facility-location", embeddings, 30, labelled=[4, 9]).rows.tolist()
    for name in ("entropy", "margin", "least-confidence", "pixel-entropy"):
        assert select(name, embeddings, 30, labelled=[4, 9], signals=equal).rows.tolist() == expected


def test_coverage_in_steps_is_coverage_at_once() -> None:
    embeddings = unit()
    at_once = greedy_cover(embeddings, np.arange(120), 20, covered=np.array([7]), take=lambda row: True, seed=0)
    stepwise = Covering(embeddings, np.array([7]), 0)
    first = stepwise.take_best(np.arange(120), 8, lambda row: True)
    stepwise.add(int(at_once[8]))
    rest = stepwise.take_best(np.setdiff1d(np.arange(120), at_once[:9]), 11, lambda row: True)
    assert [*first.tolist(), int(at_once[8]), *rest.tolist()] == at_once.tolist()


def test_the_greedy_choice_ends_where_it_is_told_that_the_rest_adds_nothing() -> None:
    embeddings = np.repeat(unit(6), 5, axis=0)

    def chosen(**options: float) -> list[int]:
        take = greedy_cover(embeddings, np.arange(30), 30, covered=NOTHING, take=lambda row: True, seed=0, **options)
        return take.tolist()

    assert len(chosen()) == 30
    ended = chosen(least_gain=1e-4)
    assert sorted(row // 5 for row in ended) == list(range(6))
    assert chosen()[:6] == ended
    assert chosen(least_gain=1e9) == []


def test_rows_that_weigh_nothing_are_not_in_the_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of many rows a sample is summed over: it must hold the few that the head is unsure of."""
    monkeypatch.setattr(greedy, "EXACT_ROWS", 40)
    monkeypatch.setattr(greedy, "SUMMED_ROWS", 20)
    monkeypatch.setattr(greedy, "CANDIDATE_ROWS", 200)
    embeddings = unit(200)
    weights = np.zeros(200)
    weights[[11, 150, 151, 199]] = 1
    rows = greedy_cover(
        embeddings,
        np.arange(200),
        200,
        covered=NOTHING,
        take=lambda row: True,
        seed=0,
        kernel=Gaussian(0.01),
        weights=weights,
        least_gain=ROUNDING,
    )
    assert sorted(rows.tolist()) == [11, 150, 151, 199]


def test_herding_goes_on_by_coverage_once_nothing_uncertain_is_left() -> None:
    embeddings = np.random.default_rng(3).normal(size=(150, 8)).astype(np.float32)
    probabilities = np.eye(2)[np.zeros(150, dtype=int)]
    probabilities[[30, 77]] = 0.5
    rows = select("uncertainty-herding", embeddings, 20, signals=Signals(probabilities=probabilities)).rows
    assert sorted(rows[:2].tolist()) == [30, 77]
    assert rows[2:].tolist() == select("facility-location", embeddings, 18, labelled=[30, 77]).rows.tolist()


def test_dropquery_stands_for_the_whole_pool() -> None:
    rng = np.random.default_rng(2)
    embeddings, probabilities = rng.normal(size=(150, 8)).astype(np.float32), np.tile([[0.8, 0.2]], (150, 1))
    draws = np.tile(probabilities, (4, 1, 1))
    draws[:, :30] = [0.2, 0.8]  # thirty of them withstand no dropout
    given = Signals(probabilities=probabilities, dropout_probabilities=draws)
    chosen = select("dropquery", embeddings, 10, signals=given)
    assert chosen.rows.max() < 30
    assert chosen.weight.sum() == 150
    beyond = select("dropquery", embeddings, 50, signals=given).rows
    assert set(range(30)) <= set(beyond.tolist())
    lowest = covered_by(unit(150, 8), unit(150, 8)[np.arange(50)]).mean()
    assert covered_by(unit(150, 8), unit(150, 8)[beyond]).mean() > lowest
