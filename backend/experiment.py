"""`seedqueue experiment`: prepare the pools, share the units among workers, wait, write the report."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from seedqueue.backend.context import Context
from seedqueue.backend.experiment_jobs import imagenet_files
from seedqueue.backend.experiment_pool import Bar, prepare_pool
from seedqueue.backend.experiment_workers import Say, measure_units
from seedqueue.backend.folder import CannotWrite
from seedqueue.experiments.cells import Cell
from seedqueue.experiments.convergence import converge
from seedqueue.experiments.facts import facts_of
from seedqueue.experiments.grid import Grid
from seedqueue.experiments.kept import Kept
from seedqueue.experiments.mapping import places_of
from seedqueue.experiments.metrics import PRIMARY
from seedqueue.experiments.prepared import PreparedPool
from seedqueue.experiments.report import write_report
from seedqueue.experiments.splits import split_of
from seedqueue.experiments.study import Study
from seedqueue.experiments.units import Contexts, Unit, units_of


@dataclass(frozen=True)
class Asked:
    """root: what the grid's paths are relative to. work: for what is kept between runs.

    workers: processes to start here, 0 where others run already. command: as it was typed, for the report.
    """

    grid: Grid
    root: Path
    out: Path
    work: Path
    workers: int
    command: str

    @property
    def run(self) -> str:
        """The grid's name among others in the same work folder, and in Redis."""
        told = json.dumps([asdict(self.grid), str(self.work)], sort_keys=True)
        return hashlib.sha256(told.encode()).hexdigest()[:12]


def run_experiment(context: Context, asked: Asked, bar: Bar, say: Say, ran: str) -> Study:
    """Measure what is not measured yet and write the report into `asked.out`.

    Raises `ExperimentFailed` where units could not be measured, with the finished ones kept, and what preparing raises.
    """
    grid, kept = asked.grid, Kept(asked.work)
    try:
        asked.out.mkdir(parents=True, exist_ok=True)
        kept.make()
    except OSError as error:
        raise CannotWrite(asked.out, str(error.strerror)) from error
    with kept.alone(asked.run):
        imagenet_files(context, grid)
        pools = _prepared(context, asked, kept, bar, say)
        units, contexts = units_of(grid, pools), Contexts(grid, pools)
        missing = [unit for unit in units if not kept.finished.has(unit, contexts.of(unit))]
        say(f"{len(units) - len(missing)} of {len(units)} units are measured already, {len(missing)} to do")
        if missing:
            with bar("measuring") as progress:
                measure_units(context.settings, kept, asked.run, asked.workers, contexts, missing, progress, say)
        study = _study(asked, kept, pools, units, contexts, ran)
        write_report(asked.out, study)
    return study


def _prepared(context: Context, asked: Asked, kept: Kept, bar: Bar, say: Say) -> list[PreparedPool]:
    costs = []
    pools = []
    for spec in asked.grid.pools:
        pool, took = prepare_pool(context, spec, asked.grid, asked.root, kept.pool_folder(spec, asked.grid), bar)
        pools.append(pool)
        costs += took
        told = pool.described
        for file, reason in told.unreadable:
            say(f"unreadable, skipped: {file}: {reason}")
        say(f"{pool.name}: {len(pool)} images in {len(set(told.groups))} groups, from {told.labels}")
        for repeat in range(asked.grid.repeats):
            split_of(pool, asked.grid, repeat)  # what cannot be split is told now, not after an hour
    kept.keep(asked.run, asked.grid, costs)
    return pools


def _study(
    asked: Asked,
    kept: Kept,
    pools: Sequence[PreparedPool],
    units: Sequence[Unit],
    contexts: Contexts,
    ran: str,
) -> Study:
    grid = asked.grid
    cells = [_told(cell, grid) for cell in kept.finished.cells(units, contexts)]
    convergence = [
        each
        for pool in (pools if grid.convergence else ())
        for name in grid.embedders_of(pool.name)
        for each in converge(pool.name, name, pool.embeddings(name), grid.saving_at)
    ]
    known = {(cost.pool, cost.embedder): cost for cost in kept.costs()}
    costs = [known[spec.name, name] for spec in grid.pools for name in grid.embedders_of(spec.name)]
    return Study(
        grid=grid,
        cells=cells,
        facts=[fact for pool in pools for fact in facts_of(pool, grid)],
        costs=costs,
        places=places_of(pools, grid, cells),
        convergence=convergence,
        ran=ran,
        command=asked.command,
    )


def _told(cell: Cell, grid: Grid) -> Cell:
    """The cell with the metrics that the report is to tell of."""
    if not grid.metrics:
        return cell
    kept = {*grid.metrics, *PRIMARY.values()}
    return replace(cell, metrics={name: value for name, value in cell.metrics.items() if name in kept})
