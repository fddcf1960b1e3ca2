"""What a person sees of learning in the terminal."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from seedqueue.backend import learning, presence, screen
from seedqueue.backend.context import Context
from seedqueue.backend.learning import Overview, Told
from seedqueue.backend.learning_errors import TrainingFailed
from seedqueue.backend.versions import ModelVersion

POLL_SECONDS = 0.3
PROBLEMS_SHOWN = 10


def follow(context: Context, project: int, before: Mapping[str, Any] | None, *, wait: bool) -> None:
    """Show a training until it has ended. before: how the last one ended. Raises `TrainingFailed`."""
    if not wait:
        screen.say(f"the training of project {project} is under way: seedqueue learning --project {project}")
        return
    if not presence.listening(context.broker):
        screen.warn("no worker is running yet: start one with `seedqueue serve` or `seedqueue worker`")
    with screen.progress_bar("training") as advance:
        while True:
            found = learning.told(context, project)
            if found.progress and found.progress["epochs"]:
                advance(found.progress["epoch"], found.progress["epochs"])
            if found.last != before and found.progress is None and found.last is not None:
                break
            time.sleep(POLL_SECONDS)
    if found.last["outcome"] == "failed":
        raise TrainingFailed(found.last["message"])
    screen.say(found.last["message"])


def show_versions(project: int, versions: Sequence[ModelVersion]) -> None:
    if not versions:
        screen.say(
            f"project {project} has no version yet: label its seed queue, or seedqueue train --project {project}"
        )
        return
    table = Table("version", "serves", "learnt from", "held out", "figure", "verdict", box=SIMPLE)
    for one in versions:
        on = f"{len(one.audit)} of the {one.held_out}" if one.audited else "-"
        table.add_row(one.name, "yes" if one.promoted else "", f"{one.labels} tasks", on, _audited(one), one.verdict)
    Console(highlight=False, markup=False).print(table)


def show_summary(told: Told) -> None:
    """Learning in the lines of `status`."""
    serving = ", ".join(f"{one.name} ({_audited(one)})" for one in told.serving)
    screen.say(f"  heads: {serving or 'none yet: the first is trained when the seed queue is done'}")
    if told.progress:
        screen.say(f"  training {told.progress['head']}")
    elif told.last and told.last["outcome"] == "failed":
        screen.say(f"  last training failed: {told.last['message']}")


def show_learning(project: int, told: Told, found: Overview) -> None:
    serving = ", ".join(one.name for one in told.serving) or "nothing yet"
    slice_ = f"{told.audit} tasks" if told.audit else "none: what versions say of themselves is unaudited"
    screen.say(f"project {project}: {serving} serves · audit slice: {slice_}")
    if told.progress:
        at = told.progress
        screen.say(f"  training {at['head']}, epoch {at['epoch']} of {at['epochs'] or '?'}{_left(at['seconds_left'])}")
    if told.last:
        screen.say(f"  last training {told.last['outcome']}: {told.last['message']}")
    for caution in dict.fromkeys(caution for one in told.serving for caution in _cautions(one)):
        screen.say(f"  caution: {caution}")
    for curve in found.curves:
        for point in curve.points:
            shown = {"value": point.value, "low": point.low, "high": point.high}
            screen.say(f"  {point.version:<16} {point.labels:>5} labels   {curve.metric} {_figure(shown)}")
        screen.say(f"  {curve.advice.sentence}")
    agreed = found.agreement
    if agreed.tasks:
        kappa = "-" if agreed.kappa is None else f"{agreed.kappa:.2f}"
        dice = "-" if agreed.dice is None else f"{agreed.dice:.2f}"
        screen.say(f"  agreement of {agreed.annotators} annotators on {agreed.tasks} tasks: kappa {kappa}, DSC {dice}")
    for problem in found.problems[:PROBLEMS_SHOWN]:
        screen.say(f"  not learnt from: task {problem.task}, annotation {problem.annotation}: {problem.reason}")
    if len(found.problems) > PROBLEMS_SHOWN:
        screen.say(f"  ... and {len(found.problems) - PROBLEMS_SHOWN} more: GET /api/projects/{project}/learning")
    for warning in found.warnings:
        screen.say(f"  {warning}")


def _audited(version: ModelVersion) -> str:
    return f"{version.primary['name']} {_figure(version.primary)}" if version.audited else "unaudited"


def _cautions(version: ModelVersion) -> list[str]:
    """What its figures of single classes must not be believed without."""
    classes = version.figures.get("classes") or ()
    return [f"{version.name}, {one['name']}: {one['caution']}" for one in classes if one.get("caution")]


def _figure(primary: Mapping[str, Any]) -> str:
    if primary.get("value") is None:
        return f"- ({primary.get('reason', '')})"
    interval = "" if primary.get("low") is None else f" ({primary['low']:.3f} to {primary['high']:.3f})"
    return f"{primary['value']:.3f}{interval}"


def _left(seconds: float | None) -> str:
    return "" if seconds is None else f", {seconds / 60:.0f} min left"
