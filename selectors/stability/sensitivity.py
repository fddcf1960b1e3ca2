"""What other budgets, fewer principal components and other numbers of clusters would give."""

from typing import Any

import numpy as np

from seedqueue.selectors.clusters import Clusters, kmeans_clusters
from seedqueue.selectors.kernels import squared_distances
from seedqueue.selectors.representation import components_for
from seedqueue.selectors.selection import Embeddings, Rows
from seedqueue.selectors.stability.ground import Ground
from seedqueue.selectors.stability.pool_figures import AtBudget, AtClusters, AtComponents, Sensitivity

COMPONENTS = (8, 16, 32, 64, 128)
_BUDGETS = (0.5, 1, 1.5, 2)
_RANDOMS = 10
_CLUSTER_NUMBERS = 6

# Rows among which the silhouette is computed: their distances take 16 MiB.
_SILHOUETTE_ROWS = 2_000


def sensitivity(part: Ground, selector: str, queue: Rows, budget: int, seed: int) -> Sensitivity:
    """queue: what the selector chose from the part. Coverage is always on unit vectors of all columns."""
    of = part.unit(part.unlabelled)
    return Sensitivity(
        budgets=tuple(_at_budget(part, selector, each, seed, of) for each in budgets(budget, part.available)),
        components=_at_components(part, selector, queue, seed, of),
        clusters=_at_clusters(part, budget, seed),
    )


def budgets(budget: int, available: int) -> list[int]:
    """Half, the budget, half more, twice: distinct, ascending, within what is available."""
    return sorted({min(max(1, round(share * budget)), available) for share in _BUDGETS})


def cluster_numbers(budget: int, rows: int) -> list[int]:
    """Some six numbers of clusters from 2 to twice the budget, evenly in ratio; fewer than the rows."""
    most = min(2 * budget, rows - 1)
    return sorted(set(np.geomspace(2, most, _CLUSTER_NUMBERS).round().astype(int).tolist())) if most >= 2 else []


def _at_budget(part: Ground, selector: str, budget: int, seed: int, of: Embeddings) -> AtBudget:
    ours = part.coverage(part.choose(selector, budget, seed).rows, of)[0]
    random = [part.coverage(part.choose("uniform", budget, seed + at).rows, of)[0] for at in range(1, _RANDOMS + 1)]
    return AtBudget(budget, ours, float(np.mean(random)))


def _at_components(part: Ground, selector: str, queue: Rows, seed: int, of: Embeddings) -> tuple[AtComponents, ...]:
    """Without the numbers that the part is too small for. queue: chosen by default, on all columns of a small part."""
    asked = [each for each in COMPONENTS if components_for(part.source.shape, each) is not None]
    found = [(each, part.choose(selector, len(queue), seed, each).rows) for each in asked]
    every = queue if part.components is None else part.choose(selector, len(queue), seed, 0).rows
    return tuple(AtComponents(each, part.coverage(rows, of)[0]) for each, rows in [*found, (None, every)])


def _at_clusters(part: Ground, budget: int, seed: int) -> tuple[AtClusters, ...]:
    """K-means on all rows of the part, labelled ones too; the silhouette among 2,000 of them at random."""
    unit = part.unit(np.arange(len(part)))
    rng = np.random.default_rng(seed)
    drawn = np.sort(rng.choice(len(unit), min(len(unit), _SILHOUETTE_ROWS), replace=False))
    distances = np.sqrt(squared_distances(unit[drawn], unit[drawn]))
    np.fill_diagonal(distances, 0)
    total = float(np.square(unit - unit.mean(axis=0), dtype=np.float64).sum())
    found = []
    for k in cluster_numbers(budget, len(unit)):
        clusters = kmeans_clusters(unit, k, seed)
        found.append(AtClusters(k, _silhouette(distances, clusters.label[drawn]), _within(unit, clusters, total)))
    return tuple(found)


def _within(unit: Embeddings, clusters: Clusters, total: float) -> float:
    """The share of the variance that is left within clusters, 0 to 1."""
    within = np.square(unit - clusters.centroids[clusters.label], dtype=np.float64).sum()
    return min(1.0, float(within) / total) if total > 0 else 0.0


def _silhouette(distances: Any, label: Rows) -> float | None:
    from sklearn.metrics import silhouette_score

    if not 2 <= len(np.unique(label)) < len(label):
        return None
    return float(silhouette_score(distances, label, metric="precomputed"))
