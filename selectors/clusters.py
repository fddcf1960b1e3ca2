"""K-means for selectors, and the representatives of its clusters.

scikit-learn does the numeric work. What makes it three times as fast as its default at no more
inertia (docs/performance.md): k-means++ and most iterations run on principal components, the last
few on all columns.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from seedqueue.selectors.allowance import Allowance
from seedqueue.selectors.greedy import coverage_order
from seedqueue.selectors.pool import Pool
from seedqueue.selectors.representation import principal_components
from seedqueue.selectors.selection import Embeddings, Rows, Selection

# Columns beyond which k-means++ runs on so many principal components.
_SEEDING_COMPONENTS = 128

# Iterations on all columns and rows after those on the components or on a part of the rows.
_LAST_ITERATIONS = 3

# K-means++ starts several times where that costs little, in rows times clusters.
_STARTS, _CHEAP = 3, 500_000

# Rows for each cluster that k-means++ and the first iterations see of a large pool.
_SEEDING_ROWS, _LEAST_SEEDING_ROWS = 64, 50_000


@dataclass(frozen=True, eq=False)
class Clusters:
    """label: int64 (n,), the cluster of each row. centroids: float32 (k, d), their means. Some may be empty."""

    label: Rows
    centroids: Embeddings

    @property
    def k(self) -> int:
        return len(self.centroids)


Clusterer = Callable[[Embeddings, int, int], Clusters]


def kmeans_clusters(embeddings: Embeddings, k: int, seed: int) -> Clusters:
    """K-means (Lloyd) from k-means++ (Arthur & Vassilvitskii 2007).

    embeddings: float32 (n, d); 1 <= k <= n. Beyond 128 columns the start is found on 128 principal
    components, and beyond 50,000 rows (or 64 a cluster, whichever is more) on as many random rows;
    three iterations on everything follow.

    O(n k d) for each iteration on everything; memory: the components and scikit-learn's copy of
    the embeddings.
    """
    n, d = embeddings.shape
    rng = np.random.default_rng(seed)
    limit = max(_LEAST_SEEDING_ROWS, _SEEDING_ROWS * k)
    drawn = embeddings if n <= limit else embeddings[np.sort(rng.choice(n, limit, replace=False))]
    small = drawn
    if d > _SEEDING_COMPONENTS and len(drawn) > _SEEDING_COMPONENTS:
        small = principal_components(drawn, _SEEDING_COMPONENTS).transform(drawn)
    starts = _STARTS if len(drawn) * k <= _CHEAP else 1
    model = _fit(small, k, "k-means++", starts, 300, int(rng.integers(2**32)))
    if small is not embeddings:
        centroids = means(drawn, model.labels_, k)
        model = _fit(embeddings, k, centroids, 1, _LAST_ITERATIONS, 0)
    return Clusters(model.labels_.astype(np.int64), model.cluster_centers_)


def means(embeddings: Embeddings, label: Rows, k: int) -> Embeddings:
    """The mean of each cluster's rows, float32 (k, d); zeros for an empty one."""
    from scipy.sparse import csr_array

    n = len(embeddings)
    member = csr_array((np.ones(n, dtype=np.float32), (label, np.arange(n))), shape=(k, n))
    size = np.maximum(np.bincount(label, minlength=k), 1)
    return np.asarray((member @ embeddings) / size[:, None], dtype=np.float32)


def medoids(
    pool: Pool, members: Rows, labelled: Rows, count: int, seed: int, clusterer: Clusterer = kmeans_clusters
) -> Selection:
    """Up to `count` medoids of some rows' clusters that hold no labelled row, the larger clusters' first.

    members: rows of the pool, sorted. labelled: those among them that are labelled. k = labelled +
    count. A medoid is the row nearest to the centroid within its own cluster (ties: the lowest)
    that may be chosen; a cluster without one gives nothing.
    """
    embeddings = pool.embeddings if len(members) == len(pool) else pool.embeddings[members]
    k = min(len(labelled) + count, len(members))
    found = clusterer(embeddings, k, seed)
    size = np.bincount(found.label, minlength=found.k)
    covered = np.zeros(found.k, dtype=bool)
    covered[found.label[np.searchsorted(members, labelled)]] = True
    by_distance = nearest_to_centroid(embeddings, found)
    free = np.flatnonzero(~covered & (size > 0)).tolist()
    # Largest first; the lowest medoid, not the cluster's number, breaks a tie.
    free.sort(key=lambda cluster: (-size[cluster], by_distance[cluster][0]))
    chosen = _first_of_each(pool.allowance, [(cluster, members[by_distance[cluster]]) for cluster in free], count)
    clusters = np.array([cluster for cluster, _ in chosen], dtype=np.int64)
    rows = np.array([row for _, row in chosen], dtype=np.int64)
    return Selection(rows=rows, cluster=clusters, weight=size[clusters].astype(np.int64))


def in_coverage_order(pool: Pool, selection: Selection, seed: int) -> Selection:
    """The same rows, ordered so that every prefix covers the pool well."""
    order = coverage_order(pool.embeddings, selection.rows, pool.labelled, seed)
    return Selection(rows=selection.rows[order], cluster=selection.cluster[order], weight=selection.weight[order])


def nearest_to_centroid(embeddings: Embeddings, found: Clusters) -> list[Rows]:
    """For each cluster its rows, nearest to the centroid first; ties: the lowest row."""
    distance = np.empty(len(embeddings), dtype=np.float32)
    for start in range(0, len(embeddings), 4096):
        part = slice(start, start + 4096)
        distance[part] = np.square(embeddings[part] - found.centroids[found.label[part]]).sum(axis=1)
    order = np.lexsort((distance, found.label))
    return np.split(order, np.searchsorted(found.label[order], np.arange(1, found.k)))


def _first_of_each(allowance: Allowance, proposals: list[tuple[int, Rows]], count: int) -> list[tuple[int, int]]:
    chosen: list[tuple[int, int]] = []
    for cluster, rows in proposals:
        if len(chosen) == count:
            break
        row = allowance.first(rows)
        if row is not None:
            chosen.append((cluster, row))
    return chosen


def _fit(embeddings: Embeddings, k: int, init: Any, starts: int, iterations: int, seed: int) -> Any:
    # Imported here: listing the selectors for a menu must not wait for scikit-learn.
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning

    model = KMeans(n_clusters=k, init=init, n_init=starts, max_iter=iterations, random_state=seed)
    with warnings.catch_warnings():
        # Fewer distinct points than k is expected where images repeat: other rows fill up.
        warnings.filterwarnings("ignore", "Number of distinct clusters", ConvergenceWarning)
        return model.fit(embeddings)
