"""Facts of density coverage on pools whose answer is known."""

import numpy as np
import numpy.typing as npt
import pytest

from seedqueue.selectors.choosing import select
from seedqueue.selectors.first_round import density_coverage
from seedqueue.selectors.first_round.density_coverage import NEIGHBOURS, density
from seedqueue.selectors.representation import to_unit_length

Matrix = npt.NDArray[np.float32]

NAME = "density-coverage"


def unit(n: int, d: int, seed: int = 0) -> Matrix:
    return to_unit_length(np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32))


def slow_density(rows: Matrix, nearest: int) -> npt.NDArray[np.float64]:
    cosine = rows.astype(np.float64) @ rows.T
    np.fill_diagonal(cosine, -np.inf)
    return np.maximum(np.sort(cosine, axis=1)[:, -nearest:].mean(axis=1), 1e-3)


@pytest.mark.parametrize(("n", "nearest"), [(200, NEIGHBOURS), (9, 4), (2, 1)])
def test_density_is_the_mean_cosine_to_the_nearest_others(n: int, nearest: int) -> None:
    rows = unit(n, 6)
    assert np.allclose(density(rows), slow_density(rows, nearest), atol=1e-6)


def test_density_comes_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = unit(90, 6)
    whole = density(rows)
    monkeypatch.setattr("seedqueue.selectors.kernels._BLOCK_CELLS", 200)  # two rows at once
    assert np.allclose(density(rows), whole, atol=1e-6)


def test_a_row_alone_and_rows_of_zeros_weigh_something() -> None:
    assert density(unit(1, 3)).tolist() == [1.0]
    assert (density(np.zeros((5, 3), dtype=np.float32)) > 0).all()


@pytest.mark.parametrize("labelled", [(), (1, 7, 8)], ids=["none", "three"])
def test_the_queue_is_the_greedy_one_of_the_weighted_sum(labelled: tuple[int, ...]) -> None:
    embeddings = unit(120, 5, seed=3) + 2 * (np.arange(120) < 60)[:, None]  # one half is denser
    scaled = (embeddings - embeddings.mean(axis=0)) / embeddings.std(axis=0)
    rows = scaled / np.linalg.norm(scaled, axis=1, keepdims=True)
    cosine, weight = rows @ rows.T, slow_density(rows.astype(np.float32), NEIGHBOURS)
    best = cosine[:, list(labelled)].max(axis=1) if labelled else np.full(120, -1.0)
    expected: list[int] = []
    for _ in range(15):
        gain = weight @ np.maximum(cosine - best[:, None], 0)
        gain[[*expected, *labelled]] = -1
        expected.append(int(gain.argmax()))
        best = np.maximum(best, cosine[:, expected[-1]])
    assert select(NAME, embeddings, 15, labelled=labelled).rows.tolist() == expected
    # Facility location, which weighs all alike, takes others.
    assert select("facility-location", embeddings, 15, labelled=labelled).rows.tolist() != expected


def test_outliers_come_later_than_in_facility_location() -> None:
    # 150 images of 6 tight kinds, 12 that are like nothing else: a queue of 24 has room for all of these.
    rng = np.random.default_rng(5)
    kinds = np.eye(30)[np.repeat(np.arange(6), 25)] + 0.1 * rng.normal(size=(150, 30))
    embeddings = np.vstack([kinds, 1.5 * rng.normal(size=(12, 30))]).astype(np.float32)
    outliers = {name: int((select(name, embeddings, 24).rows >= 150).sum()) for name in ("facility-location", NAME)}
    assert outliers == {"facility-location": 12, NAME: 0}


def test_a_queue_that_is_lengthened_is_the_longer_queue() -> None:
    embeddings = unit(200, 12)
    sixty = select(NAME, embeddings, 60).rows
    forty = select(NAME, embeddings, 40).rows
    assert np.array_equal(sixty[:40], forty)
    assert np.array_equal(sixty[40:], select(NAME, embeddings, 20, labelled=forty).rows)


def test_a_large_pool_is_summed_over_a_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seedqueue.selectors.greedy.EXACT_ROWS", 50)
    monkeypatch.setattr(density_coverage, "SUMMED_ROWS", 60)
    rows = unit(120, 5)
    weights = density_coverage._weights(rows, seed=1)
    summed = np.flatnonzero(weights)
    assert len(summed) == 60
    assert np.allclose(weights[summed], density(rows[summed]))
    assert not np.array_equal(summed, np.flatnonzero(density_coverage._weights(rows, seed=2)))
