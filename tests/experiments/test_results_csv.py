"""`results.csv`: what stands in it, and that a second run gives the same."""

import csv
import random
from dataclasses import replace
from pathlib import Path
from statistics import fmean, stdev

import planted_cells
import pytest

from seedqueue.experiments.results_csv import write_results_csv


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_line_for_each_queue_and_metric(tmp_path: Path) -> None:
    cells = list(planted_cells.cells({"kmeans": 0.05}, repeats=2))
    write_results_csv(tmp_path / "results.csv", cells)
    header = (tmp_path / "results.csv").read_text().splitlines()[0]
    assert header == "embedder,selector,head,budget,repeat,metric,value,seconds,pool,target"
    found = rows(tmp_path / "results.csv")
    # Five budgets and two repeats: three metrics of kmeans, of random also the SD of each.
    assert len(found) == 5 * 2 * (3 + 6)
    cell = next(cell for cell in cells if (cell.selector, cell.budget, cell.repeat) == ("kmeans", 40, 1))
    assert next(row for row in found if (row["selector"], row["budget"], row["repeat"]) == ("kmeans", "40", "1")) == {
        "embedder": "pixels",
        "selector": "kmeans",
        "head": "linear",
        "budget": "40",
        "repeat": "1",
        "metric": "auprc",
        "value": f"{cell.metrics['auprc']:.6g}",
        "seconds": f"{sum(cell.seconds.values()):.6g}",
        "pool": "planted",
        "target": "lesion",
    }


def test_draws_are_told_as_mean_and_spread(tmp_path: Path) -> None:
    cells = list(planted_cells.cells({"kmeans": 0.05}, repeats=2))
    write_results_csv(tmp_path / "results.csv", cells)
    drawn = [cell for cell in cells if (cell.selector, cell.budget, cell.repeat) == ("uniform", 60, 0)]
    found = {
        row["metric"]: row
        for row in rows(tmp_path / "results.csv")
        if (row["selector"], row["budget"], row["repeat"]) == ("uniform", "60", "0")
    }
    scores = [cell.metrics["auprc"] for cell in drawn]
    assert float(found["auprc"]["value"]) == pytest.approx(fmean(scores), rel=1e-5)
    assert float(found["auprc_draws_sd"]["value"]) == pytest.approx(stdev(scores), rel=1e-5)
    assert float(found["auprc"]["seconds"]) == pytest.approx(
        fmean(sum(cell.seconds.values()) for cell in drawn), rel=1e-5
    )


def test_a_second_run_in_another_order_differs_in_its_seconds_alone(tmp_path: Path) -> None:
    cells = list(planted_cells.cells({"kmeans": 0.05, "typiclust": 0.0}, repeats=3))
    again = [replace(cell, seconds={**cell.seconds, "train": 7.0}) for cell in cells]
    random.Random(5).shuffle(again)
    write_results_csv(tmp_path / "one.csv", cells)
    write_results_csv(tmp_path / "two.csv", again)
    first, second = rows(tmp_path / "one.csv"), rows(tmp_path / "two.csv")
    assert [{**row, "seconds": ""} for row in first] == [{**row, "seconds": ""} for row in second]
    assert first != second


def test_lines_stand_in_the_grids_order(tmp_path: Path) -> None:
    grid = planted_cells.grid(("typiclust", "kmeans"), embedders=("pixels", "hog"))
    cells = list(planted_cells.cells({"kmeans": 0.0, "typiclust": 0.0}, embedders=("hog", "pixels"), repeats=2))
    write_results_csv(tmp_path / "results.csv", cells, grid, [planted_cells.facts()])
    found = rows(tmp_path / "results.csv")
    assert list(dict.fromkeys((row["embedder"], row["selector"]) for row in found)) == [
        *(("pixels", name) for name in ("uniform", "typiclust", "kmeans")),
        *(("hog", name) for name in ("uniform", "typiclust", "kmeans")),
    ]
    assert [row["budget"] for row in found if row["metric"] == "auprc"][:4] == ["20", "20", "40", "40"]


def test_what_is_not_defined_is_left_out(tmp_path: Path) -> None:
    cell = next(planted_cells.cells({}, draws=1))
    cells = [replace(cell, metrics={"auprc": 0.1234567, "auroc": float("nan"), "hd": float("inf")})]
    write_results_csv(tmp_path / "results.csv", cells)
    assert [(row["metric"], row["value"]) for row in rows(tmp_path / "results.csv")] == [("auprc", "0.123457")]
