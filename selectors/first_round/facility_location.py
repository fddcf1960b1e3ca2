"""Facility location: the rows to which the pool as a whole is most similar."""

import numpy as np

from seedqueue.selectors.greedy import greedy_cover
from seedqueue.selectors.pool import Pool
from seedqueue.selectors.registry import register
from seedqueue.selectors.selection import Selection
from seedqueue.selectors.weights import standing_for_nearest


@register(
    "facility-location",
    representation="unit",
    title="Facility location",
    summary=(
        "Each image is the one that most increases the pool's similarity to the nearest chosen. Slightly higher mean "
        "in our tests, not conclusive; extends cleanly from 40 to 60. Lost to random on some targets."
    ),
    offered=True,
    greedy=True,
)
def facility_location(pool: Pool, budget: int, *, seed: int) -> Selection:
    """Greedily maximise, with L the labelled rows,

        f(S) = sum over the pool's rows i of max over j in S and L of cos(x_i, x_j).

    pool.embeddings: float32 (n, d), of length 1. The greedy choice reaches at least 1 - 1/e of the
    best f (Nemhauser, Wolsey & Fisher 1978; Krause & Golovin, "Submodular function maximization",
    2014). Lazy (Minoux 1978); beyond 10,000 rows f is estimated from 8,192 of them, drawn at random.

    cluster: the position in the queue; weight: the unlabelled rows nearest to this one. Time O(m n d)
    for m rows of the estimate, memory O(n + m d).
    """
    rows = greedy_cover(
        pool.embeddings,
        np.flatnonzero(pool.allowance.open),
        budget,
        covered=pool.labelled,
        take=pool.allowance.take,
        seed=seed,
    )
    return standing_for_nearest(pool, rows)
