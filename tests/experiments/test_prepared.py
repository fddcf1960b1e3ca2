"""A labelled pool in its folder: what is written is read, and targets are those asked for."""

from __future__ import annotations

from pathlib import Path

import drawn_pools
import numpy as np
import pytest
from PIL import Image

from seedqueue.experiments.prepared import Target, mask_file, read_pool, slug, targets_of


def test_a_pool_comes_back_as_it_was_written(tmp_path: Path) -> None:
    vectors, _ = drawn_pools.cloud(30)
    truth = np.random.default_rng(0).random((30, 3)) < 0.4
    weak = np.random.default_rng(1).random((30, 2)) < 0.5
    written = drawn_pools.write_pool(
        tmp_path,
        {"imagenet:vgg11": vectors, "cloud": vectors * 2},
        truth,
        classes=("a", "b", "c"),
        groups=[row // 2 for row in range(30)],
        splits=["train", "test"] * 15,
        weak=weak,
        unreadable=(("broken.png", "no image"),),
    )
    pool = read_pool(tmp_path)
    assert pool.described == written.described
    assert len(pool) == 30
    assert pool.name == "drawn"
    assert pool.truth.tolist() == truth.tolist()
    assert pool.groups.tolist() == [row // 2 for row in range(30)]
    assert pool.described.unreadable == (("broken.png", "no image"),)
    assert pool.embeddings("imagenet:vgg11").tolist() == vectors.tolist()
    assert pool.embeddings("cloud").dtype == np.float32
    found = pool.weak_scores()
    assert found is not None
    assert found.tolist() == weak.tolist()
    assert [file.name for file in tmp_path.glob(".*")] == [], "nothing half written is left"


def test_without_weak_labels_there_are_none(tmp_path: Path) -> None:
    assert drawn_pools.cloud_pool(tmp_path).weak_scores() is None


def test_masks_and_inputs_are_read_image_by_image(tmp_path: Path) -> None:
    _, truth = drawn_pools.cloud(12)
    pool = drawn_pools.cloud_pool(tmp_path, 12, task="masks")
    drawn_pools.write_phantoms(tmp_path, truth, 32)
    assert pool.inputs(32).shape == (12, 3, 32, 32)
    assert isinstance(pool.inputs(32), np.memmap)
    assert np.isnan(pool.spacings).all()
    for row in range(12):
        mask = pool.mask(row)
        assert (mask.shape, mask.dtype) == ((32, 32), np.bool_)
        assert mask.any() == truth[row, 0]
        assert mask.sum() in (0, 64)
    with Image.open(mask_file(tmp_path, 0)) as opened:
        assert opened.mode == "1"


ONE_EACH = np.eye(3, dtype=np.bool_)[[0, 1, 2, 1]]


@pytest.mark.parametrize(
    ("positive", "task", "expected"),
    [
        (("b",), "classes", (Target("b", (1,), False),)),
        (("c", "a"), "classes", (Target("c", (2,), False), Target("a", (0,), False))),
        ((), "classes", (Target("all classes", (0, 1, 2), True),)),
        ((), "masks", (Target("a", (0,), False), Target("b", (1,), False), Target("c", (2,), False))),
    ],
)
def test_targets(positive: tuple[str, ...], task: str, expected: tuple[Target, ...]) -> None:
    assert targets_of(("a", "b", "c"), ONE_EACH, positive, task) == expected  # type: ignore[arg-type]


def test_images_with_several_or_no_classes_are_no_single_choice() -> None:
    none = ONE_EACH.copy()
    none[0] = False
    both = ONE_EACH.copy()
    both[0] = True
    for truth in (none, both):
        [target] = targets_of(("a", "b", "c"), truth, (), "classes")
        assert not target.single
    [only] = targets_of(("a",), ONE_EACH[:, :1], (), "classes")
    assert only == Target("a", (0,), False)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("imagenet:squeezenet1_1", "imagenet-squeezenet1_1"),
        ("hf:org/a.b+c", "hf-org-a.b+c"),
        ("a/../b", "a-..-b"),
        ("/", "x"),
        ("", "x"),
    ],
)
def test_a_name_of_a_file(text: str, expected: str) -> None:
    assert slug(text) == expected
