"""`seedqueue experiment`: prepare the pools, share the units among workers, wait, write the report."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from seedqueue.backend.context import Context
from seedqueue.backend.errors import ExperimentFailed
from seedqueue.backend.experiment_jobs import imagenet_files
from seedqueue.backend.experiment_pool import Bar, prepare_pool
from seedqueue.backend.experiment_workers import Say, measure_units
from seedqueue.backend.folder import CannotWrite
from seedqueue.experiments.cells import Cell, EmbeddingCost
from seedqueue.experiments.convergence import converge
from seedqueue.experiments.facts import facts_of
from seedqueue.experiments.grid import Grid
from seedqueue.experiments.kept import Kept
from seedqueue.experiments.mapping import places_of
from seedqueue.experiments.metrics import PRIMARY
from seedqueue.experiments.prepared import PreparedPool
from seedqueue.experiments.report import write_report
from seedqueue.experiments.splits import crossing, has_own_split, split_of
from seedqueue.experiments.study import Study
from seedqueue.experiments.units import Contexts, units_of

# Of a pool in one group: more says that something else than likeness is told.
LARGE = 0.05


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
        pools, costs = _prepared(context, asked, kept, bar, say)
        units, contexts = units_of(grid, pools), Contexts(grid, pools)
        missing = [unit for unit in units if not kept.finished.has(unit, contexts.of(unit))]
        say(f"{len(units) - len(missing)} of {len(units)} units are measured already, {len(missing)} to do")
        failures: list[str] = []
        if missing:
            with bar("measuring") as progress:
                failures = measure_units(
                    context.settings, kept, asked.run, asked.workers, contexts, missing, progress, say
                )
        cells = [_told(cell, grid) for cell in kept.finished.cells(units, contexts)]
        study = _study(asked, pools, costs, cells, ran)
        write_report(asked.out, replace(study, missing=len(failures), first_failure=(failures or [""])[0]))
    if failures:
        raise ExperimentFailed(len(failures), len(units), failures[0])
    return study


def _prepared(
    context: Context, asked: Asked, kept: Kept, bar: Bar, say: Say
) -> tuple[list[PreparedPool], list[EmbeddingCost]]:
    costs: list[EmbeddingCost] = []
    pools = []
    for spec in asked.grid.pools:
        pool, took = prepare_pool(context, spec, asked.grid, asked.root, kept.pool_folder(spec, asked.grid), bar)
        pools.append(pool)
        costs += took
        told = pool.described
        for file, reason in told.unreadable:
            say(f"unreadable, skipped: {file}: {reason}")
        for line in _about(pool):
            say(line)
        for repeat in range(asked.grid.repeats):
            split_of(pool, asked.grid, repeat)  # what cannot be split is told now, not after an hour
    kept.keep(asked.run, asked.grid)
    return pools, costs


def _about(pool: PreparedPool) -> Iterator[str]:
    """What a person should know of a pool before hours of measuring."""
    told = pool.described
    sizes = Counter(told.groups)
    yield f"{pool.name}: {len(pool)} images in {len(sizes)} groups ({told.grouped_by}), from {told.labels}"
    largest = max(sizes.values())
    if largest > LARGE * len(pool):
        yield f"{pool.name}: one group has {largest} images: the embedder may see everything as near duplicates"
    if has_own_split(pool):
        without = told.splits.count("")
        if without:
            yield f"{pool.name}: {without} images are in no part of the table's own split and are left out"
        if crossing(pool):
            yield f"{pool.name}: the table's own split divides {crossing(pool)} groups: its figures may be too good"


def _study(
    asked: Asked, pools: Sequence[PreparedPool], costs: Sequence[EmbeddingCost], cells: Sequence[Cell], ran: str
) -> Study:
    grid = asked.grid
    convergence = [
        each
        for pool in (pools if grid.convergence else ())
        for name in grid.embedders_of(pool.name)
        for each in converge(pool.name, name, pool.embeddings(name), grid.saving_at)
    ]
    return Study(
        grid=grid,
        cells=cells,
        facts=[fact for pool in pools for fact in facts_of(pool, grid)],
        costs=[cost for cost in costs if cost.embedder in grid.embedders],
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
