"""MaxHerding: Bae, Noh & Sutherland, "Generalized Coverage for More Robust Low-Budget Active Learning", 2407.12212."""

import numpy as np

from seedqueue.selectors.greedy import greedy_cover
from seedqueue.selectors.kernels import Gaussian
from seedqueue.selectors.pool import Pool
from seedqueue.selectors.registry import register
from seedqueue.selectors.selection import Selection
from seedqueue.selectors.weights import standing_for_nearest

# The paper's h for vectors of length 1, whose distances go from 0 to 2.
BANDWIDTH = 1.0


@register(
    "maxherding",
    representation="unit",
    title="MaxHerding",
    summary=(
        "Greedy coverage under a Gaussian kernel: what is far from everything counts for little. Close to facility "
        "location in our tests, not conclusive; extends cleanly."
    ),
    offered=True,
    greedy=True,
)
def maxherding(pool: Pool, budget: int, *, seed: int) -> Selection:
    """Greedily maximise, with L the labelled rows and h = 1,

        f(S) = sum over the pool's rows i of max over j in S and L of exp(-||x_i - x_j||^2 / h^2).

    pool.embeddings: float32 (n, d), of length 1. The labelled rows are the starting coverage. The
    greedy choice reaches at least 1 - 1/e of the best f. Beyond 10,000 rows f is estimated from 8,192.

    cluster: the position in the queue; weight: the unlabelled rows nearest to this one. Time O(m n d)
    for m rows of the estimate, memory O(n + m d).
    """
    rows = greedy_cover(
        pool.embeddings,
        np.flatnonzero(pool.allowance.open),
        budget,
        kernel=Gaussian(BANDWIDTH),
        covered=pool.labelled,
        take=pool.allowance.take,
        seed=seed,
    )
    return standing_for_nearest(pool, rows)
