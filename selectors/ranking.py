"""Rows in the order of their uncertainty, and by coverage where that does not tell them apart.

A head that is sure of everything (probabilities of 0 and 1, early or late in training), scores of few digits and
images that nobody looked at make many rows equally uncertain. The lowest of them are the first by content hash, a
random draw; which of them covers most of the pool is known from the embeddings.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from seedqueue.selectors.greedy import Covering, Take
from seedqueue.selectors.pool import Pool
from seedqueue.selectors.selection import Rows, Selection
from seedqueue.selectors.uncertainty import levels
from seedqueue.selectors.weights import standing_for_nearest

Uncertainty = npt.NDArray[np.floating]


def most_uncertain(pool: Pool, uncertainty: Uncertainty, budget: int, seed: int) -> Selection:
    """The rows from the most uncertain on; ties as in `take_by_uncertainty`. uncertainty: (n,)."""
    rows = take_by_uncertainty(pool, uncertainty, budget, take=pool.allowance.take, seed=seed)
    return standing_for_nearest(pool, rows)


def take_by_uncertainty(pool: Pool, uncertainty: Uncertainty, count: int, *, take: Take, seed: int) -> Rows:
    """Take up to `count` of the open rows, the most uncertain first: int64, in order.

    uncertainty: (n,). Among rows of one level (`levels`) each is the one that adds most to the coverage of the pool
    by the labelled rows and those taken before it, as in facility location; the lowest row where they add the same.
    A row that `take` refuses is passed over. A prefix is the smaller queue.

    The ties take facility location's time and memory for as many candidates; without any O(n (log n + d)) and O(n d).
    """
    covering = Covering(pool.embeddings, pool.labelled, seed)
    chosen: list[int] = []
    for tied in _by_level(levels(uncertainty), np.flatnonzero(pool.allowance.open)):
        missing = count - len(chosen)
        if missing == 0:
            break
        if len(tied) > 1:
            chosen += covering.take_best(tied[pool.allowance.open[tied]], missing, take).tolist()
        elif take(row := int(tied[0])):
            covering.add(row)
            chosen.append(row)
    return np.asarray(chosen, dtype=np.int64)


def _by_level(level: npt.NDArray[np.float64], rows: Rows) -> Iterator[Rows]:
    """The rows of each level, ascending; the highest level first."""
    ranked = rows[np.argsort(-level[rows], kind="stable")]
    ends = np.flatnonzero(np.diff(level[ranked])) + 1
    start = 0
    for end in [*ends.tolist(), len(ranked)]:
        if end > start:
            yield ranked[start:end]
        start = end
