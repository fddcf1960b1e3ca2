"""What some rows cover of the pool: each row's nearest among them, and how near it is."""

import numpy as np
import numpy.typing as npt

from seedqueue.selectors.kernels import COSINE, Kernel, pair_blocks, squared_distances
from seedqueue.selectors.selection import Embeddings, Rows

# Points compared at once with the whole pool.
_POINTS = 1024


def covered_by(embeddings: Embeddings, points: Embeddings, kernel: Kernel = COSINE) -> npt.NDArray[np.float32]:
    """Each row's kernel value with the nearest of `points` (k, d): float32 (n,); the kernel's least without points.

    Both prepared for the kernel.
    """
    best = np.full(len(embeddings), kernel.least, dtype=np.float32)
    for start in range(0, len(points), _POINTS):
        for part, values in pair_blocks(embeddings, points[start : start + _POINTS], kernel):
            best[part] = np.maximum(best[part], values.max(axis=1))
    return best


def gap_to(embeddings: Embeddings, points: Embeddings) -> npt.NDArray[np.float32]:
    """Each row's squared Euclidean distance to the nearest of `points` (k, d): float32 (n,), infinite without."""
    gap = np.full(len(embeddings), np.inf, dtype=np.float32)
    for start in range(0, len(points), _POINTS):
        for part, squared in pair_blocks(embeddings, points[start : start + _POINTS], squared_distances):
            gap[part] = np.minimum(gap[part], squared.min(axis=1))
    return gap


def nearest_of(embeddings: Embeddings, points: Embeddings) -> Rows:
    """The position in `points` (k, d) of each row's nearest in Euclidean distance, int64 (n,); ties: the first."""
    nearest = np.zeros(len(embeddings), dtype=np.int64)
    for part, squared in pair_blocks(embeddings, points, squared_distances):
        nearest[part] = squared.argmin(axis=1)
    return nearest


def nearest_row(embeddings: Embeddings, points: Embeddings) -> Rows:
    """For each of `points` (k, d) the nearest row by Euclidean distance, int64 (k,); ties: the lowest."""
    row, least = np.zeros(len(points), dtype=np.int64), np.full(len(points), np.inf, dtype=np.float32)
    for part, squared in pair_blocks(embeddings, points, squared_distances):
        nearer = squared.min(axis=0) < least
        row[nearer] = part.start + squared.argmin(axis=0)[nearer]
        least = np.minimum(least, squared.min(axis=0))
    return row
