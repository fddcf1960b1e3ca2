"""Uniform random choice: the reference for everything."""

import numpy as np

from seedqueue.selectors.pool import Pool
from seedqueue.selectors.registry import register
from seedqueue.selectors.selection import Selection
from seedqueue.selectors.weights import standing_for_nearest


@register(
    "uniform",
    representation="unit",
    title="Random",
    summary="Random without replacement: the reference for everything.",
    offered=True,
    greedy=True,
)
def uniform(pool: Pool, budget: int, *, seed: int) -> Selection:
    """Take the first rows that may be chosen of one random order of the pool.

    The order depends on n and the random seed alone, so a longer queue begins with the shorter one,
    and extending a queue continues it.

    cluster: the position in the queue; weight: the unlabelled rows nearest to this one. O(n budget d)
    time for the weights, O(n) memory.
    """
    rows: list[int] = []
    for row in np.random.default_rng(seed).permutation(len(pool)).tolist():
        if len(rows) == budget:
            break
        if pool.allowance.take(row):
            rows.append(row)
    return standing_for_nearest(pool, np.asarray(rows, dtype=np.int64))
