"""The contestants of `seedqueue bench select`: our selectors and clusterings, and their peers'.

Each is called with a matrix (n, d), a budget k and a random seed. The selectors get the embeddings as
they come; the others the unit vectors that our selectors make of them.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

import numpy as np

from seedqueue.selectors.choosing import select
from seedqueue.selectors.clusters import kmeans_clusters, means
from seedqueue.selectors.representation import COMPONENTS, principal_components, to_unit_length
from seedqueue.selectors.selection import Embeddings, Rows
from seedqueue.selectors.signals import Signals

# How common the findings of the drawn weak labels are.
_PREVALENCE = (0.3, 0.1, 0.05, 0.02, 0.01)

# As ours has it: the number of pseudo-labels, the neighbours, and 1 / h^2.
_PSEUDO_LABELS, _NEIGHBOURS, _GAMMA = 20, 20, 1.0


@dataclass(frozen=True, eq=False)
class Outcome:
    """Rows int64 (k,), or centroids float32 (k, d)."""

    rows: Rows | None = None
    centroids: Embeddings | None = None


Chooser = Callable[[Embeddings, int, int], Outcome]


def ours(name: str) -> Chooser:
    """All that `select` does: checks, representation, the choice, the order, the weights."""

    def choose(matrix: Embeddings, k: int, seed: int) -> Outcome:
        draw = np.random.default_rng(seed).random((len(matrix), len(_PREVALENCE)), dtype=np.float32)
        signals = Signals(weak_labels=draw < np.array(_PREVALENCE, dtype=np.float32))
        return Outcome(rows=select(name, matrix, k, seed=seed, signals=signals).rows)

    return choose


def our_clusters(unit: Embeddings, k: int, seed: int) -> Outcome:
    return Outcome(centroids=kmeans_clusters(unit, k, seed).centroids)


def our_clusters_reduced(unit: Embeddings, k: int, seed: int) -> Outcome:
    """On 64 principal components, as `select` does beyond 10,000 rows; the centroids are those of all columns."""
    drawn = unit[np.sort(np.random.default_rng(0).choice(len(unit), min(len(unit), 20_000), replace=False))]
    few = min(COMPONENTS, *unit.shape)
    reduced = to_unit_length(np.asarray(principal_components(drawn, few).transform(unit), dtype=np.float32))
    return Outcome(centroids=means(unit, kmeans_clusters(reduced, k, seed).label, k))


def sklearn_kmeans(unit: Embeddings, k: int, seed: int) -> Outcome:
    from sklearn.cluster import KMeans

    return Outcome(centroids=KMeans(k, random_state=seed).fit(unit).cluster_centers_)


def sklearn_minibatch(unit: Embeddings, k: int, seed: int) -> Outcome:
    from sklearn.cluster import MiniBatchKMeans

    return Outcome(centroids=MiniBatchKMeans(k, batch_size=4096, random_state=seed).fit(unit).cluster_centers_)


def faiss_kmeans(unit: Embeddings, k: int, seed: int) -> Outcome:
    model = import_module("faiss").Kmeans(unit.shape[1], k, niter=25, seed=seed + 1)
    model.train(unit)
    return Outcome(centroids=np.asarray(model.centroids, dtype=np.float32))


def activeml(name: str) -> Chooser:
    """scikit-activeml's query strategy of that name, on a pool without a label."""

    def choose(unit: Embeddings, k: int, seed: int) -> Outcome:
        pool = import_module("skactiveml.pool")  # it has no types
        settings: dict[str, dict[str, object]] = {
            "TypiClust": {"k": _NEIGHBOURS},
            "ProbCover": {"n_classes": _PSEUDO_LABELS},
            "MaxHerding": {"metric_dict": {"gamma": _GAMMA}},
        }
        strategy = getattr(pool, name)(random_state=seed, **settings.get(name, {}))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # small clusters, impure balls: not our concern
            rows = strategy.query(unit, np.full(len(unit), np.nan), batch_size=k)
        return Outcome(rows=np.asarray(rows, dtype=np.int64))

    return choose


CLUSTERINGS: dict[str, Chooser] = {
    "ours": our_clusters,
    "ours, 64 components": our_clusters_reduced,
    "scikit-learn KMeans": sklearn_kmeans,
    "scikit-learn MiniBatchKMeans": sklearn_minibatch,
    "faiss Kmeans": faiss_kmeans,
}
ACTIVEML = ("CoreSet", "MaxHerding", "ProbCover", "TypiClust")


def chooser(kind: str, name: str) -> Chooser:
    """kind: select, clusters or activeml."""
    if kind == "clusters":
        return CLUSTERINGS[name]
    return activeml(name) if kind == "activeml" else ours(name)
