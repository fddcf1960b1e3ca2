"""Training, validation and test part: whole groups, the same in every arm, or the table's own."""

from __future__ import annotations

from pathlib import Path

import drawn_pools
import numpy as np
import pytest

from seedqueue.experiments.errors import PoolUnusable
from seedqueue.experiments.measuring import Measuring
from seedqueue.experiments.prepared import PreparedPool
from seedqueue.experiments.splits import Split, crossing, has_own_split, split_of
from seedqueue.experiments.units import units_of

N = 120


@pytest.fixture
def pool(tmp_path: Path) -> PreparedPool:
    """40 patients of three images."""
    return drawn_pools.cloud_pool(tmp_path, N, groups=[row % 40 for row in range(N)])


def own(tmp_path: Path, sizes: dict[str, int]) -> PreparedPool:
    splits = [name for name, size in sizes.items() for _ in range(size)]
    return drawn_pools.cloud_pool(tmp_path, N, splits=splits)


def parts(split: Split) -> list[list[int]]:
    return [split.train.tolist(), split.validation.tolist(), split.test.tolist()]


@pytest.mark.parametrize("protocol", ["honest", "paper"])
def test_the_parts_are_the_pool_and_a_group_is_in_one_of_them(pool: PreparedPool, protocol: str) -> None:
    for repeat in range(20):
        found = parts(split_of(pool, drawn_pools.grid(protocol=protocol), repeat))
        assert sorted(row for part in found for row in part) == list(range(N))
        assert all(part == sorted(part) for part in found)
        groups = [set(pool.groups[part].tolist()) for part in found]
        assert sum(map(len, groups)) == 40
        assert bool(found[1]) == (protocol == "paper")


def test_shares_are_of_groups(pool: PreparedPool) -> None:
    split = split_of(pool, drawn_pools.grid(protocol="paper", held_out=0.25, validation=0.2), 0)
    assert [len(part) for part in parts(split)] == [72, 18, 30]


def test_the_protocol_paper_takes_its_validation_part_from_training_alone(pool: PreparedPool) -> None:
    for repeat in range(5):
        honest = split_of(pool, drawn_pools.grid(), repeat)
        paper = split_of(pool, drawn_pools.grid(protocol="paper"), repeat)
        assert paper.test.tolist() == honest.test.tolist()
        assert sorted([*paper.train, *paper.validation]) == honest.train.tolist()


def test_a_repeat_has_one_split_in_every_arm(pool: PreparedPool) -> None:
    grid = drawn_pools.grid(selectors=("uniform", "kmeans", "facility-location:pool=50"), repeats=3)
    seen: dict[int, list[list[list[int]]]] = {}
    for unit in units_of(grid, [pool]):
        split = Measuring(grid, pool, unit, drawn_pools.MEANS).view.split
        seen.setdefault(unit.repeat, []).append(parts(split))
    assert len(seen) == 3
    for repeat, splits in seen.items():
        assert len(splits) == 4
        assert all(each == splits[0] for each in splits)
        assert splits[0] != seen[(repeat + 1) % 3][0]


def test_the_random_seed_draws_the_split_and_a_fixed_one_stays(pool: PreparedPool) -> None:
    grid = drawn_pools.grid()
    assert parts(split_of(pool, grid, 1)) == parts(split_of(pool, drawn_pools.grid(), 1))
    assert parts(split_of(pool, grid, 1)) != parts(split_of(pool, drawn_pools.grid(random_seed=1), 1))
    fixed = drawn_pools.grid(fixed_split=True, protocol="paper")
    assert parts(split_of(pool, fixed, 0)) == parts(split_of(pool, fixed, 1))


def test_the_tables_own_split_is_kept(tmp_path: Path) -> None:
    pool = own(tmp_path, {"train": 60, "test": 40, "": 20})
    assert has_own_split(pool)
    for repeat in range(3):
        split = split_of(pool, drawn_pools.grid(), repeat)
        assert parts(split) == [list(range(60)), [], list(range(60, 100))]


def test_the_tables_own_validation_part_is_training_in_the_protocol_honest_alone(tmp_path: Path) -> None:
    pool = own(tmp_path, {"train": 60, "val": 20, "test": 40})
    assert parts(split_of(pool, drawn_pools.grid(), 0)) == [list(range(80)), [], list(range(80, 120))]
    paper = split_of(pool, drawn_pools.grid(protocol="paper"), 0)
    assert parts(paper) == [list(range(60)), list(range(60, 80)), list(range(80, 120))]


