"""How K-means itself behaves on an embedding: iterations, spread of the inertia, overlap of the queues."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from seedqueue.experiments.significance import jaccard
from seedqueue.selectors.clusters import Clusters, nearest_to_centroid
from seedqueue.selectors.representation import Representation, fit_scaler, represent
from seedqueue.selectors.selection import Embeddings
from seedqueue.selectors.source import Matrix

REPRESENTATIONS: tuple[Representation, ...] = ("unit", "standardised")
_MOST_ITERATIONS = 1000


@dataclass(frozen=True)
class Convergence:
    """Over `seeds` random seeds: iterations until nothing moves (mean, SD, most), SD of the inertia divided by its
    mean, mean Jaccard index of the medoids over pairs of random seeds.
    """

    pool: str
    embedder: str
    representation: str
    k: int
    seeds: int
    iterations: float
    iterations_sd: float
    iterations_most: int
    inertia_spread: float
    overlap: float


def converge(pool_name: str, embedder: str, embeddings: Embeddings, k: int, seeds: int = 20) -> list[Convergence]:
    """K-means (Lloyd, one k-means++ start, all columns) under each of REPRESENTATIONS.

    embeddings: float32 (n, d); 1 <= k <= n. The queue of a random seed: the medoid of each of its clusters.
    """
    source = Matrix(embeddings)
    scaler = fit_scaler(source)
    return [_measured(pool_name, embedder, name, represent(source, scaler, name), k, seeds) for name in REPRESENTATIONS]


def _measured(pool: str, embedder: str, name: str, points: Embeddings, k: int, seeds: int) -> Convergence:
    points = _in_their_span(points)
    runs = [_run(points, k, seed) for seed in range(seeds)]
    iterations = np.array([run[0] for run in runs], dtype=np.float64)
    inertia = np.array([run[1] for run in runs], dtype=np.float64)
    several = seeds > 1
    return Convergence(
        pool=pool,
        embedder=embedder,
        representation=name,
        k=k,
        seeds=seeds,
        iterations=float(iterations.mean()),
        iterations_sd=float(iterations.std(ddof=1)) if several else 0.0,
        iterations_most=int(iterations.max()),
        inertia_spread=float(inertia.std(ddof=1) / inertia.mean()) if several and inertia.mean() > 0 else 0.0,
        overlap=jaccard([run[2] for run in runs]),
    )


def _in_their_span(points: Embeddings) -> Embeddings:
    """Coordinates in a basis of the rows where these are few for the columns: all distances are the same."""
    if points.shape[1] <= 2 * len(points):
        return points
    triangle = np.asarray(np.linalg.qr(points.T, mode="r"), dtype=np.float32)
    return np.ascontiguousarray(triangle.T)


def _run(points: Embeddings, k: int, seed: int) -> tuple[int, float, frozenset[int]]:
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        # Fewer distinct images than clusters: some clusters stay empty, which is no fault of the run.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = KMeans(k, init="k-means++", n_init=1, max_iter=_MOST_ITERATIONS, tol=0, random_state=seed).fit(points)
    found = Clusters(model.labels_.astype(np.int64), model.cluster_centers_)
    queue = frozenset(int(rows[0]) for rows in nearest_to_centroid(points, found) if len(rows))
    return int(model.n_iter_), float(model.inertia_), queue
