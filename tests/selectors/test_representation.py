"""The representations against their definitions, and where the definitions divide by nothing."""

import numpy as np
import pytest

from seedqueue.selectors.representation import Representation, fit_scaler
from seedqueue.selectors.representation import represent as represent_source
from seedqueue.selectors.selection import Embeddings
from seedqueue.selectors.source import Matrix


def represent(embeddings: Embeddings, representation: Representation, components: int | None = None) -> Embeddings:
    source = Matrix(embeddings)
    return represent_source(source, fit_scaler(source), representation, components)


RNG = np.random.default_rng(5)


def test_raw_is_as_it_was() -> None:
    embeddings = RNG.normal(size=(10, 3)).astype(np.float32)
    assert np.array_equal(represent(embeddings, "raw"), embeddings)


def test_standardised_has_mean_zero_and_deviation_one() -> None:
    # More rows than a block, a mean far from zero.
    embeddings = (RNG.normal(size=(9000, 4)) * [1, 20, 300, 0.01] + 50).astype(np.float32)
    result = represent(embeddings, "standardised")
    assert result.dtype == np.float32
    assert result.mean(axis=0, dtype=np.float64) == pytest.approx(0, abs=1e-5)
    assert result.std(axis=0, dtype=np.float64) == pytest.approx(1, abs=1e-5)
    reference = (embeddings.astype(np.float64) - embeddings.mean(0, np.float64)) / embeddings.std(0, dtype=np.float64)
    assert np.allclose(result, reference, atol=1e-5)


def test_unit_is_the_standardised_at_length_one() -> None:
    embeddings = (RNG.normal(size=(50, 6)) * 9 + 4).astype(np.float32)
    result = represent(embeddings, "unit")
    assert np.linalg.norm(result, axis=1) == pytest.approx(1, abs=1e-6)
    standardised = represent(embeddings, "standardised")
    cosine = (result * standardised).sum(axis=1) / np.linalg.norm(standardised, axis=1)
    assert cosine == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("representation", ["standardised", "unit"])
@pytest.mark.parametrize("value", [0.0, 0.1, 1e-30, 3e38])
def test_a_constant_column_becomes_zero(representation: str, value: float) -> None:
    embeddings = RNG.normal(size=(997, 3)).astype(np.float32)
    embeddings[:, 1] = value
    result = represent(embeddings, representation)  # type: ignore[arg-type]
    assert np.isfinite(result).all()
    assert (result[:, 1] == 0).all()
    assert result[:, 0].std() > 0.1


def test_a_row_of_zeros_stays_one() -> None:
    embeddings = np.array([[1, 5], [-1, -5], [0, 0]], dtype=np.float32)
    result = represent(embeddings, "unit")
    assert result[2].tolist() == [0, 0]
    assert represent(embeddings[:1], "unit").tolist() == [[0, 0]]


def test_the_input_is_not_written_to() -> None:
    embeddings = RNG.normal(size=(10, 3)).astype(np.float32)
    embeddings.flags.writeable = False
    for representation in ("raw", "standardised", "unit"):
        represent(embeddings, representation)  # type: ignore[arg-type]


def test_components_keep_what_varies_most_and_lengths_stay_1() -> None:
    hidden = RNG.normal(size=(400, 3)) * [9, 5, 2]
    embeddings = (hidden @ RNG.normal(size=(3, 40)) + 0.01 * RNG.normal(size=(400, 40))).astype(np.float32)
    reduced = represent(embeddings, "unit", 3)
    assert reduced.shape == (400, 3)
    assert np.linalg.norm(reduced, axis=1) == pytest.approx(1, abs=1e-5)
    whole = represent(embeddings, "unit")
    centred = whole - whole.mean(axis=0)
    centred /= np.linalg.norm(centred, axis=1, keepdims=True)
    assert np.allclose(reduced @ reduced.T, centred @ centred.T, atol=0.02)


def test_raw_and_standardised_components_are_principal_ones() -> None:
    from sklearn.decomposition import PCA

    embeddings = RNG.normal(size=(200, 10)).astype(np.float32) * np.arange(1, 11, dtype=np.float32)
    expected = PCA(4, svd_solver="full").fit_transform(embeddings)
    assert np.allclose(np.abs(represent(embeddings, "raw", 4)), np.abs(expected), atol=1e-3)
    assert represent(embeddings, "standardised", 4).std(axis=0).max() < 2
