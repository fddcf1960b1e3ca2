"""How many images of the pool each chosen one stands for, where a selector has no clusters of its own."""

import numpy as np

from seedqueue.selectors.coverage import nearest_of
from seedqueue.selectors.pool import Pool
from seedqueue.selectors.selection import Rows, Selection


def standing_for_nearest(pool: Pool, rows: Rows) -> Selection:
    """The rows as a selection in their order: each unlabelled row of the pool counts for the nearest one.

    cluster: the position in the queue; weight: the unlabelled rows that are nearest to this one, itself
    always; ties go to the earlier in the queue. O(n k d) time, O(n) memory.
    """
    budget = len(rows)
    unlabelled = np.ones(len(pool), dtype=bool)
    unlabelled[pool.labelled] = False
    nearest = nearest_of(pool.embeddings, pool.embeddings[rows]) if budget else np.zeros(len(pool), dtype=np.int64)
    nearest[rows] = np.arange(budget)  # a duplicate chosen earlier would be as near
    weight = np.bincount(nearest[unlabelled], minlength=budget)[:budget].astype(np.int64)
    return Selection(rows=rows.astype(np.int64), cluster=np.arange(budget, dtype=np.int64), weight=weight)
