"""A step of a run as a job: it begins where the run is active, ends in the run's record, waits for what passes."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from rq import get_current_job

from seedqueue.backend import logs, patience, settings
from seedqueue.backend.broker import Lane
from seedqueue.backend.context import Context
from seedqueue.backend.errors import KNOWN
from seedqueue.backend.records import Run, State

logger = logging.getLogger(__name__)


class Ended(Exception):
    """The run of a job ended while the job worked: nothing is left to do."""


def job_prefix(run: Run) -> str:
    """What the ids of a run's jobs begin with; ids take letters, digits, `_` and `-` only."""
    return _prefix(run.project, run.number)


def _prefix(project: int, number: int) -> str:
    return f"run-{_key(project, number)}-"


def progress_key(run: Run) -> str:
    return _key(run.project, run.number)


def _key(project: int, number: int) -> str:
    return f"{project}-{number}"


def enqueue_start(context: Context, run: Run) -> None:
    """Enqueue a run's first job; a run that has begun goes on from what is stored."""
    enqueue(context, run, "start")


def move(context: Context, run: Run, state: State, **changes: Any) -> Run:
    """Write a run's next state, unless it has ended meanwhile: undone by an admin, failed by another job.

    Raises `Ended` then. `changes` are fields of `Run`.
    """
    with context.broker.lock(f"run-{progress_key(run)}"):
        current = context.records.run(run.project, run.number)
        if current is None or not current.active:
            raise Ended
        moved = current.moved(state, **changes)
        context.records.save_run(moved)
    return moved


def enqueue(context: Context, run: Run, step: str, *shard: str | int) -> None:
    again(context, run.project, run.number, step, shard)


def again(context: Context, project: int, number: int, step: str, shard: Sequence[str | int], delay: float = 0) -> None:
    """Enqueue a step of a run, whose record need not be readable at the moment."""
    # A repeated id is enqueued and run twice; a fresh one keeps the registries apart.
    job_id = f"{_prefix(project, number)}{step}-{uuid.uuid4().hex[:12]}"
    lane: Lane = "embed" if shard else "control"
    context.broker.enqueue(lane, f"jobs.{step}", project, number, *shard, job_id=job_id, delay=delay)


def follow(
    project: int, number: int, step: str, shard: Sequence[str | int], work: Callable[[Context, Run], None]
) -> None:
    """Work on an active run; an error that neither waiting nor a retry mends is written into its record."""
    with logs.about(project=project, run=number), Context(settings.load()) as context:
        try:
            run = context.records.run(project, number)
            if run is None or not run.active:
                return
            work(context, run)
            patience.over(context.broker, _key(project, number))
        except Ended:
            return
        except Exception as error:
            pause = patience.pause(context.broker, _key(project, number), error)
            if pause is not None:
                logger.warning("waits: %s", error)
                again(context, project, number, step, shard, pause)
            elif _retries_left() and (isinstance(error, patience.PASSING) or not isinstance(error, KNOWN)):
                raise
            else:
                known = isinstance(error, KNOWN)
                _fail(context, project, number, str(error) if known else f"unexpected {type(error).__name__}: {error}")
                if not known:
                    raise


def _retries_left() -> bool:
    job = get_current_job()
    return bool(job and job.retries_left)


def _fail(context: Context, project: int, number: int, message: str) -> None:
    logger.error("failed: %s", message)
    run = context.records.run(project, number)
    if run is not None:
        with suppress(Ended):
            move(context, run, "failed", error=message)
