"""The paper's recipe: Yuan & Hong, arXiv 2402.02561: K-means on standardised embeddings."""

import numpy as np

from seedqueue.selectors.clusters import in_coverage_order, medoids
from seedqueue.selectors.pool import Pool
from seedqueue.selectors.registry import register
from seedqueue.selectors.selection import Selection


@register(
    "kmeans-paper",
    representation="standardised",
    title="K-means as published",
    summary="The paper's recipe: K-means on standardised embeddings, their lengths as they are.",
    offered=False,
)
def kmeans_paper(pool: Pool, budget: int, *, seed: int) -> Selection:
    """Choose the medoids of k = labelled + budget clusters of standardised embeddings.

    pool.embeddings: float32 (n, d). As `kmeans` in all else: the medoid is sought within its
    cluster, where the published code takes the nearest of all rows, which two centroids may share.

    Time O(n k d) for each of K-means' iterations; memory O(n d).
    """
    return in_coverage_order(pool, medoids(pool, np.arange(len(pool)), pool.labelled, budget, seed), seed)
