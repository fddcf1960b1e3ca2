"""Runs that died with their worker or with Redis brought back, tails looked after: the periodic look."""

from __future__ import annotations

import logging

from seedqueue.backend import steps, waking
from seedqueue.backend.context import Context
from seedqueue.backend.records import Run

logger = logging.getLogger(__name__)


def tick(context: Context) -> None:
    """Look once; called every few seconds by one worker or another."""
    runs = context.records.runs()
    for run in runs:
        if run.active:
            _revive(context, run)
    for project in {run.project for run in runs if run.state == "published"}:
        if context.records.published_run(project) and context.broker.first_in(f"tick-{project}", context.pace.look):
            waking.reconcile(context.broker, project)


def _revive(context: Context, run: Run) -> None:
    """Start a run again of which Redis knows no job; fail it where a job died with all its retries."""
    prefix = steps.job_prefix(run)
    fates = context.broker.fates(prefix)
    current = context.records.run(run.project, run.number)
    if fates.alive or current is None or not current.active:
        return
    if fates.failed:
        message = f"{fates.failed} of its jobs died with their worker at every try; see the worker's log"
        steps.move(context, current, "failed", error=message)
    elif context.broker.first_in(f"revive-{prefix}", context.pace.look):
        logger.warning("project %d run %d: no job of it is left, it begins again", run.project, run.number)
        steps.enqueue_start(context, current)
