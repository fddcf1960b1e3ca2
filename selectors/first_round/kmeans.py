"""K-means medoids, the default: Yuan & Hong, arXiv 2402.02561, on unit-length embeddings.

Unlike the published code the sample nearest to a centroid is sought within the centroid's own
cluster, so two centroids never share one.
"""

import numpy as np

from seedqueue.selectors.clusters import in_coverage_order, medoids
from seedqueue.selectors.pool import Pool
from seedqueue.selectors.registry import register
from seedqueue.selectors.selection import Selection


@register(
    "kmeans",
    representation="unit",
    title="K-means",
    summary=(
        "The default: the published idea, on unit-length embeddings. Lost to random on some targets in our tests."
    ),
    offered=True,
)
def kmeans(pool: Pool, budget: int, *, seed: int) -> Selection:
    """Choose the medoids of K-means clusters, in the order of greedy coverage.

    pool.embeddings: float32 (n, d), of length 1. k = labelled + budget; clusters that hold a
    labelled row are covered and give nothing. Of the others the `budget` largest give the row
    nearest to the centroid that may be chosen. The order is that of facility location among them,
    so that a prefix is a good smaller queue.

    cluster: the K-means label; weight: the size of the cluster.

    Time O(n k d) for each of K-means' iterations; memory O(n d) for scikit-learn's copy.
    """
    everything = np.arange(len(pool))
    return in_coverage_order(pool, medoids(pool, everything, pool.labelled, budget, seed), seed)
