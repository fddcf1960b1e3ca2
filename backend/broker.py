"""Redis: RQ's queues and jobs, locks over all processes, and what is noted for a while."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from threading import Event, Thread
from typing import Any, Literal

from redis import Redis
from redis.exceptions import AuthenticationError, LockError, RedisError
from redis.lock import Lock
from rq import Queue, Retry
from rq.job import Job
from rq.registry import StartedJobRegistry
from rq.scheduler import RQScheduler
from rq.serializers import JSONSerializer

from seedqueue.backend.embedded_redis import redis_url
from seedqueue.backend.errors import Busy, InvalidSetting, RedisPasswordRefused, RedisUnreachable
from seedqueue.backend.pace import Pace
from seedqueue.backend.settings import Settings

Lane = Literal["control", "embed", "learn", "experiment"]
LANES: tuple[Lane, ...] = ("control", "embed", "learn", "experiment")
STATES = ("queued", "scheduled", "started", "failed")
JOB_SECONDS = {"control": 3600, "embed": 600, "learn": 12 * 3600, "experiment": 12 * 3600}
KEPT_SECONDS = 24 * 3600
DONE_SECONDS = 600  # nobody reads what succeeded: a day's would be hundreds of megabytes with a hundred projects
QUEUES = "seedqueue"


@dataclass(frozen=True)
class Fates:
    """What became of some jobs."""

    alive: int
    failed: int


class Broker:
    """The connection to Redis for one Label Studio instance; all keys and queues carry its namespace."""

    def __init__(self, url: str, namespace: str, pace: Pace | None = None) -> None:
        self.url = url
        self.namespace = namespace
        self.pace = pace or Pace()
        try:
            self.redis = Redis.from_url(url, socket_connect_timeout=5, health_check_interval=30, **_tls(url))
        except ValueError as error:
            told = f"it is no Redis address ({error})"
            if "@" in url:  # the error may hold a part of the password
                told = "it is no Redis address; in a password, signs such as / ? # and @ are percent-encoded"
            raise InvalidSetting("REDIS_URL", without_password(url), told) from error

    def close(self) -> None:
        self.redis.close()

    @contextmanager
    def reachable(self) -> Iterator[None]:
        """Errors of Redis become `RedisUnreachable`."""
        try:
            yield
        except AuthenticationError as error:
            raise RedisPasswordRefused(without_password(self.url), str(error)) from error
        except RedisError as error:
            raise RedisUnreachable(without_password(self.url), str(error)) from error

    def ping(self) -> None:
        with self.reachable():
            self.redis.ping()

    def queue(self, lane: Lane) -> Queue:
        name = f"{QUEUES}-{self.namespace}-{lane}"
        return Queue(name, connection=self.redis, serializer=JSONSerializer, default_timeout=JOB_SECONDS[lane])

    def enqueue(self, lane: Lane, function: str, *args: Any, job_id: str | None = None, delay: float = 0) -> str:
        """Enqueue `seedqueue.backend.<function>`; arguments are JSON scalars. Returns the job's id."""
        path, pauses = f"seedqueue.backend.{function}", self.pace.retries
        options: dict[str, Any] = {
            "job_id": job_id,
            "retry": Retry(max=len(pauses), interval=[math.ceil(pause) for pause in pauses]),
            "result_ttl": DONE_SECONDS,
            "failure_ttl": KEPT_SECONDS,
        }
        with self.reachable():
            if delay:
                job = self.queue(lane).enqueue_in(timedelta(seconds=delay), path, *args, **options)
            else:
                job = self.queue(lane).enqueue(path, *args, **options)
        return str(job.id)

    def job(self, job_id: str) -> Job | None:
        """The job of this id, or None where Redis has forgotten it."""
        with self.reachable():
            found = Job.fetch_many([job_id], connection=self.redis, serializer=JSONSerializer)
        return found[0]

    def cancel(self, prefix: str) -> None:
        """Take queued and scheduled jobs whose id begins with `prefix` out of their queues."""
        with self.reachable():
            for lane in LANES:
                queue = self.queue(lane)
                for job_id in queue.get_job_ids() + queue.scheduled_job_registry.get_job_ids():
                    if job_id.startswith(prefix) and (job := self.job(job_id)) is not None:
                        job.cancel()

    def enqueue_due(self) -> None:
        """Enqueue the scheduled jobs whose time has come.

        RQ's own scheduler is a process forked by one worker: when that worker is killed, nothing is
        scheduled for up to 10 minutes. Here every worker may do it; twice is harmless, jobs are idempotent.
        """
        names = [self.queue(lane).name for lane in LANES]
        scheduler = RQScheduler(names, self.redis, logging_level="WARNING", serializer=JSONSerializer)
        scheduler.prepare_registries(names)
        scheduler.enqueue_scheduled_jobs()  # type: ignore[no-untyped-call]

    def fates(self, prefix: str) -> Fates:
        """How many jobs whose id begins with `prefix` are alive (queued, scheduled, started) and how many failed."""
        alive = failed = 0
        with self.reachable():
            for queue in map(self.queue, LANES):
                ids = queue.get_job_ids() + queue.scheduled_job_registry.get_job_ids()
                ids += queue.started_job_registry.get_job_ids(cleanup=False)
                alive += sum(job_id.startswith(prefix) for job_id in ids)
                ended = queue.failed_job_registry.get_job_ids(cleanup=False)
                failed += sum(job_id.startswith(prefix) for job_id in ended)
        return Fates(alive, failed)

    def counts(self) -> dict[Lane, dict[str, int]]:
        """How many jobs each lane has in each of STATES."""
        with self.reachable():
            return {
                lane: {
                    "queued": queue.count,
                    "scheduled": queue.scheduled_job_registry.get_job_count(cleanup=False),
                    "started": queue.started_job_registry.get_job_count(cleanup=False),
                    "failed": queue.failed_job_registry.get_job_count(cleanup=False),
                }
                for lane, queue in ((lane, self.queue(lane)) for lane in LANES)
            }

    def sweep(self) -> None:
        """Hand the jobs of workers whose lease ran out to others."""
        for lane in LANES:
            StartedJobRegistry(queue=self.queue(lane)).cleanup()

    @contextmanager
    def lock(self, name: str, wait: float | None = None) -> Iterator[None]:
        """A lock over all processes, renewed while it is held; a dead holder's ends within its lease.

        Raises `Busy` where another has held it for `wait` seconds, the pace's `lock_wait` unless others are given.
        """
        wait = self.pace.lock_wait if wait is None else wait
        lock = self.redis.lock(self.key("lock", name), timeout=self.pace.lock_lease, thread_local=False)
        with self.reachable():
            if not lock.acquire(blocking=True, blocking_timeout=wait):
                raise Busy(name, wait)
        released = Event()
        renewal = Thread(target=_renew, args=(lock, released, self.pace.lock_lease / 3), daemon=True)
        renewal.start()
        try:
            yield
        finally:
            released.set()
            renewal.join()
            with self.reachable(), suppress(LockError):  # it ran out, as when Redis was lost: nothing left to release
                lock.release()

    @contextmanager
    def lock_if_free(self, name: str) -> Iterator[bool]:
        """The lock where nobody holds it, and True; else False at once."""
        if self.is_locked(name):
            yield False
            return
        with ExitStack() as held:
            free = True
            try:
                held.enter_context(self.lock(name, wait=0.1))
            except Busy:
                free = False
            yield free

    def is_locked(self, name: str) -> bool:
        with self.reachable():
            return bool(self.redis.exists(self.key("lock", name)))

    def first_in(self, name: str, seconds: float) -> bool:
        """True for the first caller of this name within `seconds`, False for the others."""
        with self.reachable():
            return bool(self.redis.set(self.key("once", name), 1, nx=True, px=int(seconds * 1000)))

    def is_set(self, name: str) -> bool:
        """Whether a name of `first_in` stands."""
        with self.reachable():
            return bool(self.redis.exists(self.key("once", name)))

    def note(self, name: str, told: Any, seconds: float) -> None:
        """Keep a JSON value under a name for some seconds."""
        with self.reachable():
            self.redis.set(self.key("note", name), json.dumps(told), px=int(seconds * 1000))

    def noted(self, name: str) -> Any:
        """The value of `note`, None where there is none any more."""
        with self.reachable():
            found = self.redis.get(self.key("note", name))
        return None if found is None else json.loads(found)

    def forget(self, name: str) -> None:
        """Take a name of `first_in` or `note` back."""
        with self.reachable():
            self.redis.delete(self.key("once", name), self.key("note", name))

    def renew(self, name: str, seconds: float) -> None:
        """Let a name of `first_in` stand for some seconds from now, even where it has just run out."""
        with self.reachable():
            self.redis.set(self.key("once", name), 1, px=int(seconds * 1000))

    def key(self, *parts: str) -> str:
        return ":".join(("seedqueue", self.namespace, *parts))


def _renew(lock: Lock, released: Event, every: float) -> None:
    while not released.wait(every):
        with suppress(RedisError):  # tried again at the next turn
            lock.reacquire()


def connect(settings: Settings) -> Broker:
    """The `Broker` of the settings: `REDIS_URL`, else the Redis that `seedqueue serve` runs on this home."""
    return Broker(settings.redis_url or redis_url(settings.home), settings.namespace, settings.pace)


def without_password(url: str) -> str:
    """A Redis URL as it may be shown: user, password and options left out."""
    scheme, separator, rest = url.partition("://")
    place = (rest if separator else url).rpartition("@")[2].partition("?")[0]
    return f"{scheme}://{place}" if separator else place


def _tls(url: str) -> dict[str, Any]:
    """redis-py before 6 takes any host's certificate of a trusted authority unless it is told otherwise."""
    return {"ssl_check_hostname": True} if url.startswith("rediss://") and "ssl_cert_reqs=none" not in url else {}
