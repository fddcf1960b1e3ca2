"""Label-free uncertainty: what lies between two K-means clusters, as a stand-in for between two classes."""

import numpy as np

from seedqueue.selectors.clusters import kmeans_clusters
from seedqueue.selectors.coverage import gap_to
from seedqueue.selectors.pool import Pool
from seedqueue.selectors.registry import register
from seedqueue.selectors.selection import Selection
from seedqueue.selectors.weights import standing_for_nearest


@register(
    "pseudo-margin",
    representation="unit",
    title="Pseudo-margin",
    summary="Label-free uncertainty: in each K-means cluster the image that is nearest to being in another one.",
    offered=False,
)
def pseudo_margin(pool: Pool, budget: int, *, seed: int) -> Selection:
    """Choose from each cluster in turn, larger ones first, the row with the least margin to another cluster.

    pool.embeddings: float32 (n, d), of length 1. k = labelled + budget, as for `kmeans`. The margin is the difference
    of the distances to the second nearest and to the own centroid: the idea of hard-to-contrast data of CSVAL
    (Chen et al., "Making Your First Choice", 2210.02442), with K-means in place of a contrastive network.

    cluster: the position in the queue; weight: the unlabelled rows nearest to this one.
    """
    found = kmeans_clusters(pool.embeddings, min(len(pool.labelled) + budget, len(pool)), seed)
    own = np.sqrt(np.square(pool.embeddings - found.centroids[found.label]).sum(axis=1))
    other = np.empty(len(pool))
    for cluster in np.unique(found.label):
        members = found.label == cluster
        rest = np.delete(found.centroids, cluster, axis=0)
        other[members] = np.sqrt(gap_to(pool.embeddings[members], rest)) if len(rest) else np.inf
    order = np.lexsort((other - own, found.label))
    clusters = np.split(order, np.searchsorted(found.label[order], np.arange(1, found.k)))
    clusters = sorted((rows for rows in clusters if len(rows)), key=lambda rows: (-len(rows), int(rows[0])))
    chosen: list[int] = []
    while len(chosen) < budget:
        before = len(chosen)
        for rows in clusters:
            row = pool.allowance.first(rows) if len(chosen) < budget else None
            if row is not None:
                chosen.append(row)
        if len(chosen) == before:
            break
    return standing_for_nearest(pool, np.array(chosen, dtype=np.int64))
