"""Ward's hierarchical clustering: the paper's "K-means against hierarchical" (arXiv 2402.02561)."""

import numpy as np

from seedqueue.selectors.clusters import Clusters, in_coverage_order, means, medoids
from seedqueue.selectors.coverage import nearest_of
from seedqueue.selectors.pool import Pool
from seedqueue.selectors.registry import register
from seedqueue.selectors.selection import Embeddings, Selection

# Ward needs the distances of all pairs: 5,000 rows take 100 MB.
_MOST_ROWS = 5000


@register(
    "agglomerative",
    representation="unit",
    title="Ward's clusters",
    summary="Medoids of hierarchical clusters (Ward) in place of K-means': the paper's comparison.",
    offered=False,
)
def agglomerative(pool: Pool, budget: int, *, seed: int) -> Selection:
    """Choose the medoids of k = labelled + budget clusters of Ward's tree; otherwise as `kmeans`.

    pool.embeddings: float32 (n, d), of length 1. Ward (1963) joins the two clusters whose union
    adds least to the sum of squares. Of more than 5,000 rows (or k, whichever is more) a random
    part of that size makes the tree, and the others join the cluster whose mean is nearest.

    Time O(m^2 d) and memory O(m^2) for the m rows of the tree.
    """
    everything = np.arange(len(pool))
    return in_coverage_order(pool, medoids(pool, everything, pool.labelled, budget, seed, ward_clusters), seed)


def ward_clusters(embeddings: Embeddings, k: int, seed: int) -> Clusters:
    from sklearn.cluster import AgglomerativeClustering

    n = len(embeddings)
    most = max(_MOST_ROWS, k)
    drawn = np.arange(n) if n <= most else np.sort(np.random.default_rng(seed).choice(n, most, replace=False))
    tree = np.zeros(1, dtype=np.int64)
    if len(drawn) > 1:
        tree = AgglomerativeClustering(n_clusters=k, linkage="ward").fit_predict(embeddings[drawn]).astype(np.int64)
    centroids = means(embeddings[drawn], tree, k)
    label = tree if len(drawn) == n else nearest_of(embeddings, centroids)
    return Clusters(label, means(embeddings, label, k))
