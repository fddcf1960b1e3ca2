"""Density coverage: facility location in which an image in a dense part of the pool counts for more.

Weights of representativeness are old in active learning (information density: Settles & Craven, "An Analysis of Active
Learning Strategies for Sequence Labeling Tasks", EMNLP 2008); here they stand in the sum of facility location.
"""

import numpy as np
import numpy.typing as npt

from seedqueue.selectors.greedy import SUMMED_ROWS, drawn_rows, greedy_cover
from seedqueue.selectors.kernels import COSINE, pair_blocks
from seedqueue.selectors.pool import Pool
from seedqueue.selectors.registry import register
from seedqueue.selectors.selection import Embeddings, Selection
from seedqueue.selectors.weights import standing_for_nearest

# From 5 to 50 neighbours, and powers of the density up to 3, nothing stood out (docs/experiments/11-default.md).
NEIGHBOURS = 20

# What an image weighs at least, where one with 20 copies weighs 1: a pool of outliers alone is covered too.
_LEAST = 1e-3


@register(
    "density-coverage",
    representation="unit",
    title="Density coverage",
    summary=(
        "Facility location in which images that have many like them count for more, outliers for less. Slightly higher "
        "mean than facility location in our tests, not conclusive; extends cleanly. Lost to random on some targets."
    ),
    offered=True,
    greedy=True,
)
def density_coverage(pool: Pool, budget: int, *, seed: int) -> Selection:
    """Greedily maximise, with L the labelled rows and w_i the density around row i,

        f(S) = sum over the pool's rows i of w_i * max over j in S and L of cos(x_i, x_j).

    pool.embeddings: float32 (n, d), of length 1. The greedy choice reaches at least 1 - 1/e of the best f. Beyond
    10,000 rows f and the densities are estimated from 8,192 of them, drawn at random.

    cluster: the position in the queue; weight: the unlabelled rows nearest to this one. Time O(m n d) for m rows of
    the estimate, memory O(n + m d).
    """
    rows = greedy_cover(
        pool.embeddings,
        np.flatnonzero(pool.allowance.open),
        budget,
        covered=pool.labelled,
        take=pool.allowance.take,
        seed=seed,
        weights=_weights(COSINE.prepared(pool.embeddings), seed),
    )
    return standing_for_nearest(pool, rows)


def density(unit: Embeddings) -> npt.NDArray[np.float32]:
    """The mean cosine to the 20 nearest others (half of the rows at most), float32 (n,), nowhere below 0.001.

    unit: float32 (n, d), of length 1 or 0. O(n^2 d) time, 16 MiB.
    """
    count = min(NEIGHBOURS, len(unit) // 2)
    if count == 0:
        return np.ones(len(unit), dtype=np.float32)
    mean = np.empty(len(unit), dtype=np.float32)
    for part, cosine in pair_blocks(unit, unit):
        np.fill_diagonal(cosine[:, part], -1)  # a view: each row's cosine to itself
        mean[part] = np.partition(cosine, -count, axis=1)[:, -count:].mean(axis=1)
    return np.maximum(mean, np.float32(_LEAST))


def _weights(unit: Embeddings, seed: int) -> npt.NDArray[np.float32]:
    """(n,): of a large pool only the rows of a sample weigh anything, and f is summed over these."""
    summed = drawn_rows(np.arange(len(unit)), SUMMED_ROWS, seed)
    weights = np.zeros(len(unit), dtype=np.float32)
    weights[summed] = density(unit[summed])
    return weights
