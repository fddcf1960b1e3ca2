"""How well one row stands for another: kernels and distances of rows, in blocks."""

from collections.abc import Callable, Iterator
from typing import Protocol

import numpy as np

from seedqueue.selectors.representation import to_unit_length
from seedqueue.selectors.selection import Embeddings

# Values held at once in a block: 2**22 float32 are 16 MiB.
_BLOCK_CELLS = 2**22

# By so much a vector of length 1 may miss it in float32.
_ROUNDING = 1e-4

# Rows (m, d) and (k, d) to float32 (m, k), a fresh array.
Pairwise = Callable[[Embeddings, Embeddings], Embeddings]


class Kernel(Protocol):
    """A similarity of prepared rows (m, d) and (k, d): a fresh float32 (m, k), nowhere below `least`."""

    @property
    def least(self) -> float: ...

    def prepared(self, rows: Embeddings) -> Embeddings: ...

    def __call__(self, rows: Embeddings, others: Embeddings) -> Embeddings: ...


class Cosine:
    """The cosine: the dot product of vectors of length 1 (or 0)."""

    least = -1.0

    def prepared(self, rows: Embeddings) -> Embeddings:
        """The rows at length 1, the same array where they are already."""
        length = np.linalg.norm(rows, axis=1)
        return rows if np.all((length == 0) | (np.abs(length - 1) < _ROUNDING)) else to_unit_length(rows)

    def __call__(self, rows: Embeddings, others: Embeddings) -> Embeddings:
        return np.asarray(rows @ others.T, dtype=np.float32)


class Gaussian:
    """exp(-d^2 / h^2) with d the Euclidean distance and h the bandwidth."""

    least = 0.0

    def __init__(self, bandwidth: float) -> None:
        self._scale = np.float32(-1 / bandwidth**2)

    def prepared(self, rows: Embeddings) -> Embeddings:
        return rows

    def __call__(self, rows: Embeddings, others: Embeddings) -> Embeddings:
        squared = squared_distances(rows, others)
        squared *= self._scale
        return np.exp(squared, out=squared)


class Ball:
    """1 where the Euclidean distance is at most the radius, 0 elsewhere."""

    least = 0.0

    def __init__(self, radius: float) -> None:
        self._squared = np.float32(radius**2)

    def prepared(self, rows: Embeddings) -> Embeddings:
        return rows

    def __call__(self, rows: Embeddings, others: Embeddings) -> Embeddings:
        return (squared_distances(rows, others) <= self._squared).astype(np.float32)


COSINE = Cosine()


def squared_distances(rows: Embeddings, others: Embeddings) -> Embeddings:
    """Squared Euclidean distances, float32 (m, k), never negative."""
    result = np.asarray(rows @ others.T, dtype=np.float32)
    result *= -2
    result += np.square(rows).sum(axis=1)[:, None]
    result += np.square(others).sum(axis=1)
    return np.maximum(result, 0, out=result)


def pair_blocks(
    rows: Embeddings, others: Embeddings, pairwise: Pairwise = COSINE
) -> Iterator[tuple[slice, Embeddings]]:
    """What `pairwise` gives for rows (n, d) and others (k, d), in slices of the rows: (slice, float32 (block, k)).

    Never more than 16 MiB at once (or one row of k), so neither n x n nor n x k is held.
    """
    step = max(1, _BLOCK_CELLS // max(1, len(others)))
    for start in range(0, len(rows), step):
        part = slice(start, min(start + step, len(rows)))
        yield part, pairwise(rows[part], others)
