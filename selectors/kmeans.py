"""K-means medoids, the default: Yuan & Hong, arXiv 2402.02561, on unit-length embeddings.

Unlike the published code the sample nearest to a centroid is sought within the centroid's own
cluster, so two centroids never share one.
"""

import warnings

import numpy as np

from seedqueue.selectors.coverage import coverage_order, covered_by
from seedqueue.selectors.registry import register
from seedqueue.selectors.selection import Embeddings, Rows, Selection


@register(
    "kmeans",
    representation="unit",
    title="K-means",
    summary=(
        "The default: the published idea, on unit-length embeddings. Lost to random on some targets in our tests."
    ),
    offered=True,
)
def kmeans(embeddings: Embeddings, budget: int, *, labelled: Rows, seed: int) -> Selection:
    """Choose the medoids of K-means clusters, in the order of greedy coverage.

    embeddings: float32 (n, d), of length 1. k = labelled + budget; clusters that hold a
    labelled row are covered and give nothing. Of the others the `budget` largest give their
    medoid, the row nearest to the centroid (ties: the lowest). Where fewer clusters are left,
    as with repeated images, the rows farthest from everything chosen or labelled fill up.

    cluster: the K-means label, or a new one for a filled-up row; weight: the size of the
    cluster, less what was taken from it to fill up.

    Time O(n k d) for each of K-means' iterations, memory O(n d) for scikit-learn's copy.
    """
    k = min(len(labelled) + budget, len(embeddings))
    label, centroids = _cluster(embeddings, k, seed)
    size = np.bincount(label, minlength=k)
    covered = np.zeros(k, dtype=bool)
    covered[label[labelled]] = True
    medoid = _medoids(embeddings, label, centroids)
    free = np.flatnonzero(~covered & (size > 0))
    # Largest first; the lowest medoid, not the cluster's number, breaks a tie.
    chosen = free[np.lexsort((medoid[free], -size[free]))][:budget]
    rows, cluster, weight = medoid[chosen], chosen.astype(np.int64), size[chosen].astype(np.int64)
    extra = _farthest(embeddings, rows, labelled, budget - len(rows))
    for row in extra:
        weight[cluster == label[row]] -= 1
    rows = np.concatenate([rows, extra])
    cluster = np.concatenate([cluster, k + np.arange(len(extra), dtype=np.int64)])
    weight = np.concatenate([weight, np.ones(len(extra), dtype=np.int64)])
    order = coverage_order(embeddings, rows, labelled)
    return Selection(rows=rows[order], cluster=cluster[order], weight=weight[order])


def _cluster(embeddings: Embeddings, k: int, seed: int) -> tuple[Rows, Embeddings]:
    """K-means: labels int64 (n,), centroids float32 (k, d); some of the k may stay empty."""
    # Imported here: listing the selectors for a menu must not wait for scikit-learn.
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning

    model = KMeans(n_clusters=k, init="k-means++", n_init=3, random_state=seed % 2**32)
    with warnings.catch_warnings():
        # Fewer distinct points than k is expected where images repeat: `kmeans` fills up.
        warnings.filterwarnings("ignore", "Number of distinct clusters", ConvergenceWarning)
        model.fit(embeddings)
    return model.labels_.astype(np.int64), model.cluster_centers_


def _medoids(embeddings: Embeddings, label: Rows, centroids: Embeddings) -> Rows:
    """The row nearest to each centroid within its own cluster, int64 (k,); -1 where empty."""
    distance = np.empty(len(embeddings), dtype=np.float32)
    for start in range(0, len(embeddings), 4096):
        part = slice(start, start + 4096)
        distance[part] = np.square(embeddings[part] - centroids[label[part]]).sum(axis=1)
    # By cluster, then distance, then row: the first of each cluster is its medoid.
    order = np.lexsort((distance, label))
    present, first = np.unique(label[order], return_index=True)
    medoid = np.full(len(centroids), -1, dtype=np.int64)
    medoid[present] = order[first]
    return medoid


def _farthest(embeddings: Embeddings, rows: Rows, labelled: Rows, count: int) -> Rows:
    """`count` more rows, each the least similar to everything taken so far; ties: the lowest."""
    taken = np.concatenate([rows, labelled])
    nearness = covered_by(embeddings, taken) if count else np.empty(0, dtype=np.float32)
    nearness[taken if count else []] = np.inf
    extra = np.empty(count, dtype=np.int64)
    for position in range(count):
        row = int(nearness.argmin())
        extra[position] = row
        np.maximum(nearness, embeddings @ embeddings[row], out=nearness)
        nearness[row] = np.inf
    return extra
