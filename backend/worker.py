"""A warm worker: one process that keeps its model, holds its jobs by a lease and takes over dead ones'.

RQ's default worker forks for every job and would load the model each time, and RQ notices a dead
worker only after the job's time-out. Here the execution's entry in RQ's registry is the lease: it runs
out after 20 s unless the heartbeat thread renews it, and every worker sweeps the registries.
"""

from __future__ import annotations

import logging
import math
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from threading import Event, Thread
from typing import Any

from redis.exceptions import RedisError
from rq import Queue, SimpleWorker
from rq.job import Job
from rq.serializers import JSONSerializer

from seedqueue.backend import logs, presence, revival
from seedqueue.backend.broker import LANES, Lane
from seedqueue.backend.context import Context
from seedqueue.backend.errors import KNOWN, RedisUnreachable, SeedqueueError
from seedqueue.backend.known_jobs import JOBS
from seedqueue.backend.pace import Pace

logger = logging.getLogger(__name__)


class ForeignJob(SeedqueueError):
    """Somebody else's job in our queue: whoever writes to Redis must not choose what a worker calls."""

    def __init__(self, function: str) -> None:
        super().__init__(f"The job names {function[:80]!r}, which is no job of seedqueue: it is not run.")


class OurJob(Job):
    """A job that runs what `known_jobs.JOBS` names, `seedqueue.backend.<module>.<function>`, and no callbacks."""

    @property
    def func(self) -> Any:
        """Raises `ForeignJob` before anything else is imported."""
        name = str(self.func_name)
        if name not in {f"seedqueue.backend.{job}" for job in JOBS}:
            raise ForeignJob(name)
        # RQ would import and call these of any module; none of our jobs has one.
        if callback := self._success_callback_name or self._failure_callback_name or self._stopped_callback_name:
            raise ForeignJob(str(callback))
        return super().func

    @property
    def success_callback(self) -> None:
        """None: not even where a refused job names one."""

    @property
    def failure_callback(self) -> None:
        """None: not even where a refused job names one."""

    @property
    def stopped_callback(self) -> None:
        """None: not even where a refused job names one."""


class WarmWorker(SimpleWorker):
    """RQ's in-process worker with a lease in place of the time-out, for our jobs alone."""

    job_class = OurJob
    pace = Pace()

    def reorder_queues(self, reference_queue: Queue) -> None:
        """A shard after each control job, where one waits: while people annotate, control is never empty for long."""
        shards_first = reference_queue.name.endswith("-control")
        self._ordered_queues = sorted(self.queues, key=lambda queue: shards_first and not queue.name.endswith("-embed"))

    def get_heartbeat_ttl(self, job: Job, working_time: float = 0.0) -> int:
        """Seconds until another worker may take the job over."""
        return math.ceil(self.pace.lease)

    def perform_job(self, job: Job, queue: Any, execution: Any) -> bool:
        done = Event()
        heartbeat = Thread(target=self._beat, args=(job, execution, done), daemon=True)
        heartbeat.start()
        try:
            with logs.about(job=job.id):
                return bool(super().perform_job(job, queue, execution))
        finally:
            done.set()
            heartbeat.join()

    def _beat(self, job: Job, execution: Any, done: Event) -> None:
        while not done.wait(self.pace.heartbeat):
            try:
                self.maintain_heartbeats(job, execution)
            except RedisError as error:
                logger.warning("heartbeat of job %s: %s", job.id, error)


def run(context: Context, lanes: Sequence[Lane] = LANES) -> None:
    """Work off these lanes until SIGTERM or SIGINT; a job under way is finished first.

    Raises `RedisUnreachable` where Redis is away at the start; where it goes away later, it is waited for.
    """
    context.broker.ping()
    while True:
        try:
            _work(context, lanes)
            return
        except RedisError as error:
            logger.warning("Redis is away (%s): this worker waits for it", str(error).splitlines()[0])
            _await(context)
            logger.info("Redis is there again")


def _work(context: Context, lanes: Sequence[Lane]) -> None:
    """As one worker, until it is asked to stop. Raises `RedisError` where Redis goes away."""
    stopping = Event()
    # Who only measures experiments has no Label Studio to look after.
    reviving = any(lane != "experiment" for lane in lanes)
    queues = [context.broker.queue(lane) for lane in lanes]
    worker = WarmWorker(queues, connection=context.broker.redis, serializer=JSONSerializer)
    worker.pace = context.pace
    tending = Thread(target=_tend, args=(context, stopping, reviving, worker.name), daemon=True)
    presence.sign_of_life(context.broker, worker.name)
    tending.start()
    logger.info("worker %s takes jobs of the lanes %s", worker.name, ", ".join(lanes))
    try:
        worker.work(logging_level="WARNING")
    finally:
        stopping.set()
        tending.join(timeout=context.pace.sweep)


def _await(context: Context) -> None:
    """Until Redis answers, or a signal ends this process: RQ's handlers would wait for a job to end."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    while True:
        with suppress(RedisUnreachable):
            context.broker.ping()
            return
        time.sleep(context.pace.redis_away)


def _tend(context: Context, stopping: Event, reviving: bool, name: str) -> None:
    """What all workers together do beside their jobs: due jobs each second, dead ones' jobs and runs each ten."""
    while not stopping.wait(context.pace.schedule):
        try:
            presence.sign_of_life(context.broker, name)
            if context.broker.first_in("schedule", context.pace.schedule * 0.9):
                context.broker.enqueue_due()
            if context.broker.first_in("sweep", context.pace.sweep):
                context.broker.sweep()
                if reviving:
                    revival.tick(context)
        except (RedisError, *KNOWN) as error:
            logger.warning("between jobs: %s", error)
        except Exception:  # this thread looks after dead workers' jobs: nothing may end it
            logger.exception("between jobs")
