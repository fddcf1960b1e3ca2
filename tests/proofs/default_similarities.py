"""How alike two images of the training part are, and how much each one counts, for default_candidates.py."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from default_pools import Floats, Split

Similarity = Callable[[Split], Floats]
Weight = Callable[[Split], Floats]


def cosine(split: Split) -> Floats:
    return split.cosine


def components(count: int) -> Similarity:
    def similarity(split: Split) -> Floats:
        view = split.view(count)
        return np.asarray(view @ view.T, dtype=np.float32)

    return similarity


def squared_components(count: int) -> Similarity:
    return lambda split: np.square(np.maximum(components(count)(split), 0))


def power(exponent: float) -> Similarity:
    return lambda split: np.asarray(np.maximum(split.cosine, 0) ** exponent, dtype=np.float32)


def distances(split: Split) -> Floats:
    return np.sqrt(np.maximum(2 - 2 * split.cosine, 0))


def gaussian_quantile(share: float) -> Similarity:
    """The bandwidth is that quantile of the distances between two images."""

    def similarity(split: Split) -> Floats:
        distance = distances(split)
        bandwidth = np.quantile(distance[np.triu_indices(len(distance), 1)], share)
        return np.asarray(np.exp(-np.square(distance / bandwidth)), dtype=np.float32)

    return similarity


def gaussian_local(split: Split) -> Floats:
    """Self-tuning: every image's bandwidth is the distance to its seventh neighbour (Zelnik-Manor & Perona 2004)."""
    distance = distances(split)
    own = np.sort(distance, axis=1)[:, 7]
    return np.asarray(np.exp(-np.square(distance) / np.outer(own, own)), dtype=np.float32)


def less_hubs(split: Split) -> Floats:
    """The cosine less half the candidate's mean cosine to its ten nearest (CSLS, Conneau et al. 2018)."""
    near = np.sort(split.cosine, axis=1)[:, -11:-1].mean(axis=1)
    return np.asarray(split.cosine - near / 2, dtype=np.float32)


def several_views(split: Split) -> Floats:
    """The mean cosine over 16, 32, 64 and 128 components and all columns."""
    return np.mean([components(count)(split) for count in (16, 32, 64, 128)] + [split.cosine], axis=0)


def embedders(*others: str) -> Similarity:
    """The mean cosine over embedders: the cosine of their unit vectors side by side."""

    def similarity(split: Split) -> Floats:
        views = [split.view(embedder=other) for other in others]
        return np.mean([split.cosine, *(view @ view.T for view in views)], axis=0)

    return similarity


def together(split: Split) -> Floats:
    """How often K-means puts two images into one cluster, over 24 runs of 10 to 100 clusters."""
    from sklearn.cluster import KMeans

    view, found = split.view(64), np.zeros((len(split), len(split)), dtype=np.float32)
    for run in range(24):
        k = int(np.linspace(10, 100, 24)[run])
        label = KMeans(k, n_init=1, max_iter=30, random_state=1000 * split.number + run).fit(view).labels_
        found += label[:, None] == label
    return found / 24


def diffused(split: Split) -> Floats:
    """Random walks with restart (0.1) on the graph of the ten nearest."""
    near = gaussian_local(split).astype(np.float64)
    np.fill_diagonal(near, 0)
    near[near < np.sort(near, axis=1)[:, -10][:, None]] = 0
    near = np.maximum(near, near.T)
    root = np.sqrt(near.sum(axis=1))
    walk = np.linalg.inv(np.eye(len(near)) - 0.9 * near / np.outer(root, root))
    scale = np.sqrt(np.diag(walk))
    return np.asarray(walk / np.outer(scale, scale), dtype=np.float32)


def density(exponent: float, nearest: int = 20) -> Weight:
    """Weights: the mean cosine to the nearest, to a power."""

    def weight(split: Split) -> Floats:
        near = np.sort(split.cosine, axis=1)[:, -nearest - 1 : -1].mean(axis=1)
        return np.asarray(np.maximum(near, 1e-3) ** exponent, dtype=np.float32)

    return weight


def density_rank(split: Split) -> Floats:
    """Weights from 0 to 1 by the place of an image among all by density."""
    place = np.argsort(np.argsort(density(1)(split)))
    return np.asarray(place / len(split), dtype=np.float32)
