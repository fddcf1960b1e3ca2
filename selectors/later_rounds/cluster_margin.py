"""Cluster-Margin, after Citovsky et al., "Batch Active Learning at Scale", 2107.14263."""

import numpy as np

from seedqueue.selectors.clusters import kmeans_clusters
from seedqueue.selectors.pool import Pool
from seedqueue.selectors.registry import register
from seedqueue.selectors.selection import Selection
from seedqueue.selectors.uncertainty import by_uncertainty, narrowness
from seedqueue.selectors.weights import standing_for_nearest


@register(
    "cluster-margin",
    representation="unit",
    title="Cluster-Margin",
    summary="The row of each K-means cluster that the head is least sure of.",
    offered=False,
    needs=("probabilities",),
)
def cluster_margin(pool: Pool, budget: int, *, seed: int) -> Selection:
    """From the smallest margin p_1 - p_2 on, take one row of every cluster that holds no labelled one.

    pool.embeddings: float32 (n, d), of length 1; pool.signals.probabilities: float (n, classes).
    K-means makes labelled + budget clusters. The paper clusters hierarchically and goes round the
    clusters from the smallest on; one row of each is METHODS.md's form. Ties: the lowest row.

    cluster: the K-means label; weight: the unlabelled rows nearest to this one. Time O(n k d) for
    each of K-means' iterations, memory O(n d).
    """
    assert pool.signals.probabilities is not None
    label = kmeans_clusters(pool.embeddings, min(len(pool.labelled) + budget, len(pool)), seed).label
    used = set(label[pool.labelled].tolist())
    rows: list[int] = []
    for row in by_uncertainty(narrowness(pool.signals.probabilities)).tolist():
        if len(rows) == budget:
            break
        if label[row] not in used and pool.allowance.take(row):
            used.add(int(label[row]))
            rows.append(row)
    chosen = standing_for_nearest(pool, np.asarray(rows, dtype=np.int64))
    return Selection(chosen.rows, label[chosen.rows], chosen.weight)
