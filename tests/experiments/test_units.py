"""The units of a grid, and what is kept of them: a killed run goes on, and nothing stale is taken for measured."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import drawn_pools
import numpy as np
import pytest

from seedqueue.experiments import units
from seedqueue.experiments.cells import Cell
from seedqueue.experiments.errors import InvalidGrid, PoolUnusable
from seedqueue.experiments.grid import Grid, PoolSpec
from seedqueue.experiments.kept import Kept
from seedqueue.experiments.prepared import PreparedPool, embeddings_file, read_pool, weak_scores_file, write_described
from seedqueue.experiments.units import Contexts, Finished, Unit, units_of


@pytest.fixture
def pool(tmp_path: Path) -> PreparedPool:
    vectors, truth = drawn_pools.cloud()
    return drawn_pools.write_pool(tmp_path / "pool", {"cloud": vectors, "other": vectors + 1}, truth)


@pytest.fixture
def finished(tmp_path: Path) -> Finished:
    (tmp_path / "cells").mkdir()
    return Finished(tmp_path / "cells")


def cell(unit: Unit, value: float = 0.5) -> Cell:
    return Cell(
        pool=unit.pool,
        target="lesion",
        embedder=unit.embedder,
        selector=unit.arm,
        head=unit.head,
        budget=unit.budgets[0],
        repeat=unit.repeat,
        draw=unit.draw,
        metrics={"auprc": value},
        seconds={"select": 0.0, "train": 0.0, "judge": 0.0},
        core_seconds=0.0,
        memory=1.0,
        rows=(1, 2),
    )


def missing(finished: Finished, grid: Grid, pool: PreparedPool) -> list[Unit]:
    contexts = Contexts(grid, [pool])
    return [unit for unit in units_of(grid, [pool]) if not finished.has(unit, contexts.of(unit))]


def measure_all(finished: Finished, grid: Grid, pool: PreparedPool) -> None:
    contexts = Contexts(grid, [pool])
    for unit in units_of(grid, [pool]):
        finished.keep(unit, contexts.of(unit), [cell(unit)])


def test_a_linear_unit_is_a_queue_with_all_its_budgets(pool: PreparedPool) -> None:
    found = units_of(drawn_pools.grid(draws=3), [pool])
    assert len(found) == 2 * (3 + 1)
    assert {unit.budgets for unit in found} == {(10, 20)}
    assert [(unit.arm, unit.draw) for unit in found if unit.repeat == 0] == [
        ("uniform", 0),
        ("uniform", 1),
        ("uniform", 2),
        ("kmeans", 0),
    ]
    assert [unit.repeat for unit in found] == sorted(unit.repeat for unit in found), "repeat by repeat"


def test_a_networks_random_queues_know_no_embedder_and_are_measured_once(pool: PreparedPool) -> None:
    grid = drawn_pools.grid(heads=("vgg11",), embedders=("cloud", "other"), draws=3)
    found = units_of(grid, [pool])
    assert len(found) == len(set(found)) == 2 * (2 * 3 + 2 * 2)
    assert {unit.embedder for unit in found if unit.arm == "uniform"} == {"-"}
    assert {unit.budgets for unit in found} == {(10,), (20,)}


def test_weak_labels_are_asked_only_where_there_are_any(pool: PreparedPool) -> None:
    grid = drawn_pools.grid(selectors=("uniform", "weak-label"))
    assert {unit.arm for unit in units_of(grid, [pool])} == {"uniform"}
    np.save(weak_scores_file(pool.folder), np.ones((len(pool), 2), dtype=np.bool_))
    assert {unit.arm for unit in units_of(grid, [pool])} == {"uniform", "weak-label"}


def test_a_head_and_a_pool_that_do_not_suit_are_told(pool: PreparedPool) -> None:
    with pytest.raises(PoolUnusable, match="'drawn': none of the heads unet-vgg11 is for classes"):
        units_of(drawn_pools.grid(heads=("unet-vgg11",)), [pool])
    with pytest.raises(InvalidGrid, match="head is 'unet-vgg11': it suits no pool"):
        units_of(drawn_pools.grid(heads=("linear", "unet-vgg11")), [pool])


def test_finished_units_are_skipped(pool: PreparedPool, finished: Finished) -> None:
    grid = drawn_pools.grid()
    contexts = Contexts(grid, [pool])
    first, *rest = missing(finished, grid, pool)
    finished.keep(first, contexts.of(first), [cell(first)])
    assert missing(finished, grid, pool) == rest
    assert finished.cells([first, *rest], contexts) == [cell(first)]


def test_a_larger_grid_keeps_what_is_measured(pool: PreparedPool, finished: Finished) -> None:
    measure_all(finished, drawn_pools.grid(), pool)
    for larger in (
        {"repeats": 3},
        {"draws": 3},
        {"selectors": ("uniform", "kmeans", "facility-location")},
        {"embedders": ("cloud", "other")},
    ):
        grid = drawn_pools.grid(**larger)
        left = missing(finished, grid, pool)
        assert left
        assert len(left) == len(units_of(grid, [pool])) - 6, larger


def test_words_of_the_report_measure_nothing_anew(pool: PreparedPool, finished: Finished) -> None:
    measure_all(finished, drawn_pools.grid(), pool)
    told = {"title": "Other", "question": "Why?", "saving_at": 10, "metrics": ("auroc",), "convergence": True}
    assert missing(finished, drawn_pools.grid(**told), pool) == []


@pytest.mark.parametrize(
    "changed",
    [
        {"protocol": "paper"},
        {"held_out": 0.4},
        {"validation": 0.3},
        {"features": "other"},
        {"fixed_split": True},
        {"random_seed": 1},
        {"side": 64},
        {"epochs": 2},
        {"random_weights": True},
    ],
)
def test_another_protocol_is_measured_anew(changed: dict[str, object], pool: PreparedPool, finished: Finished) -> None:
    measure_all(finished, drawn_pools.grid(), pool)
    grid = drawn_pools.grid(**changed)
    assert missing(finished, grid, pool) == units_of(grid, [pool])


def changed_pools(pool: PreparedPool) -> Iterator[tuple[str, PreparedPool]]:
    """The pool with one thing changed at a time, told in a word."""
    told = pool.described
    groups = (told.groups[1], *told.groups[1:])
    splits = ("train", *told.splits[1:])
    flipped = ((() if told.has[0] else (0,)), *told.has[1:])
    for word, change in (
        ("content", {"content": "1"}),
        ("labels", {"has": flipped}),
        ("groups", {"groups": groups}),
        ("splits", {"splits": splits}),
    ):
        write_described(pool.folder, replace(told, **change))
        yield word, read_pool(pool.folder)
    write_described(pool.folder, told)
    file = embeddings_file(pool.folder, "cloud")
    np.save(file, np.load(file) * 2)
    yield "embeddings", read_pool(pool.folder)


def test_weak_labels_count_for_the_arms_that_need_them(pool: PreparedPool, finished: Finished) -> None:
    grid = drawn_pools.grid(selectors=("uniform", "weak-label"))
    np.save(weak_scores_file(pool.folder), np.eye(len(pool), 2, dtype=np.float32))
    for unit in units_of(grid, [pool]):
        finished.keep(unit, Contexts(grid, [pool]).of(unit), [])
    np.save(weak_scores_file(pool.folder), np.ones((len(pool), 2), dtype=np.float32))
    assert {unit.arm for unit in missing(finished, grid, pool)} == {"weak-label"}


def test_masks_count(pool: PreparedPool, finished: Finished) -> None:
    grid = drawn_pools.grid()
    for unit in units_of(grid, [pool]):
        finished.keep(unit, Contexts(grid, [pool]).of(unit), [])
    write_described(pool.folder, replace(pool.described, masks="drawn anew"))
    assert missing(finished, grid, read_pool(pool.folder)) == units_of(grid, [pool])


def test_another_content_of_the_pool_is_measured_anew(pool: PreparedPool, finished: Finished) -> None:
    grid = drawn_pools.grid()
    measure_all(finished, grid, pool)
    words = []
    for word, changed in changed_pools(pool):
        assert missing(finished, grid, changed) == units_of(grid, [changed]), word
        words.append(word)
    assert len(words) == 5


def test_other_embedders_of_a_pool_change_nothing(pool: PreparedPool, finished: Finished) -> None:
    grid = drawn_pools.grid()
    measure_all(finished, grid, pool)
    np.save(embeddings_file(pool.folder, "other"), np.zeros((len(pool), 2)))
    assert missing(finished, grid, read_pool(pool.folder)) == []


def test_images_that_could_not_be_read_change_nothing(pool: PreparedPool, finished: Finished) -> None:
    measure_all(finished, drawn_pools.grid(), pool)
    write_described(pool.folder, replace(pool.described, unreadable=(("x.png", "broken"),)))
    assert missing(finished, drawn_pools.grid(), read_pool(pool.folder)) == []


def test_cells_of_another_format_are_not_taken(
    pool: PreparedPool, finished: Finished, monkeypatch: pytest.MonkeyPatch
) -> None:
    measure_all(finished, drawn_pools.grid(), pool)
    monkeypatch.setattr(units, "FORMAT", units.FORMAT + 1)
    assert len(missing(finished, drawn_pools.grid(), pool)) == 6


def test_a_unit_that_breaks_off_leaves_nothing(pool: PreparedPool, finished: Finished) -> None:
    grid = drawn_pools.grid()
    unit = units_of(grid, [pool])[0]
    context = Contexts(grid, [pool]).of(unit)

    def broken() -> Iterator[Cell]:
        yield cell(unit)
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        finished.keep(unit, context, broken())
    assert not finished.has(unit, context)


def test_a_half_written_file_is_not_taken(
    pool: PreparedPool, finished: Finished, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if the process were killed between the writing and the renaming."""
    grid = drawn_pools.grid()
    unit = units_of(grid, [pool])[0]
    contexts = Contexts(grid, [pool])

    def killed(part: Path, target: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            finished.keep(unit, contexts.of(unit), [cell(unit)])
    assert [file.suffix for file in finished.folder.iterdir()] == [".part"]
    assert not finished.has(unit, contexts.of(unit))
    assert finished.cells([unit], contexts) == []
    finished.keep(unit, contexts.of(unit), [cell(unit)])
    assert finished.cells([unit], contexts) == [cell(unit)]


def test_a_failure_is_told_until_it_is_forgotten(pool: PreparedPool, finished: Finished) -> None:
    grid = drawn_pools.grid()
    contexts = Contexts(grid, [pool])
    first, second, *_ = units_of(grid, [pool])
    assert finished.failure(first, contexts.of(first)) is None
    finished.fail(first, contexts.of(first), "too small")
    finished.fail(second, contexts.of(second), "too large")
    assert not finished.has(first, contexts.of(first))
    finished.forget_failure(first, contexts.of(first))
    finished.forget_failure(first, contexts.of(first))
    assert finished.failure(first, contexts.of(first)) is None
    assert finished.failure(second, contexts.of(second)) == "too large"


def test_grids_and_pools_of_a_work_folder_come_back(tmp_path: Path) -> None:
    kept = Kept(tmp_path / "work")
    kept.make()
    kept.make()
    grid = drawn_pools.grid(title="Mine")
    kept.keep("abc", grid)
    kept.keep("other", drawn_pools.grid())
    assert kept.grid("abc").title == "Mine"
    drawn_pools.cloud_pool(kept.pool_folder(grid.pools[0], grid))
    assert [pool.name for pool in kept.pools(grid)] == ["drawn"]


def test_pools_that_differ_in_anything_have_folders_of_their_own(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    one = PoolSpec("a b", "images", "labels.csv")
    several = [one, replace(one, name="a-b"), replace(one, positive=("x",)), replace(one, near_duplicate=0.8)]
    grids = [drawn_pools.grid(pools=(spec,)) for spec in several]
    other = drawn_pools.grid(pools=(one,), embedders=("other", "cloud"))
    assert len({kept.pool_folder(grid.pools[0], grid) for grid in [*grids, other]}) == 5
    again = drawn_pools.grid(pools=(replace(one),), repeats=7)
    assert kept.pool_folder(one, grids[0]) == Kept(tmp_path).pool_folder(again.pools[0], again)
