"""Out-of-fold probabilities: no group on both sides, every class spread as evenly as its groups allow."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pytest

from seedqueue.models.heads.folds import fold_of_each, out_of_fold

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Seen:
    """A head that says whether it has seen a row: an embedding is its row's number."""

    rows: Rows

    def probabilities(self, embeddings: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        seen = np.isin(embeddings[:, 0], self.rows)
        return np.stack([seen, embeddings[:, 0]], axis=1).astype(np.float32)


def numbered(n: int) -> npt.NDArray[np.float32]:
    return np.arange(n, dtype=np.float32)[:, None]


def two_classes(positive: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    return np.stack([~positive, positive], axis=1)


def test_no_row_is_judged_by_a_head_that_saw_it_or_its_group() -> None:
    groups, trained = np.arange(40) // 3, []

    def fit(rows: Rows) -> Seen:
        trained.append(rows)
        return Seen(np.flatnonzero(np.isin(groups, groups[rows])))

    found = out_of_fold(fit, numbered(40), two_classes(np.arange(40) % 4 == 0), groups, folds=5, seed=0)
    assert found is not None
    assert found.dtype == np.float32
    assert not found[:, 0].any()
    assert found[:, 1].tolist() == list(range(40))
    assert len(trained) == 5
    assert all((np.diff(rows) > 0).all() for rows in trained)


def test_fewer_than_two_groups_have_no_answer() -> None:
    for groups in (np.zeros(6, dtype=np.int64), np.zeros(0, dtype=np.int64)):
        targets = two_classes(np.arange(len(groups)) % 2 == 0)
        assert out_of_fold(Seen, numbered(len(groups)), targets, groups) is None


def test_few_groups_are_as_many_folds() -> None:
    fold = fold_of_each(two_classes(np.arange(9) < 2), np.array([4, 4, 4, 7, 7, 7, 9, 9, 9]))
    assert fold is not None
    assert sorted(fold[::3].tolist()) == [0, 1, 2]


@pytest.mark.parametrize("positive", [1, 2, 3, 5, 7, 20])
def test_a_rare_class_is_spread_over_the_folds(positive: int) -> None:
    fold = fold_of_each(two_classes(np.arange(60) < positive), np.arange(60), folds=5, seed=1)
    assert fold is not None
    held, sizes = np.bincount(fold[:positive], minlength=5), np.bincount(fold)
    assert held.max() - held.min() <= 1
    assert sizes.max() - sizes.min() <= 1


def test_large_groups_do_not_draw_a_rare_class_away() -> None:
    # Ten groups with one positive row each, the first of them with 30 others.
    groups = np.concatenate([np.zeros(30, dtype=np.int64), np.arange(40)])
    positive = np.concatenate([np.zeros(30, dtype=bool), np.arange(40) < 10])
    fold = fold_of_each(two_classes(positive), groups, folds=5)
    assert fold is not None
    assert np.bincount(fold[positive]).tolist() == [2] * 5


def test_one_fold_is_refused() -> None:
    with pytest.raises(ValueError, match="1 folds leave nothing to train on"):
        fold_of_each(two_classes(np.arange(9) < 2), np.arange(9), folds=1)


def test_several_labels_an_image_are_each_spread() -> None:
    targets = np.random.default_rng(0).random((200, 4)) < np.array([0.05, 0.2, 0.5, 0.02])
    fold = fold_of_each(targets, np.arange(200), folds=5, seed=0)
    assert fold is not None
    held = np.stack([np.bincount(fold, weights=targets[:, label], minlength=5) for label in range(4)])
    assert (held.max(axis=1) - held.min(axis=1)).max() <= 4
    assert np.ptp(held[[0, 3]], axis=1).max() <= 1


def test_groups_of_very_different_sizes_leave_no_fold_empty() -> None:
    groups = np.repeat(np.arange(12), [30, 20, 10, 5, 3, 2, 1, 1, 1, 1, 1, 1])
    fold = fold_of_each(two_classes(groups % 3 == 0), groups, folds=5)
    assert fold is not None
    assert set(fold.tolist()) == set(range(5))
    for group in range(12):
        assert len(set(fold[groups == group].tolist())) == 1


def test_the_seed_decides_and_nothing_else() -> None:
    targets, groups = two_classes(np.arange(50) % 3 == 0), np.arange(50)
    first, again, other = (fold_of_each(targets, groups, seed=seed) for seed in (3, 3, 4))
    assert first is not None
    assert np.array_equal(first, again)  # type: ignore[arg-type]
    assert not np.array_equal(first, other)  # type: ignore[arg-type]
