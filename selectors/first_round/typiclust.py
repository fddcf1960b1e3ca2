"""TypiClust: Hacohen, Dekel & Weinshall, "Active Learning on a Budget", 2202.02794."""

import numpy as np

from seedqueue.selectors.clusters import kmeans_clusters
from seedqueue.selectors.pool import Pool
from seedqueue.selectors.registry import register
from seedqueue.selectors.selection import Embeddings, Rows, Selection

MOST_CLUSTERS = 500
NEIGHBOURS = 20


@register(
    "typiclust",
    representation="unit",
    title="TypiClust",
    summary="The most typical image of each cluster, uncovered and larger clusters first.",
    offered=True,
)
def typiclust(pool: Pool, budget: int, *, seed: int) -> Selection:
    """Take the most typical row of the cluster with the fewest labelled or chosen rows, the larger first.

    pool.embeddings: float32 (n, d), of length 1. K-means makes min(labelled + budget, 500) clusters.
    The typicality of a row is 1 / (mean Euclidean distance to its 20 nearest rows of the cluster, of
    half the cluster at most). Ties: the lowest row.

    cluster: the K-means label; weight: the size of the cluster, shared by the rows chosen from it.
    Time O(n k d) for each of K-means' iterations and O(s^2 d) for a cluster of s rows; memory O(n d).
    """
    k = min(len(pool.labelled) + budget, MOST_CLUSTERS, len(pool))
    found = kmeans_clusters(pool.embeddings, k, seed)
    members = [np.flatnonzero(found.label == cluster) for cluster in range(k)]
    used = np.bincount(found.label[pool.labelled], minlength=k)
    ranked: dict[int, Rows] = {}
    rows: list[int] = []
    cluster_of: list[int] = []
    exhausted = np.array([len(each) == 0 for each in members])
    while len(rows) < budget and not exhausted.all():
        order = sorted(np.flatnonzero(~exhausted).tolist(), key=lambda c: (used[c], -len(members[c]), members[c][0]))
        cluster = order[0]
        if cluster not in ranked:
            typical = typicality(pool.embeddings[members[cluster]])
            ranked[cluster] = members[cluster][np.argsort(-typical, kind="stable")]
        row = pool.allowance.first(ranked[cluster])
        if row is None:
            exhausted[cluster] = True
            continue
        used[cluster] += 1
        rows.append(row)
        cluster_of.append(cluster)
    clusters = np.asarray(cluster_of, dtype=np.int64)
    return Selection(np.asarray(rows, dtype=np.int64), clusters, _shares(members, pool.labelled, clusters))


def typicality(embeddings: Embeddings) -> Embeddings:
    """1 / (mean Euclidean distance to the nearest 20 rows, half of them at most), float32 (s,)."""
    count = min(NEIGHBOURS, len(embeddings) // 2)
    if count == 0:
        return np.ones(len(embeddings), dtype=np.float32)
    from sklearn.neighbors import NearestNeighbors

    distance, _ = NearestNeighbors(n_neighbors=count, algorithm="brute").fit(embeddings).kneighbors()
    with np.errstate(divide="ignore"):
        return np.asarray(1 / distance.mean(axis=1), dtype=np.float32)


def _shares(members: list[Rows], labelled: Rows, clusters: Rows) -> Rows:
    """Each chosen row's part of its cluster's unlabelled rows; the first ones have what is left over."""
    weight = np.empty(len(clusters), dtype=np.int64)
    for cluster in np.unique(clusters).tolist():
        chosen = np.flatnonzero(clusters == cluster)
        free = len(np.setdiff1d(members[cluster], labelled))
        weight[chosen] = free // len(chosen) + (np.arange(len(chosen)) < free % len(chosen))
    return weight
