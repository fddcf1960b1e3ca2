"""Uniform random choice: the reference for everything."""

import numpy as np

from seedqueue.selectors.coverage import nearest_of
from seedqueue.selectors.registry import register
from seedqueue.selectors.selection import Embeddings, Rows, Selection


@register(
    "uniform",
    representation="unit",
    title="Random",
    summary="Random without replacement: the reference for everything.",
    offered=True,
    greedy=True,
)
def uniform(embeddings: Embeddings, budget: int, *, labelled: Rows, seed: int) -> Selection:
    """Take the first unlabelled rows of one random order of the pool.

    embeddings: float32 (n, d), of length 1. The order depends on n and the random seed alone,
    so a longer queue begins with the shorter one, and extending a queue continues it.

    cluster: the position in the queue; weight: the unlabelled rows whose nearest chosen row by
    cosine this one is (itself always; ties go to the earlier in the queue). O(n budget d) time,
    O(n) memory.
    """
    order = np.random.default_rng(seed).permutation(len(embeddings))
    unlabelled = np.ones(len(embeddings), dtype=bool)
    unlabelled[labelled] = False
    rows = order[unlabelled[order]][:budget].astype(np.int64)
    nearest = nearest_of(embeddings, rows)
    nearest[rows] = np.arange(budget)  # a duplicate chosen earlier would be as near
    weight = np.bincount(nearest[unlabelled], minlength=budget).astype(np.int64)
    return Selection(rows=rows, cluster=np.arange(budget, dtype=np.int64), weight=weight)
