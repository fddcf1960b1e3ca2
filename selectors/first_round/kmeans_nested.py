"""The cumulative queue that the authors of arXiv 2402.02561 published with their code."""

import numpy as np

from seedqueue.selectors.clusters import kmeans_clusters
from seedqueue.selectors.coverage import nearest_row
from seedqueue.selectors.pool import Pool
from seedqueue.selectors.registry import register
from seedqueue.selectors.selection import Selection
from seedqueue.selectors.weights import standing_for_nearest

# So many k in a row that add nothing end the queue: equal images have no more centroids.
_IDLE = 5


@register(
    "kmeans-nested",
    representation="standardised",
    title="K-means, nested",
    summary="The authors' published cumulative queue: the medoids for k = 2, 3, 4 ..., repeats dropped.",
    offered=False,
    greedy=True,
)
def kmeans_nested(pool: Pool, budget: int, *, seed: int) -> Selection:
    """Append the rows nearest to the centroids of K-means with k = 2, 3, 4 ... until the queue is long enough.

    pool.embeddings: float32 (n, d). As published: the nearest row of the whole pool, in the order of
    the clusters, each row once. Labelled rows are passed over. The paper stops at k = 50; here five k
    in a row that add nothing end it, and what is missing comes by coverage.

    cluster: the position in the queue; weight: the unlabelled rows nearest to this one. Time O(n k^2 d)
    for the k that is reached, memory O(n d).
    """
    rows: list[int] = []
    k, idle = min(2, len(pool)), 0
    while len(rows) < budget and k <= len(pool) and idle < _IDLE:
        found = kmeans_clusters(pool.embeddings, k, seed)
        proposed = nearest_row(pool.embeddings, found.centroids).tolist()
        new = [row for row in proposed if pool.allowance.take(row)]
        rows += new
        k, idle = k + 1, 0 if new else idle + 1
    return standing_for_nearest(pool, np.asarray(rows[:budget], dtype=np.int64))
