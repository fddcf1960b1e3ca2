"""Facts of K-means medoids on data whose answer is known."""

import numpy as np
import numpy.typing as npt
import pytest

from seedqueue.selectors.choosing import select
from seedqueue.selectors.clusters import Clusters, nearest_to_centroid
from seedqueue.selectors.coverage import covered_by
from seedqueue.selectors.greedy import coverage_order
from seedqueue.selectors.kernels import pair_blocks
from seedqueue.selectors.representation import to_unit_length

SIZES = (40, 25, 15, 10, 6)


def blobs() -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Five far-apart groups of known sizes in 5 dimensions, shuffled, and each row's group."""
    rng = np.random.default_rng(1)
    group = np.repeat(np.arange(len(SIZES)), SIZES)
    points = np.eye(5)[group] * 20 + rng.normal(size=(len(group), 5)) * 0.3
    order = rng.permutation(len(group))
    return points[order].astype(np.float32), group[order]


def test_it_finds_one_of_each_group_with_its_size() -> None:
    embeddings, group = blobs()
    selection = select("kmeans", embeddings, len(SIZES))
    assert sorted(group[selection.rows]) == [0, 1, 2, 3, 4]
    assert selection.weight.tolist() == [SIZES[each] for each in group[selection.rows]]


def test_shuffled_rows_give_the_same_images() -> None:
    embeddings, _ = blobs()
    order = np.random.default_rng(9).permutation(len(embeddings))
    chosen = select("kmeans", embeddings, len(SIZES)).rows
    shuffled = select("kmeans", embeddings[order], len(SIZES)).rows
    assert set(order[shuffled]) == set(chosen)


def test_what_is_labelled_is_covered_ground() -> None:
    embeddings, group = blobs()
    labelled = [int(np.flatnonzero(group == each)[2]) for each in (0, 2, 3)]
    selection = select("kmeans", embeddings, 2, labelled=labelled)
    assert sorted(group[selection.rows]) == [1, 4]


def test_larger_groups_come_before_smaller_ones_when_too_many_are_free() -> None:
    # All labels in one group: k = 3 + 2 finds the five groups, four of them free.
    embeddings, group = blobs()
    labelled = np.flatnonzero(group == 0)[:3]
    selection = select("kmeans", embeddings, 2, labelled=labelled)
    assert sorted(group[selection.rows]) == [1, 2]


def test_a_medoid_is_sought_within_its_cluster() -> None:
    # Row 2 is nearer to the first centroid than that cluster's own members, which counts for nothing.
    points = np.array([[-3], [3], [0], [5]], dtype=np.float32)
    found = Clusters(np.array([0, 0, 1, 1]), np.array([[0], [2.5], [9]], dtype=np.float32))
    # Ties: the lowest row first; an empty cluster: none.
    assert [rows.tolist() for rows in nearest_to_centroid(points, found)] == [[0, 1], [2, 3], []]


def test_repeated_images_are_filled_up_with_what_differs() -> None:
    # 30 copies of one image, four others: all five kinds must be in a queue of 7.
    kinds = np.repeat(np.arange(5), (30, 1, 1, 1, 1))
    selection = select("kmeans", np.eye(5)[kinds], 7)
    assert set(kinds[selection.rows]) == {0, 1, 2, 3, 4}
    assert selection.weight.sum() == 34


def test_the_order_is_the_greedy_one_of_facility_location() -> None:
    rng = np.random.default_rng(3)
    unit = rng.normal(size=(200, 5)).astype(np.float32)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    candidates = rng.permutation(200)[:30].astype(np.int64)
    for labelled in (np.empty(0, dtype=np.int64), np.array([1, 7, 8], dtype=np.int64)):
        order = coverage_order(unit, candidates, labelled, 0)
        similarity = (unit @ unit.T).astype(np.float64)
        best = similarity[:, labelled].max(axis=1) if len(labelled) else np.full(200, -1.0)
        expected = []
        for _ in candidates:
            gain = np.maximum(similarity[:, candidates] - best[:, None], 0).sum(axis=0)
            gain[expected] = -1
            expected.append(int(gain.argmax()))
            best = np.maximum(best, similarity[:, candidates[expected[-1]]])
        assert order.tolist() == expected


def test_ties_go_to_the_lowest_row() -> None:
    unit = np.eye(4, dtype=np.float32)
    none = np.empty(0, dtype=np.int64)
    assert coverage_order(unit, np.array([3, 1, 0, 2]), none, 0).tolist() == [2, 1, 3, 0]


def test_similarities_come_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seedqueue.selectors.kernels._BLOCK_CELLS", 10)
    unit = to_unit_length(np.random.default_rng(0).normal(size=(23, 4)).astype(np.float32))
    rows = np.array([3, 5, 7])
    assert max(block.size for _, block in pair_blocks(unit, unit[rows])) <= 10
    assert np.allclose(covered_by(unit, unit[rows]), (unit @ unit[rows].T).max(axis=1))


def test_uniform_covers_the_pool_evenly() -> None:
    counts = np.zeros(20)
    embeddings = np.random.default_rng(2).normal(size=(20, 2))
    for seed in range(400):
        counts[select("uniform", embeddings, 5, seed=seed).rows] += 1
    assert counts.sum() == 2000
    assert counts.min() > 60  # expected 100, deviation 8.7
    assert counts.max() < 140


def test_uniform_weights_are_the_nearest_chosen() -> None:
    embeddings, group = blobs()
    selection = select("uniform", embeddings, 30)
    assert selection.weight.sum() == sum(SIZES)
    for each in range(5):
        assert selection.weight[group[selection.rows] == each].sum() == SIZES[each]
