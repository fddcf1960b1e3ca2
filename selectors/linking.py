"""Rows linked to one another, directly or through others: near duplicates, images of one patient."""

from collections.abc import Iterable, Iterator

import numpy as np

from seedqueue.selectors.allowance import ROUNDING
from seedqueue.selectors.kernels import pair_blocks
from seedqueue.selectors.selection import Embeddings, Rows

Pairs = tuple[Rows, Rows]


def alike(unit: Embeddings, threshold: float) -> Iterator[Pairs]:
    """All pairs of unit vectors (n, d) whose cosine is at least the threshold, in parts. O(n^2 d) time, 16 MiB."""
    for part, cosine in pair_blocks(unit, unit):
        one, other = np.nonzero(cosine >= threshold - ROUNDING)
        yield one + part.start, other


def of_one_group(groups: Rows) -> Pairs:
    """Each row with the first of its group; groups: (n,), -1 for none."""
    rows = np.flatnonzero(groups >= 0)
    _, first, number = np.unique(groups[rows], return_index=True, return_inverse=True)
    return rows, rows[first[number]]


def linked(n: int, pairs: Iterable[Pairs]) -> Rows:
    """The group of each row, int64 (n,), where pairs come in parts: what is linked so far is kept as one link a row."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    everything = np.arange(n)
    label = everything
    for one, other in pairs:
        first = np.full(n, n)
        np.minimum.at(first, label, everything)
        links = np.concatenate([one, everything]), np.concatenate([other, first[label]])
        graph = coo_array((np.ones(len(links[0]), dtype=bool), links), shape=(n, n))
        label = connected_components(graph, directed=False)[1].astype(np.int64)
    return label
