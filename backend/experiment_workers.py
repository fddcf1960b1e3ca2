"""The units of an experiment shared among workers: a Redis, processes here or elsewhere, and patience."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from seedqueue.backend import embedded_redis, presence
from seedqueue.backend.broker import Broker
from seedqueue.backend.children import Children, signals_interrupt
from seedqueue.backend.errors import ExperimentFailed, InvalidRequest
from seedqueue.backend.experiment_jobs import unit_json
from seedqueue.backend.folder import Progress
from seedqueue.backend.settings import Settings, child_environment, environment_of
from seedqueue.experiments.kept import Kept
from seedqueue.experiments.units import Contexts, Unit

POLL_SECONDS = 0.2
GRACE_SECONDS = 2.0
# A job on its way from the queue to its worker is in neither for a moment.
IDLE_POLLS = 25
# Jobs in Redis at a time: a large grid would fill it, and a killed run leave them behind.
AHEAD = 500

Say = Callable[[str], None]


def measure_units(
    settings: Settings,
    kept: Kept,
    run: str,
    workers: int,
    contexts: Contexts,
    units: Sequence[Unit],
    progress: Progress,
    say: Say,
) -> list[str]:
    """Let workers measure the units and wait for them; why some could not be measured.

    Raises `ExperimentFailed` where jobs are lost, `RedisUnreachable`.
    """
    for unit in units:
        kept.finished.forget_failure(unit, contexts.of(unit))
    with signals_interrupt(), _workers(settings, kept.work / f"redis-{run}", workers, say) as (broker, watch):
        sharing = _Sharing(broker, kept, run, contexts, watch)
        broker.cancel(sharing.prefix)
        try:
            sharing.share(units, progress)
        finally:
            broker.cancel(sharing.prefix)
    return [message for unit in units if (message := kept.finished.failure(unit, contexts.of(unit)))]


@dataclass(frozen=True, eq=False)
class _Sharing:
    """run: the grid's name. watch: called when nothing happens."""

    broker: Broker
    kept: Kept
    run: str
    contexts: Contexts
    watch: Callable[[], None]

    @property
    def prefix(self) -> str:
        """Of the ids of all its jobs."""
        return f"experiment-{self.run}-"

    def share(self, units: Sequence[Unit], progress: Progress) -> None:
        """Enqueue the units, some hundred ahead, until each is finished or failed."""
        waiting = list(enumerate(units))[::-1]
        under_way: dict[int, Unit] = {}
        idle = 0
        progress(0, len(units))
        while waiting or under_way:
            while waiting and len(under_way) < AHEAD:
                number, unit = waiting.pop()
                self._enqueue(number, unit)
                under_way[number] = unit
            ended = [number for number, unit in under_way.items() if self._ended(unit)]
            for number in ended:
                del under_way[number]
            progress(len(units) - len(waiting) - len(under_way), len(units))
            if ended:
                continue
            self.watch()
            idle = 0 if self.broker.fates(self.prefix).alive else idle + 1
            left = [number for number, unit in under_way.items() if not self._ended(unit)]
            if left and idle > IDLE_POLLS:
                raise ExperimentFailed(len(left), len(units), self._last_words(left[0]))
            time.sleep(POLL_SECONDS)

    def _enqueue(self, number: int, unit: Unit) -> None:
        arguments = str(self.kept.work), self.run, unit_json(unit), self.contexts.of(unit)
        self.broker.enqueue("experiment", "experiment_jobs.measure", *arguments, job_id=f"{self.prefix}{number}")

    def _ended(self, unit: Unit) -> bool:
        context = self.contexts.of(unit)
        return self.kept.finished.has(unit, context) or self.kept.finished.failure(unit, context) is not None

    def _last_words(self, number: int) -> str:
        """Why a job is over and its unit not measured."""
        job = self.broker.job(f"{self.prefix}{number}")
        result = job.latest_result() if job else None
        if result is None:
            return "its worker died every time, or Redis was lost"
        told = str(result.exc_string or "").strip().splitlines()
        return told[-1] if told else "its worker keeps results elsewhere: another version, or another folder"


@contextmanager
def _workers(settings: Settings, place: Path, count: int, say: Say) -> Iterator[tuple[Broker, Callable[[], None]]]:
    """A Redis, at `place` where there is none, the workers asked for, and what keeps them alive if it is called."""
    with Children(grace=GRACE_SECONDS) as children:
        url = _shared_redis(settings)
        if not (url or count):
            raise InvalidRequest(
                "--workers 0 leaves the work to others: set REDIS_URL to the Redis that they listen to."
            )
        url = url or embedded_redis.start(children, place)
        broker = Broker(url, settings.namespace, settings.pace)
        broker.ping()
        if not (count or presence.listening(broker, "experiment")):
            say("waiting for a worker: start `seedqueue worker --lane experiment` with this REDIS_URL")
        threads = str(settings.threads or 1)
        told = {"REDIS_URL": url, "SEEDQUEUE_THREADS": threads, "OMP_NUM_THREADS": threads}
        env = child_environment(**{**environment_of(settings), **told})
        worker = [sys.executable, "-m", "seedqueue.backend.cli", "worker", "--lane", "experiment"]
        for number in range(1, count + 1):
            children.start(f"worker {number}", worker, env=env, keep_alive=True)

        def watch() -> None:
            for death in children.poll():
                say(f"{death.name} ended with {death.returncode}; it is started again")

        try:
            yield broker, watch
        finally:
            broker.close()


def _shared_redis(settings: Settings) -> str:
    """The configured one, else that of a `serve` on this home, else ""."""
    if settings.redis_url or not isinstance(settings.home, Path):
        return settings.redis_url
    there = embedded_redis.answers(embedded_redis.socket_path(settings.home))
    return embedded_redis.redis_url(settings.home) if there else ""
