"""Embeddings in float16 only where it keeps what tells them apart."""

import numpy as np
import pytest

from seedqueue.backend.half import JUDGED_ROWS, in_float16
from seedqueue.models.gate import LEAST_COSINE, LEAST_IMAGES, centred_cosine


def spread(count: int, around: float = 0.0, width: float = 1.0) -> np.ndarray:
    """Vectors (count, 64) of this width around a shared direction."""
    noise = np.random.default_rng(0).standard_normal((count, 64))
    return (around + width * noise).astype(np.float32)


@pytest.mark.parametrize("count", [0, 1, LEAST_IMAGES - 1, LEAST_IMAGES, JUDGED_ROWS, JUDGED_ROWS + 1, 1000])
def test_ordinary_vectors_are_halved(count: int) -> None:
    halved = in_float16(spread(count))
    assert halved is not None
    assert halved.dtype == np.float16
    assert np.array_equal(halved, spread(count).astype(np.float16))


def test_it_is_what_tells_them_apart_that_counts() -> None:
    """Their raw cosine to their float16 is 0.9999999: it would have let these pass."""
    alike = spread(100, around=100, width=0.05)
    cast = alike.astype(np.float16)
    assert centred_cosine(alike, cast).min() < LEAST_COSINE
    assert in_float16(alike) is None
    assert in_float16(spread(100, around=100, width=5)) is not None


def test_one_blurred_block_among_good_ones_is_enough() -> None:
    good = spread(2 * JUDGED_ROWS)
    assert in_float16(np.concatenate([good, spread(JUDGED_ROWS, around=100, width=0.05)])) is None


@pytest.mark.parametrize("count", [1, 100])
@pytest.mark.parametrize("value", [70_000.0, -1e30, np.inf, np.nan])
def test_what_float16_cannot_hold_stays(count: int, value: float) -> None:
    vectors = spread(count)
    vectors[-1, 3] = value
    assert in_float16(vectors) is None


@pytest.mark.parametrize("count", [1, 100])
def test_so_do_values_too_small_for_it(count: int) -> None:
    assert in_float16(spread(count, width=1e-7)) is None


def test_zeros_are_zeros() -> None:
    assert in_float16(np.zeros((1, 64), dtype=np.float32)) is not None
    assert in_float16(np.zeros((100, 64), dtype=np.float32)) is not None
