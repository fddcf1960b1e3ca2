"""K-means on embeddings whose clusters are known."""

import numpy as np

from seedqueue.experiments.convergence import _in_their_span, converge


def test_clusters_far_apart_give_the_same_queue_at_once() -> None:
    rng = np.random.default_rng(0)
    points = np.repeat(np.eye(4) * 50, 30, axis=0) + rng.normal(size=(120, 4)) * 0.1
    found = converge("pool", "pixels", points.astype(np.float32), 4, seeds=6)
    assert [each.representation for each in found] == ["unit", "standardised"]
    for each in found:
        assert (each.pool, each.embedder, each.k, each.seeds) == ("pool", "pixels", 4, 6)
        assert each.overlap == 1
        assert each.inertia_spread < 1e-4
        assert each.iterations <= each.iterations_most <= 3


def test_noise_gives_another_queue_each_time() -> None:
    points = np.random.default_rng(1).normal(size=(300, 16)).astype(np.float32)
    for each in converge("pool", "pixels", points, 20, seeds=5):
        assert each.overlap < 0.5
        assert each.inertia_spread > 0
        assert each.iterations > 3
        assert each.iterations_sd > 0


def test_fewer_distinct_images_than_clusters() -> None:
    points = np.repeat(np.eye(3, dtype=np.float32), 5, axis=0)
    assert [each.overlap for each in converge("pool", "pixels", points, 6, seeds=3)] == [1, 1]


def test_the_same_again() -> None:
    points = np.random.default_rng(2).normal(size=(100, 8)).astype(np.float32)
    assert converge("pool", "pixels", points, 7, seeds=4) == converge("pool", "pixels", points, 7, seeds=4)


def test_wide_embeddings_converge_as_they_do_with_all_columns() -> None:
    narrow = np.random.default_rng(3).normal(size=(30, 12)).astype(np.float32)
    turned = np.linalg.qr(np.random.default_rng(4).normal(size=(90, 90)))[0][:12]
    wide = (narrow @ turned).astype(np.float32)
    near = np.linalg.norm(_in_their_span(wide)[:, None] - _in_their_span(wide)[None], axis=2)
    np.testing.assert_allclose(near, np.linalg.norm(narrow[:, None] - narrow[None], axis=2), atol=1e-4)
    assert _in_their_span(wide).shape == (30, 30)
    assert _in_their_span(narrow) is narrow
