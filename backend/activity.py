"""What goes on: jobs in their lanes, workers, the last events of Label Studio, the last errors in plain words."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from rq.job import Job

from seedqueue.backend import presence
from seedqueue.backend.broker import LANES, Broker, Lane
from seedqueue.backend.context import Context
from seedqueue.backend.events import Event
from seedqueue.backend.known_jobs import JOBS
from seedqueue.backend.presence import WorkerSeen

EVENTS = 20
ERRORS = 20
KEPT_SECONDS = 7 * 24 * 3600
LONGEST_MESSAGE = 500


@dataclass(frozen=True)
class EventSeen:
    """An event of Label Studio that came, and what it set going."""

    action: str
    project: int
    outcome: str
    at: str


@dataclass(frozen=True)
class Load:
    """One lane's jobs: waiting (the delayed ones too), running, failed and not yet forgotten."""

    lane: Lane
    waiting: int
    running: int
    failed: int


@dataclass(frozen=True)
class Fault:
    """Something that ended with an error: what it was, the error in one sentence, when (ISO time)."""

    project: int | None
    what: str
    message: str
    at: str


@dataclass(frozen=True)
class Activity:
    queues: list[Load]
    workers: list[WorkerSeen]
    events: list[EventSeen]
    errors: list[Fault]


def activity(context: Context) -> Activity:
    """Raises `RedisUnreachable`, `HomeUnreachable`."""
    broker = context.broker
    return Activity(loads(broker), presence.workers(broker), last_events(broker), last_errors(context))


def note_event(broker: Broker, event: Event, outcome: str) -> None:
    """Keep an event among the last ones. Label Studio waits for us meanwhile: it is one exchange with Redis."""
    at = datetime.now(UTC).isoformat(timespec="microseconds")  # which tells two alike apart
    told = json.dumps({"action": event.action, "project": event.project, "outcome": outcome, "at": at})
    with broker.reachable(), broker.redis.pipeline() as pipe:
        pipe.lpush(broker.key("events"), told)
        pipe.ltrim(broker.key("events"), 0, EVENTS - 1)
        pipe.expire(broker.key("events"), KEPT_SECONDS)
        pipe.execute()


def last_events(broker: Broker) -> list[EventSeen]:
    """The newest first."""
    with broker.reachable():
        found: Any = broker.redis.lrange(broker.key("events"), 0, EVENTS - 1)
    return [EventSeen(**json.loads(each)) for each in found]


def loads(broker: Broker) -> list[Load]:
    """What stands in each lane."""
    with broker.reachable():
        return [
            Load(
                lane,
                queue.count + queue.scheduled_job_registry.get_job_count(cleanup=False),
                queue.started_job_registry.get_job_count(cleanup=False),
                queue.failed_job_registry.get_job_count(cleanup=False),
            )
            for lane, queue in ((lane, broker.queue(lane)) for lane in LANES)
        ]


def last_errors(context: Context) -> list[Fault]:
    """Failed runs, trainings and jobs, the newest first."""
    found = [*_failed_runs(context), *_failed_trainings(context), *_failed_jobs(context.broker)]
    return sorted(found, key=lambda fault: fault.at, reverse=True)[:ERRORS]


def last_line(trace: str) -> str:
    """The error itself, of a traceback: its last line that is not indented, without the path of the module."""
    lines = [line for line in trace.splitlines() if line.strip()]
    started = next((at for at in range(len(lines) - 1, -1, -1) if not lines[at].startswith((" ", "\t"))), None)
    if started is None:
        return ""
    name, colon, rest = lines[started].strip().partition(": ")
    return f"{name.rpartition('.')[2]}{colon}{rest}"[:LONGEST_MESSAGE]


def _failed_runs(context: Context) -> list[Fault]:
    newest = {(row.project, row.run): row for row in context.records.dated("run")}
    return [
        Fault(row.project, f"run {row.run}", row.body["error"], _iso(row.at))
        for row in newest.values()
        if row.body["state"] == "failed"
    ]


def _failed_trainings(context: Context) -> list[Fault]:
    rows = context.records.dated("learning")
    return [
        Fault(row.project, "training", row.body["message"], _iso(row.at))
        for row in rows
        if row.body["outcome"] == "failed"
    ]


def _failed_jobs(broker: Broker) -> list[Fault]:
    with broker.reachable():
        registries = [broker.queue(lane).failed_job_registry for lane in LANES]
        ids = [one for each in registries for one in each.get_job_ids(-ERRORS, -1, cleanup=False)]
        found = [job for job_id in ids if (job := broker.job(job_id)) is not None]
        return [_fault(job) for job in found]


def _fault(job: Job) -> Fault:
    name = str(job.func_name).removeprefix("seedqueue.backend.")
    result = job.latest_result()
    message = last_line(str(result.exc_string or "")) if result else ""
    first = job.args[0] if job.args else None
    ended = job.ended_at or job.enqueued_at
    return Fault(
        first if isinstance(first, int) else None,
        JOBS.get(name, name),
        message or "it ended without a word, as when its worker is killed",
        _iso(ended.replace(tzinfo=UTC)) if ended else "",
    )


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds")
