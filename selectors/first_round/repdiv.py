"""RepDiv: representative first, diverse last, as compared in MedCAL-Bench, 2508.03441."""

import math

import numpy as np

from seedqueue.selectors.greedy import farthest_first, greedy_cover
from seedqueue.selectors.pool import Pool
from seedqueue.selectors.registry import register
from seedqueue.selectors.selection import Selection
from seedqueue.selectors.weights import standing_for_nearest

# Of the budget; the rest goes to what is farthest.
REPRESENTATIVE = 0.7


@register(
    "repdiv",
    representation="unit",
    title="RepDiv",
    summary=(
        "70 % by facility location, then 30 % by what is farthest from the chosen: odd images come into the queue. "
        "Between K-means and facility location in our tests, not conclusive."
    ),
    offered=True,
)
def repdiv(pool: Pool, budget: int, *, seed: int) -> Selection:
    """Take ceil(0.7 budget) rows by facility location, the others by the largest minimum distance to the chosen.

    pool.embeddings: float32 (n, d), of length 1; among these the largest Euclidean distance is the
    lowest cosine.

    cluster: the position in the queue; weight: the unlabelled rows nearest to this one. Time and
    memory as for facility location.
    """
    representative = greedy_cover(
        pool.embeddings,
        np.flatnonzero(pool.allowance.open),
        math.ceil(REPRESENTATIVE * budget),
        covered=pool.labelled,
        take=pool.allowance.take,
        seed=seed,
    )
    covered = np.concatenate([pool.labelled, representative])
    diverse = farthest_first(pool.embeddings, covered, budget - len(representative), pool.allowance.take)
    return standing_for_nearest(pool, np.concatenate([representative, diverse]))
