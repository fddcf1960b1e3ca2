"""The job that learns, on a queue of its own, one training at a time a project.

Events are hints: the job looks at what Label Studio has now.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, cast

from seedqueue.backend import drawing, logs, publish, refresh, settings, waking
from seedqueue.backend.broker import Broker
from seedqueue.backend.context import Context
from seedqueue.backend.due import due
from seedqueue.backend.errors import KNOWN
from seedqueue.backend.gathering import Gathered, annotation_state, gather
from seedqueue.backend.learn import classes_of, kind_of, train_head
from seedqueue.backend.learning_errors import NothingToTrain
from seedqueue.backend.patience import PASSING
from seedqueue.backend.records import Run
from seedqueue.backend.versions import FAMILY, HeadKind, ModelVersion
from seedqueue.backend.waking import Asked
from seedqueue.models.heads.spec import Progress

SHOWN_SECONDS = 3600.0

logger = logging.getLogger(__name__)


def consider(project: int) -> None:
    """Train what is due, unless more is just coming or another job of the project is at it."""
    with logs.about(project=project), Context(settings.load()) as context:
        if waking.still_coming(context.broker, project):
            waking.wake_again(context.broker, project)
            return
        with context.broker.lock_if_free(_lock(project)) as free:
            if not free:
                waking.wake_again(context.broker, project)
                return
            waking.looking(context.broker, project)
            _learn(context, project)


def tick(context: Context, project: int) -> None:
    """Wake a project whose annotations are others than at the last look: an event was lost, or Redis was.

    Not during a look, which notes what it saw when it ends: each tick would cause another one for nothing.
    """
    if context.broker.is_locked(_lock(project)):
        return
    if context.broker.noted(_state(project)) != annotation_state(context.studio, project):
        waking.wake(context.broker, project)


def _learn(context: Context, project: int) -> None:
    asked = waking.asked(context.broker, project)
    run = context.records.published_run(project)
    if run is None:
        if asked:
            _tell(context, project, "failed", str(NothingToTrain(project, "it has no seed queue, make one first")))
        waking.answered(context.broker, project, asked)
        return
    context.versions.settle(project)
    state = annotation_state(context.studio, project)
    try:
        gathered = gather(context, project, run.choices.group_field)
        made = [_trained(context, run, gathered, head) for head in _due(context, run, gathered, asked)]
    except PASSING:
        raise
    except KNOWN as error:
        made = list[ModelVersion | None]()
        _tell(context, project, "failed", str(error), run)
    except Exception:
        waking.answered(context.broker, project, asked)  # it is told already, and not to be tried for a day
        raise
    finally:
        context.broker.forget(waking.progress_name(project))
    waking.answered(context.broker, project, asked)
    context.broker.note(_state(project), state, waking.KEPT_SECONDS)
    if any(made) or _is_news(context, project):
        _show(context, run)
        drawing.ask_again(context, project)


def show(project: int) -> None:
    """Let the ranks of the standing queue carry what serves now."""
    with Context(settings.load()) as context:
        run = context.records.published_run(project)
        if run is not None:
            refresh.refresh(context, run)


def _show(context: Context, run: Run) -> None:
    """The same at once; where Label Studio is away for a moment, later: the training has not failed by it."""
    try:
        refresh.refresh(context, run)
    except PASSING as error:
        logger.warning("project %s: its queue does not show the new version yet: %s", run.project, error)
        context.broker.enqueue("learn", "learning_jobs.show", run.project, delay=context.pace.shown_later)


def _is_news(context: Context, project: int) -> bool:
    """Whether the queue does not carry yet what serves: the job that promoted it was killed."""
    promoted = context.records.dated("promoted", project)
    shown = [row.at for row in context.records.dated("learning", project) if row.body["outcome"] == "refreshed"]
    return bool(promoted) and (not shown or shown[-1] < promoted[-1].at)


def _due(context: Context, run: Run, gathered: Gathered, asked: Asked | None) -> list[HeadKind]:
    """Which heads are to be trained now. Raises `NothingToTrain` where a training was asked for in vain."""
    s, versions = context.settings, context.versions.all(run.project)
    named = asked.heads if asked else ()
    for head in named:
        if not classes_of(gathered.labelling, head):
            raise NothingToTrain(run.project, f"its label config has nothing for the head {head!r} to say")
    of_themselves = [cast(HeadKind, head) for head in s.auto_heads]
    heads = list(named) or [head for head in of_themselves if classes_of(gathered.labelling, head)]
    left = _seeds_left(context, run)
    found = [
        head
        for head in heads
        if due(
            head,
            gathered.labelled(FAMILY[head]),
            versions,
            classes=classes_of(gathered.labelling, head),
            kind=kind_of(gathered.labelling, head),
            fingerprint=run.fingerprint,
            every=s.train_every,
            seeds_left=left,
            asked=asked is not None,
        )
    ]
    if asked and not found:
        counted = {head: gathered.labelled(FAMILY[head]).tasks for head in heads}
        told = ", ".join(f"{tasks} labelled tasks for {head}" for head, tasks in counted.items()) or "no head fits it"
        raise NothingToTrain(run.project, f"{told}, and nothing new among them")
    return found


def _seeds_left(context: Context, run: Run) -> int:
    """Seeds of the standing queue that nobody has labelled or skipped, audit tasks aside."""
    seeds = {one.task for one in context.records.queue(run.project, run.number) if not one.audit}
    return len(seeds & publish.untouched(context.studio, run.project, run.version))


def _trained(context: Context, run: Run, gathered: Gathered, head: HeadKind) -> ModelVersion | None:
    """Its new version, or None where it failed: that is told, and the project's other head still has its turn."""
    show = _progress(context.broker, run.project, head)
    show(None)
    try:
        made = train_head(context, run, gathered, head, show)
    except PASSING:
        raise
    except KNOWN as error:
        _tell(context, run.project, "failed", f"{head}: {error}", run)
        return None
    except Exception as error:
        _tell(context, run.project, "failed", f"unexpected {type(error).__name__} while training {head}: {error}", run)
        raise
    _tell(context, run.project, "trained", f"{made.name} learnt from {made.labels} tasks: {made.verdict}", run)
    return made


def _progress(broker: Broker, project: int, head: HeadKind) -> Callable[[Progress | None], None]:
    def show(progress: Progress | None) -> None:
        told: dict[str, Any] = {"head": head, "epoch": 0, "epochs": 0, "seconds_left": None}
        if progress is not None:
            told |= {"epoch": progress.epoch, "epochs": progress.epochs, "seconds_left": progress.seconds_left}
        broker.note(waking.progress_name(project), told, SHOWN_SECONDS)

    return show


def _lock(project: int) -> str:
    return f"learn-{project}"


def _state(project: int) -> str:
    return f"learn-state-{project}"


def _tell(context: Context, project: int, outcome: str, message: str, run: Run | None = None) -> None:
    """What became of the last training, for `status` and the model card to show."""
    logger.log(logging.WARNING if outcome == "failed" else logging.INFO, message)
    at = datetime.now(UTC).isoformat(timespec="milliseconds")  # who waits for an end knows two alike apart
    told = {"outcome": outcome, "message": message, "at": at, "run": run.number if run else 0}
    context.records.append("learning", project, 0, told)
