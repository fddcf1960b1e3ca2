"""Cells put together: one series is one selector's values by budget and repeat; random draws become their mean."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

import numpy as np

from seedqueue.experiments.arms import REFERENCE
from seedqueue.experiments.cells import NO_EMBEDDER, Cell, PoolFacts
from seedqueue.experiments.grid import Grid
from seedqueue.experiments.metrics import OF_THE_CHOICE, TITLES
from seedqueue.experiments.significance import Values

# Stands for the mean over a pool's targets: several targets of one pool are one pool.
ALL_TARGETS = "all targets"

AS_PUBLISHED = "@paper"
LINEAR = "linear"


@dataclass(frozen=True)
class Key:
    """What names a series."""

    pool: str
    target: str
    head: str
    embedder: str
    selector: str

    @property
    def published(self) -> bool:
        """Whether a fully labelled validation set, outside the budget, had a say."""
        return self.head.endswith(AS_PUBLISHED)


@dataclass(frozen=True, eq=False)
class Series:
    """values, draws_sd: by metric float64 (budgets, repeats); the mean over a repeat's draws and their SD.
    drawn: float64 (budgets, repeats, draws), of each draw.

    NaN where a metric is not defined or a cell is not there. draws: the most in a repeat. rows: the chosen rows of
    each budget, by repeat (draw 0). seconds: of each stage by budget, the mean over repeats and draws; core_seconds
    likewise, memory the most, in MiB.
    """

    key: Key
    budgets: tuple[int, ...]
    repeats: tuple[int, ...]
    values: Mapping[str, Values]
    draws_sd: Mapping[str, Values]
    drawn: Mapping[str, Values]
    draws: int
    rows: Mapping[int, tuple[frozenset[int], ...]]
    seconds: Mapping[int, Mapping[str, float]]
    core_seconds: Mapping[int, float]
    memory: float

    def at(self, budget: int, metric: str) -> Values:
        """Of each repeat, float64 (repeats,)."""
        if budget not in self.budgets or metric not in self.values:
            return np.full(len(self.repeats), math.nan)
        return np.asarray(self.values[metric][self.budgets.index(budget)])


def key_of(cell: Cell) -> Key:
    return Key(cell.pool, cell.target, cell.head, cell.embedder, cell.selector)


def collect(cells: Iterable[Cell], order: Order) -> dict[Key, Series]:
    """All series, in the grid's order."""
    grouped: dict[Key, list[Cell]] = {}
    for cell in cells:
        grouped.setdefault(key_of(cell), []).append(cell)
    return {key: _series(key, grouped[key]) for key in sorted(grouped, key=order.of)}


def _series(key: Key, cells: list[Cell]) -> Series:
    budgets = tuple(sorted({cell.budget for cell in cells}))
    repeats = tuple(sorted({cell.repeat for cell in cells}))
    names = in_order({name for cell in cells for name in cell.metrics})
    values = {name: np.full((len(budgets), len(repeats)), math.nan) for name in names}
    draws = max(cell.draw for cell in cells) + 1
    single = {name: np.full((len(budgets), len(repeats), draws), math.nan) for name in names}
    for cell in cells:
        at_place = budgets.index(cell.budget), repeats.index(cell.repeat), cell.draw
        for name, value in cell.metrics.items():
            single[name][at_place] = value if math.isfinite(value) else math.nan
    by_place: dict[tuple[int, int], list[Cell]] = {}
    for cell in cells:
        by_place.setdefault((budgets.index(cell.budget), repeats.index(cell.repeat)), []).append(cell)
    for place, drawn in by_place.items():
        for name in names:
            known = finite(drawn, name)
            if known:
                values[name][place] = fmean(known)
    at = {budget: [cell for cell in cells if cell.budget == budget] for budget in budgets}
    return Series(
        key=key,
        budgets=budgets,
        repeats=repeats,
        values=values,
        draws_sd={name: _over_draws(found) for name, found in single.items()},
        drawn=single,
        draws=max(len(drawn) for drawn in by_place.values()),
        rows={budget: _queues(found) for budget, found in at.items()},
        seconds={budget: _mean_seconds(found) for budget, found in at.items()},
        core_seconds={budget: fmean(cell.core_seconds for cell in found) for budget, found in at.items()},
        memory=max(cell.memory for cell in cells),
    )


