"""What a network must show before it is used: one image gives the same numbers wherever it runs."""

from typing import Any

import numpy as np
import numpy.typing as npt

# Raw cosine of a compiled network's embedding with PyTorch's own; half precision reaches 0.9999.
LEAST_COSINE = 0.999


def probe_like(example: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Noise of this shape and dtype: what differs between two networks shows in it."""
    random = np.random.default_rng(0)
    if np.issubdtype(example.dtype, np.integer):
        return random.integers(0, 256, example.shape).astype(example.dtype)
    return random.standard_normal(example.shape).astype(example.dtype)


def steady(embeddings: npt.NDArray[np.float32]) -> bool:
    """Whether all rows (n, d), each of the same image, are the same to the bit."""
    return bool(np.array_equal(embeddings, np.broadcast_to(embeddings[:1], embeddings.shape), equal_nan=True))


def cosine(one: npt.NDArray[Any], other: npt.NDArray[Any]) -> float:
    """Of two embeddings; 1 where neither has a direction: both zero, or both not finite."""
    a, b = (np.asarray(each, dtype=np.float64).ravel() for each in (one, other))
    with np.errstate(invalid="ignore", over="ignore"):
        lengths = [float(np.linalg.norm(each)) for each in (a, b)]
    without = [not np.isfinite(length) or length == 0 for length in lengths]
    if any(without):
        return float(all(without))
    return float(a @ b / (lengths[0] * lengths[1]))
