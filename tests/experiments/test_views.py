"""What units share of a split: the basis that changes no score, weak labels of the training part."""

from __future__ import annotations

from pathlib import Path

import drawn_pools
import numpy as np

from seedqueue.experiments.splits import Split
from seedqueue.experiments.views import View, view_of, weak_labels
from seedqueue.models.heads.linear import fit_linear


def wide(rows: int = 40, columns: int = 300) -> View:
    vectors = np.random.default_rng(0).normal(size=(rows, columns)).astype(np.float32)
    return View(Split(np.arange(25), np.arange(0), np.arange(25, rows)), vectors)


def test_a_head_in_the_basis_of_the_training_part_scores_alike() -> None:
    view = wide()
    assert view.features.shape == (40, 25)
    rows, truth = view.split.train[::2], (np.arange(13) % 3 == 0)[:, None]
    plain = fit_linear(view.embeddings[rows], truth, ("x",), "multi", view.scaler.mean, view.scaler.deviation, 0)
    zero, one = np.zeros(25), np.ones(25)
    based = fit_linear(view.features[rows], truth, ("x",), "multi", zero, one, 0)
    expected = plain.probabilities(view.embeddings)
    assert np.ptp(expected) > 0.1
    np.testing.assert_allclose(based.probabilities(view.features), expected, atol=1e-4)


def test_angles_are_those_of_the_embeddings() -> None:
    view = wide()
    unit = view.scaler.apply(view.train, "unit")
    np.testing.assert_allclose(view.unit @ view.unit.T, unit @ unit.T, atol=1e-5)


def test_the_scaler_and_the_basis_see_no_test_image() -> None:
    view = wide()
    changed = view.embeddings.copy()
    changed[view.split.test] += 100
    other = View(view.split, changed)
    np.testing.assert_array_equal(other.scaler.mean, view.scaler.mean)
    np.testing.assert_array_equal(other.unit, view.unit)


def test_yes_and_no_are_taken_as_they_are_and_scores_by_the_training_part() -> None:
    rare = np.zeros((100, 1), dtype=np.float32)
    rare[:5] = 1
    assert weak_labels(rare, np.arange(50)).sum() == 5
    scores = np.arange(100, dtype=np.float32)[:, None]
    train = np.arange(50)
    found = weak_labels(scores, train)
    assert np.flatnonzero(found[:, 0]).tolist() == [45, 46, 47, 48, 49]
    scores[50:] = 1000
    np.testing.assert_array_equal(weak_labels(scores, train), found)


def test_the_last_views_are_kept(tmp_path: Path) -> None:
    pool, grid = drawn_pools.cloud_pool(tmp_path), drawn_pools.grid()
    assert view_of(pool, "cloud", grid, 0) is view_of(pool, "cloud", grid, 0)
