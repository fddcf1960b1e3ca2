"""Whether embeddings may be stored in float16, half the size."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from seedqueue.models.gate import LEAST_COSINE, LEAST_IMAGES, centred_cosine

JUDGED_ROWS = 256
LARGEST_ERROR = 1e-3


def in_float16(vectors: NDArray[np.float32]) -> NDArray[np.float16] | None:
    """The vectors (n, d) in float16; None where that would blur what tells them apart.

    Judged as the gate judges arithmetics: no row's mean-centred cosine, in blocks of some JUDGED_ROWS, may
    fall below LEAST_COSINE. Where rows are too few for a mean, each must keep its direction and length
    to LARGEST_ERROR, which float16 fails at very large and very small values only. (That rule alone would
    not do: vectors that share nearly all of their direction keep it, and lose how they differ.)
    """
    with np.errstate(over="ignore"):
        halved = vectors.astype(np.float16)
    blocks = max(1, -(-len(vectors) // JUDGED_ROWS))
    pairs = zip(np.array_split(vectors, blocks), np.array_split(halved, blocks), strict=True)
    return halved if all(_same(exact, cast) for exact, cast in pairs) else None


def _same(exact: NDArray[np.float32], cast: NDArray[np.float16]) -> bool:
    if not np.isfinite(cast).all():
        return False
    if len(exact) >= LEAST_IMAGES:
        return bool(centred_cosine(exact, cast).min() >= LEAST_COSINE)
    errors, lengths = (np.linalg.norm(each.astype(np.float64), axis=1) for each in (exact - cast, exact))
    return bool((errors <= LARGEST_ERROR * lengths).all())
