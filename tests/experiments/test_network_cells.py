"""Cells of the networks, as small as they can be: what is told in which column, and that nothing leaks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import drawn_pools
import numpy as np
import pytest

from seedqueue.experiments.cells import Cell
from seedqueue.experiments.errors import ExperimentError
from seedqueue.experiments.grid import Grid
from seedqueue.experiments.measuring import Measuring
from seedqueue.experiments.prepared import PreparedPool
from seedqueue.experiments.units import Unit, units_of

pytestmark = pytest.mark.slow

SIDE = 32
SPLITS = ("train",) * 6 + ("val",) * 3 + ("test",) * 3
TRUTH = np.array([1, 0, 1, 0, 1, 0, 1, 0, 1, 1, 0, 1], dtype=np.bool_)[:, None]
HEADS = {"classes": "vgg11", "masks": "unet-vgg11"}
DECIDING = {"classes": "auprc", "masks": "dsc"}


def pool_of(folder: Path, task: str, truth: np.ndarray[Any, Any] = TRUTH) -> PreparedPool:
    vectors = np.random.default_rng(0).standard_normal((len(truth), 4))
    pool = drawn_pools.write_pool(folder, {"cloud": vectors}, truth, splits=SPLITS, task=task)
    drawn_pools.write_phantoms(folder, truth, SIDE)
    return pool


def grid(task: str, **other: Any) -> Grid:
    told = {"heads": (HEADS[task],), "budgets": (4,), "side": SIDE, "epochs": 1, "random_weights": True}
    return drawn_pools.grid(**{**told, "protocol": "paper", **other})


def cells(asked: Grid, pool: PreparedPool, arm: str = "kmeans") -> list[Cell]:
    [unit] = [each for each in units_of(asked, [pool]) if (each.arm, each.repeat, each.draw) == (arm, 0, 0)]
    return list(Measuring(asked, pool, unit, drawn_pools.MEANS).cells())


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Cell]]:
    """Both tasks in the protocol "paper"."""
    return {task: cells(grid(task), pool_of(tmp_path_factory.mktemp("pool"), task)) for task in HEADS}


@pytest.mark.parametrize("task", HEADS)
def test_the_protocol_paper_gives_both_columns(task: str, measured: dict[str, list[Cell]]) -> None:
    found = measured[task]
    assert [cell.head for cell in found] == [HEADS[task], f"{HEADS[task]}@paper"]
    for cell in found:
        assert 0 <= cell.metrics[DECIDING[task]] <= 1
        assert len(cell.rows) == 4
        assert set(cell.rows) <= set(range(6)), "of the training part, less the validation part"
        assert (cell.embedder, cell.target, cell.budget) == ("cloud", "lesion", 4)
        assert {"coverage", "diversity", "positive_share"} <= set(cell.metrics)
    assert found[0].rows == found[1].rows


@pytest.mark.parametrize("task", HEADS)
def test_the_deciding_metrics_are_all_there(task: str, measured: dict[str, list[Cell]]) -> None:
    honest, published = measured[task]
    if task == "masks":
        assert {"dsc", "hd95_missed", "miss_rate", "false_positive_rate", "dsc_bootstrap_sd"} <= set(honest.metrics)
    else:
        assert {"auprc", "auroc", "auprc_bootstrap_sd"} <= set(honest.metrics)
        assert "sensitivity" not in honest.metrics, "no labels outside the budget may choose a threshold"
        assert "sensitivity" in published.metrics


def test_the_protocol_honest_gives_one_column_and_needs_no_validation_part(tmp_path: Path) -> None:
    pool = pool_of(tmp_path, "masks")
    [cell] = cells(grid("masks", protocol="honest"), pool)
    assert cell.head == "unet-vgg11"
    assert "dsc_bootstrap_sd" not in cell.metrics


def test_the_honest_column_knows_no_validation_part(measured: dict[str, list[Cell]], tmp_path: Path) -> None:
    other = TRUTH.copy()
    other[6:9] = ~other[6:9]
    honest, published = cells(grid("masks"), pool_of(tmp_path, "masks", other))
    assert honest.rows == measured["masks"][0].rows
    assert honest.metrics == measured["masks"][0].metrics
    assert published.rows == honest.rows


def test_the_same_unit_gives_the_same_numbers(measured: dict[str, list[Cell]], tmp_path: Path) -> None:
    again = cells(grid("masks"), pool_of(tmp_path, "masks"))
    plain = {"seconds": {}, "core_seconds": 0.0, "memory": 0.0}
    assert [replace(cell, **plain) for cell in again] == [replace(cell, **plain) for cell in measured["masks"]]


def test_a_random_queue_of_a_network_is_of_no_embedder(tmp_path: Path) -> None:
    [cell] = cells(grid("masks", protocol="honest"), pool_of(tmp_path, "masks"), "uniform")
    assert cell.embedder == "-"
    assert {"coverage", "diversity"}.isdisjoint(cell.metrics)
    assert 0 <= cell.metrics["positive_share"] <= 1


def test_a_network_has_no_later_rounds(tmp_path: Path) -> None:
    pool = pool_of(tmp_path, "masks")
    unit = Unit("drawn", "cloud", "kmeans:seeds=2:then=margin", "unet-vgg11", 0, 0, (4,))
    with pytest.raises(ExperimentError, match="need a head"):
        list(Measuring(grid("masks"), pool, unit, drawn_pools.MEANS).cells())
