"""The clustering behind the selectors: as good as scikit-learn's own on all columns."""

import numpy as np
import pytest
from sklearn.cluster import KMeans

from seedqueue.selectors.choosing import select
from seedqueue.selectors.clusters import Clusters, kmeans_clusters, means
from seedqueue.selectors.coverage import covered_by
from seedqueue.selectors.first_round import agglomerative
from seedqueue.selectors.representation import to_unit_length
from seedqueue.selectors.selection import Embeddings


def features(n: int, d: int) -> Embeddings:
    """Unit vectors like a network's: clusters in a decaying spectrum."""
    rng = np.random.default_rng(n + d)
    spectrum = 1 / np.sqrt(1 + np.arange(d))
    centres = rng.normal(size=(30, d)) * spectrum
    rows = centres[rng.integers(30, size=n)] + rng.normal(size=(n, d)) * spectrum
    return to_unit_length((rows - rows.mean(axis=0)).astype(np.float32))


def inertia(embeddings: Embeddings, found: Clusters) -> float:
    return float(np.square(embeddings - means(embeddings, found.label, found.k)[found.label]).sum())


@pytest.mark.parametrize("d", [20, 300])
def test_inertia_is_that_of_scikit_learn(d: int) -> None:
    embeddings = features(1500, d)
    ours = inertia(embeddings, kmeans_clusters(embeddings, 30, 0))
    theirs = KMeans(30, n_init=1, random_state=0).fit(embeddings).inertia_
    assert ours <= 1.005 * theirs


def test_a_large_pool_is_seeded_from_a_part_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seedqueue.selectors.clusters._LEAST_SEEDING_ROWS", 400)
    monkeypatch.setattr("seedqueue.selectors.clusters._SEEDING_ROWS", 4)
    embeddings = features(3000, 40)
    ours = inertia(embeddings, kmeans_clusters(embeddings, 20, 0))
    theirs = KMeans(20, n_init=1, random_state=0).fit(embeddings).inertia_
    assert ours <= 1.03 * theirs


def test_the_mean_of_each_cluster() -> None:
    points = np.array([[0, 2], [2, 4], [5, 5]], dtype=np.float32)
    assert means(points, np.array([2, 2, 0]), 3).tolist() == [[5, 5], [0, 0], [1, 3]]


def test_wards_tree_of_a_part_labels_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    places = np.eye(6, dtype=np.float32)[np.random.default_rng(0).integers(6, size=600)]
    monkeypatch.setattr(agglomerative, "_MOST_ROWS", 100)
    found = agglomerative.ward_clusters(places, 6, 0)
    pairs = set(zip(found.label.tolist(), places.argmax(axis=1).tolist(), strict=True))
    assert len(pairs) == 6


@pytest.mark.parametrize("name", ["kmeans", "facility-location", "maxherding", "agglomerative", "kmeans-paper"])
def test_a_prefix_covers_better_than_a_random_part_of_the_queue(name: str) -> None:
    rng, embeddings = np.random.default_rng(0), features(800, 32)
    queue = select(name, embeddings, 40).rows
    parts = [covered_by(embeddings, embeddings[rng.choice(queue, 10, replace=False)]).mean() for _ in range(40)]
    prefix = covered_by(embeddings, embeddings[queue[:10]]).mean()
    assert prefix > np.mean(parts) + np.std(parts)


def test_kmeans_is_extended_where_the_queue_does_not_cover() -> None:
    rng, embeddings = np.random.default_rng(0), features(800, 32)
    forty = select("kmeans", embeddings, 40).rows
    twenty = select("kmeans", embeddings, 20, labelled=forty).rows
    extended = covered_by(embeddings, embeddings[np.concatenate([forty, twenty])]).mean()
    others = np.setdiff1d(np.arange(800), forty)
    random = [
        covered_by(embeddings, embeddings[np.concatenate([forty, rng.choice(others, 20, replace=False)])]).mean()
        for _ in range(20)
    ]
    assert extended > np.mean(random) + 2 * np.std(random)