def finite(cells: Iterable[Cell], metric: str) -> list[float]:
    """A metric's values, in the draws' order."""
    ordered = sorted(cells, key=lambda cell: cell.draw)
    return [cell.metrics[metric] for cell in ordered if math.isfinite(cell.metrics.get(metric, math.nan))]


def _queues(cells: list[Cell]) -> tuple[frozenset[int], ...]:
    first = {cell.repeat: frozenset(cell.rows) for cell in sorted(cells, key=lambda cell: -cell.draw)}
    return tuple(first[repeat] for repeat in sorted(first))


def _mean_seconds(cells: list[Cell]) -> dict[str, float]:
    names = sorted({name for cell in cells for name in cell.seconds})
    return {name: fmean(cell.seconds.get(name, 0.0) for cell in cells) for name in names}


def together(several: Sequence[Series], metric: str) -> Series | None:
    """One series for several targets of a pool: the mean over them within each repeat and draw, of one metric.

    The SD over draws is that of these means: targets' errors cancel in the mean of a draw as in that of a repeat.

    Budgets and repeats that all have; None where there are none.
    """
    budgets = tuple(each for each in several[0].budgets if all(each in one.budgets for one in several))
    repeats = tuple(each for each in several[0].repeats if all(each in one.repeats for one in several))
    if not budgets or not repeats:
        return None
    planes, drawn = [], []
    draws = min(one.drawn[metric].shape[2] if metric in one.drawn else 0 for one in several)
    for one in several:
        if metric not in one.values:
            return None
        place = np.ix_([one.budgets.index(each) for each in budgets], [one.repeats.index(each) for each in repeats])
        planes.append(one.values[metric][place])
        drawn.append(one.drawn[metric][place][:, :, :draws])
    return replace(
        several[0],
        key=replace(several[0].key, target=ALL_TARGETS),
        budgets=budgets,
        repeats=repeats,
        values={metric: np.mean(planes, axis=0)},
        draws_sd={metric: _over_draws(np.mean(drawn, axis=0))},
        drawn={metric: np.mean(drawn, axis=0)},
    )


def _over_draws(drawn: Values) -> Values:
    """(budgets, repeats, draws) to (budgets, repeats): the SD over the draws known, NaN for fewer than two."""
    there = np.isfinite(drawn)
    count = there.sum(axis=2)
    kept = np.where(there, drawn, 0.0)
    centre = kept.sum(axis=2) / np.maximum(count, 1)
    squares = np.where(there, (drawn - centre[:, :, None]) ** 2, 0.0).sum(axis=2)
    return np.where(count > 1, np.sqrt(squares / np.maximum(count - 1, 1)), math.nan)


def in_order(names: Iterable[str]) -> list[str]:
    """Metrics as `metrics.TITLES` lists them, others behind."""
    known = list(TITLES)
    return sorted(names, key=lambda name: (known.index(name) if name in known else len(known), name))


class Order:
    """The grid's order of everything, so that a table does not depend on which cell was finished first."""

    def __init__(self, grid: Grid | None, facts: Sequence[PoolFacts] = ()) -> None:
        self._pools = [pool.name for pool in grid.pools] if grid else []
        self._targets = [fact.target for fact in facts]
        if grid:
            self._targets = [*(name for pool in grid.pools for name in pool.positive), *self._targets]
        self._heads = [name for head in grid.heads for name in (head + AS_PUBLISHED, head)] if grid else []
        self._embedders = [NO_EMBEDDER, *(grid.embedders if grid else ())]
        self._selectors = [REFERENCE, *(text for text in (grid.selectors if grid else ()) if text != REFERENCE)]

    def of(self, key: Key) -> tuple[tuple[int, str], ...]:
        return (
            _place(self._pools, key.pool),
            _place(self._targets, key.target),
            _place(self._heads, key.head),
            _place(self._embedders, key.embedder),
            _place(self._selectors, key.selector),
        )

    def selector(self, text: str) -> int:
        """Its place among the arms, 0 for the reference."""
        return _place(self._selectors, text)[0]


def _place(known: list[str], name: str) -> tuple[int, str]:
    return (known.index(name), "") if name in known else (len(known), name)


def measured(series: Iterable[Series], *, of_the_choice: bool = True) -> list[str]:
    """Metrics that any of them has, in order."""
    names = {name for one in series for name in one.values}
    return in_order(name for name in names if of_the_choice or name not in OF_THE_CHOICE)