def test_without_a_validation_part_of_its_own_one_is_drawn_from_training(tmp_path: Path) -> None:
    pool = own(tmp_path, {"train": 80, "test": 40})
    split = split_of(pool, drawn_pools.grid(protocol="paper"), 0)
    assert split.test.tolist() == list(range(80, 120))
    assert sorted([*split.train, *split.validation]) == list(range(80))
    assert len(split.validation) == 12


def test_half_a_split_is_none(tmp_path: Path) -> None:
    assert not has_own_split(own(tmp_path, {"train": 120}))


@pytest.mark.parametrize(
    ("positives", "reason"),
    [
        (range(30), "a test part has no images with 'lesion'"),
        (range(60, 120), "a training part has no images with 'lesion'"),
        (range(30, 120), "a test part has nothing but images with 'lesion'"),
    ],
)
def test_a_part_that_cannot_be_judged_is_told(positives: range, reason: str, tmp_path: Path) -> None:
    vectors, truth = drawn_pools.cloud(N)
    truth[:] = False
    truth[list(positives)] = True
    pool = drawn_pools.write_pool(tmp_path, {"cloud": vectors}, truth, splits=["train"] * 60 + ["test"] * 60)
    with pytest.raises(PoolUnusable) as caught:
        split_of(pool, drawn_pools.grid(), 0)
    assert reason in str(caught.value)
    assert "'drawn'" in str(caught.value)


def test_a_validation_part_without_positives_is_told(tmp_path: Path) -> None:
    vectors, truth = drawn_pools.cloud(N)
    truth[60:80] = False
    splits = ["train"] * 60 + ["val"] * 20 + ["test"] * 40
    pool = drawn_pools.write_pool(tmp_path, {"cloud": vectors}, truth, splits=splits)
    split_of(pool, drawn_pools.grid(), 0)
    with pytest.raises(PoolUnusable, match="a validation part has no images"):
        split_of(pool, drawn_pools.grid(protocol="paper"), 0)


def test_a_pool_of_one_patient_cannot_be_split(tmp_path: Path) -> None:
    pool = drawn_pools.cloud_pool(tmp_path, N, groups=[7] * N)
    with pytest.raises(PoolUnusable, match="all its images are of one group"):
        split_of(pool, drawn_pools.grid(), 0)


def test_what_exceeds_the_training_part_is_told_before_anything_is_measured(pool: PreparedPool) -> None:
    size = len(split_of(pool, drawn_pools.grid(), 0).train)
    split_of(pool, drawn_pools.grid(budgets=(size,)), 0)
    with pytest.raises(PoolUnusable, match=f"a budget of {size + 1} exceeds the {size} images of its training part"):
        split_of(pool, drawn_pools.grid(budgets=(10, size + 1)), 0)
    with pytest.raises(PoolUnusable, match="kmeans:pool=100 draws 100 images"):
        split_of(pool, drawn_pools.grid(selectors=("kmeans:pool=100",)), 0)
    with pytest.raises(PoolUnusable, match="kmeans:pool=15 draws 15 images, for a budget of 20"):
        split_of(pool, drawn_pools.grid(selectors=("kmeans:pool=15",)), 0)


def test_a_mask_pool_may_hold_nothing_but_targets(tmp_path: Path) -> None:
    vectors, truth = drawn_pools.cloud(N)
    truth[:] = True
    pool = drawn_pools.write_pool(tmp_path, {"cloud": vectors}, truth, task="masks")
    assert np.intersect1d(*parts(split_of(pool, drawn_pools.grid(), 0))[::2]).size == 0


def test_an_own_split_is_one_for_all_repeats_and_its_crossing_groups_are_counted(tmp_path: Path) -> None:
    pool = own(tmp_path, {"train": 80, "test": 40})
    grid = drawn_pools.grid(protocol="paper")
    assert parts(split_of(pool, grid, 0)) == parts(split_of(pool, grid, 1))
    assert crossing(pool) == 0
    splits = ["train"] * 80 + ["test"] * 40
    shared = drawn_pools.cloud_pool(tmp_path, N, splits=splits, groups=[row % 40 for row in range(N)])
    assert crossing(shared) == 40
