"""The pool of each embedder in the plane, with each selector's choice: points, never images."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from seedqueue.experiments.cells import NO_EMBEDDER, Cell, Place
from seedqueue.experiments.grid import Grid
from seedqueue.experiments.prepared import PreparedPool
from seedqueue.experiments.splits import split_of
from seedqueue.selectors.representation import fit_scaler
from seedqueue.selectors.source import Matrix
from seedqueue.selectors.stability.landscape import landscape

SHOWN = 40  # the budget whose queues are drawn, or the nearest one


def places_of(pools: Sequence[PreparedPool], grid: Grid, cells: Sequence[Cell]) -> list[Place]:
    """One for each pool and embedder: the training part of the first repeat, t-SNE up to 2,000 images, else PCA."""
    budget = min(grid.budgets, key=lambda each: (abs(each - SHOWN), each))
    return [_place(pool, embedder, grid, budget, cells) for pool in pools for embedder in grid.embedders_of(pool.name)]


def _place(pool: PreparedPool, embedder: str, grid: Grid, budget: int, cells: Sequence[Cell]) -> Place:
    train = split_of(pool, grid, 0).train
    vectors = pool.embeddings(embedder)[train]
    unit = fit_scaler(Matrix(vectors)).apply(vectors, "unit")
    chosen = {
        cell.selector: cell.rows
        for cell in cells
        if (cell.pool, cell.budget, cell.repeat, cell.draw) == (pool.name, budget, 0, 0)
        and cell.embedder in (embedder, NO_EMBEDDER)
    }
    queue = np.flatnonzero(np.isin(train, [row for rows in chosen.values() for row in rows]))
    drawn = landscape(unit, queue, np.empty(0, dtype=np.int64), np.random.default_rng(0))
    return Place(
        pool=pool.name,
        embedder=embedder,
        method=drawn.method,
        budget=budget,
        rows=tuple(int(train[point.row]) for point in drawn.points),
        x=tuple(point.x for point in drawn.points),
        y=tuple(point.y for point in drawn.points),
        chosen=chosen,
    )
