"""`seedqueue experiment`: prepare the pools, share the units among workers, wait, write the report."""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from seedqueue.backend import embedded_redis
from seedqueue.backend.broker import Broker
from seedqueue.backend.children import Children, Death, signals_interrupt
from seedqueue.backend.context import Context
from seedqueue.backend.errors import ExperimentFailed
from seedqueue.backend.experiment_jobs import imagenet_files, unit_json
from seedqueue.backend.experiment_pool import Bar, prepare_pool
from seedqueue.backend.folder import CannotWrite, Progress
from seedqueue.backend.settings import child_environment, environment_of
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

POLL_SECONDS = 0.2
GRACE_SECONDS = 2.0
# A job on its way from the queue to its worker is in neither for a moment.
IDLE_POLLS = 25
# Jobs in Redis at a time: a large grid would fill it, and a killed run leave them behind.
AHEAD = 500

Say = Callable[[str], None]


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
        return hashlib.sha256(json.dumps(asdict(self.grid), sort_keys=True).encode()).hexdigest()[:12]


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
    imagenet_files(context, grid)
    pools = _prepared(context, asked, kept, bar, say)
    units, contexts = units_of(grid, pools), Contexts(grid, pools)
    missing = [unit for unit in units if not kept.finished.has(unit, contexts.of(unit))]
    say(f"{len(units) - len(missing)} of {len(units)} units are measured already, {len(missing)} to do")
    if missing:
        with bar("measuring") as progress:
            _measure(context, asked, kept, contexts, missing, progress, say)
    study = _study(asked, kept, pools, units, contexts, ran)
    write_report(asked.out, study)
    return study


def _prepared(context: Context, asked: Asked, kept: Kept, bar: Bar, say: Say) -> list[PreparedPool]:
    costs = []
    pools = []
    for spec in asked.grid.pools:
        pool, took = prepare_pool(context, spec, asked.grid, asked.root, kept.pool_folder(spec), bar)
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


def _measure(
    context: Context,
    asked: Asked,
    kept: Kept,
    contexts: Contexts,
    missing: Sequence[Unit],
    progress: Progress,
    say: Say,
) -> None:
    for unit in missing:
        kept.finished.forget_failure(unit, contexts.of(unit))
    with signals_interrupt(), _workers(context, asked, kept) as (broker, poll):
        prefix = f"experiment-{asked.run}-"
        broker.cancel(prefix)
        try:
            _share(broker, kept, contexts, missing, prefix, asked.run, progress, lambda: _tell(poll(), say))
        finally:
            broker.cancel(prefix)
    failures = [message for unit in missing if (message := kept.finished.failure(unit, contexts.of(unit)))]
    if failures:
        raise ExperimentFailed(len(failures), len(missing), failures[0])


def _share(
    broker: Broker,
    kept: Kept,
    contexts: Contexts,
    missing: Sequence[Unit],
    prefix: str,
    run: str,
    progress: Progress,
    watch: Callable[[], None],
) -> None:
    """Enqueue the units, some hundred ahead, until each is finished or failed."""
    waiting = list(enumerate(missing))[::-1]
    under_way: dict[int, Unit] = {}
    done = idle = 0
    progress(0, len(missing))
    while waiting or under_way:
        while waiting and len(under_way) < AHEAD:
            number, unit = waiting.pop()
            job = f"{prefix}{number}"
            broker.enqueue("experiment", "experiment_jobs.measure", str(kept.work), run, unit_json(unit), job_id=job)
            under_way[number] = unit
        ended = [number for number, unit in under_way.items() if _ended(kept, contexts, unit)]
        for number in ended:
            del under_way[number]
        done += len(ended)
        progress(done, len(missing))
        if not ended:
            watch()
            idle = 0 if broker.fates(prefix).alive else idle + 1
            left = [number for number, unit in under_way.items() if not _ended(kept, contexts, unit)]
            if left and idle > IDLE_POLLS:
                raise ExperimentFailed(len(left), len(missing), _last_words(broker, f"{prefix}{left[0]}"))
            time.sleep(POLL_SECONDS)


def _last_words(broker: Broker, job_id: str) -> str:
    """Why a job is over and its unit not measured."""
    job = broker.job(job_id)
    result = job.latest_result() if job else None
    if result is None:
        return "its worker died every time, or Redis was lost"
    told = str(result.exc_string or "").strip().splitlines()
    return told[-1] if told else "its worker keeps results elsewhere: another version, or another folder of that name"


def _ended(kept: Kept, contexts: Contexts, unit: Unit) -> bool:
    context = contexts.of(unit)
    return kept.finished.has(unit, context) or kept.finished.failure(unit, context) is not None


@contextmanager
def _workers(context: Context, asked: Asked, kept: Kept) -> Iterator[tuple[Broker, Callable[[], list[Death]]]]:
    """A Redis (the configured one, that of a `serve` on this home, else one of our own) and the workers asked for."""
    settings = context.settings
    with Children(grace=GRACE_SECONDS) as children:
        url = settings.redis_url
        if (
            not url
            and isinstance(settings.home, Path)
            and embedded_redis.answers(embedded_redis.socket_path(settings.home))
        ):
            url = embedded_redis.redis_url(settings.home)
        if not url:
            url = embedded_redis.start(children, kept.work)
        broker = Broker(url, settings.namespace)
        broker.ping()
        threads = str(settings.threads or 1)
        env = child_environment(
            **environment_of(settings), REDIS_URL=url, SEEDQUEUE_THREADS=threads, OMP_NUM_THREADS=threads
        )
        worker = [sys.executable, "-m", "seedqueue.backend.cli", "worker", "--lane", "experiment"]
        for number in range(1, asked.workers + 1):
            children.start(f"worker {number}", worker, env=env, keep_alive=True)
        try:
            yield broker, children.poll
        finally:
            broker.close()


def _tell(deaths: Sequence[Death], say: Say) -> None:
    for death in deaths:
        say(f"{death.name} ended with {death.returncode}; it is started again")


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
