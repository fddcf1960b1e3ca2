"""`results.csv`: one line for each series, budget, repeat and metric."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import fmean, stdev

from seedqueue.experiments.cells import Cell, PoolFacts
from seedqueue.experiments.grid import Grid
from seedqueue.experiments.series import Key, Order, finite, in_order, key_of

COLUMNS = (
    "embedder",
    "selector",
    "head",
    "budget",
    "repeat",
    "metric",
    "value",
    "seconds",
    "pool",
    "target",
)
DRAWS_SD = "_draws_sd"


def write_results_csv(
    path: Path, cells: Sequence[Cell], grid: Grid | None = None, facts: Sequence[PoolFacts] = ()
) -> None:
    """The same cells give the same file, in whatever order they were finished. UTF-8.

    value: the mean over a repeat's draws; of several also their SD, as a metric `<name>_draws_sd`. seconds: wall time
    of selecting, training and judging that one queue, the mean over draws. Order: the grid's, or the alphabet.
    """
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(_lines(cells, Order(grid, facts)))


def _lines(cells: Sequence[Cell], order: Order) -> Iterator[tuple[object, ...]]:
    drawn: dict[tuple[Key, int, int], list[Cell]] = {}
    for cell in cells:
        drawn.setdefault((key_of(cell), cell.budget, cell.repeat), []).append(cell)
    for key, budget, repeat in sorted(drawn, key=lambda place: (order.of(place[0]), *place[1:])):
        several = sorted(drawn[key, budget, repeat], key=lambda cell: cell.draw)
        seconds = _six(fmean(sum(cell.seconds.values()) for cell in several))
        for name, value in _values(several):
            yield (key.embedder, key.selector, key.head, budget, repeat, name, value, seconds, key.pool, key.target)


def _values(cells: list[Cell]) -> Iterator[tuple[str, str]]:
    for name in in_order({name for cell in cells for name in cell.metrics}):
        known = finite(cells, name)
        if known:
            yield name, _six(fmean(known))
        if len(known) > 1:
            yield name + DRAWS_SD, _six(stdev(known))


def _six(value: float) -> str:
    return f"{value:.6g}"
