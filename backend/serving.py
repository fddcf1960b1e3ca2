"""How a run's queue comes to stand in its project, is kept standing, and is taken away again."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import asdict

from seedqueue.backend import audit, connection, demand, publish, tabs
from seedqueue.backend.connection import Connection
from seedqueue.backend.context import Context
from seedqueue.backend.errors import PredictionsDropped
from seedqueue.backend.locked import locked
from seedqueue.backend.milestones import Overlap
from seedqueue.backend.pool import list_pool
from seedqueue.backend.publish import Before
from seedqueue.backend.records import QueuedTask, Run

TRIES = 3


def put_in_place(context: Context, run: Run, queue: Sequence[QueuedTask]) -> tuple[str, ...]:
    """Seeds and tail first, then the switch: nobody meets a moment of random order or of no tasks.

    The tail comes from the whole project also where a tab narrowed the seeds: else an annotator would be
    told that there are no tasks once the tab's are locked. Gives warnings for the admin.
    """
    studio, project = context.studio, run.project
    attached = connection.find(studio, project, context.settings.backend_url)
    if not context.records.since(context.records.last_undone(project), "before", project):
        context.records.append("before", project, run.number, asdict(publish.before(studio, project, attached)))
    for tries in range(TRIES, 0, -1):
        try:
            _import(context, run, queue)
            break
        except PredictionsDropped:  # tasks were deleted since the listing
            if tries == 1:
                raise
    publish.switch(studio, project, run.version, attached)
    return () if attached else (_not_attached(context),)


def _import(context: Context, run: Run, queue: Sequence[QueuedTask]) -> None:
    studio, project = context.studio, run.project
    apart = locked(context.records, project)
    unlabelled = {one.task for one in list_pool(studio, project) if not one.labelled and one.task not in apart}
    shared = Overlap.last(context.records, project)
    common = [task for task in (shared.tasks if shared else ()) if task not in apart]
    begun = demand.unfinished(studio, project, common)  # some annotators have yet to read them
    ranked = publish.seed_scores([task.task for task in queue])
    seeds = {task: score for task, score in ranked.items() if task in unlabelled.union(begun)}
    behind = unlabelled.union(begun).difference(ranked)
    audits = [one.task for one in audit.frozen(context.records, project) if one.task in behind.difference(begun)]
    tail = publish.tail(behind, publish.tail_length(studio), first=[*begun, *audits])
    publish.import_scores(studio, project, run.version, seeds | tail)


def show(context: Context, run: Run) -> None:
    """The "Seed queue" tab in the Data Manager."""
    tabs.show(context.studio, run.project)


def name_again(context: Context, run: Run) -> None:
    """The queue's name on the connection, where a look at it during the switch has written the old one back.

    Label Studio saves all of a connection after it has asked the backend how it is, title included.
    """
    attached = connection.find(context.studio, run.project, context.settings.backend_url)
    if attached is not None and attached.title != run.version:
        connection.rename(context.studio, run.project, attached, run.version)


def keep(context: Context, run: Run) -> None:
    """Repair what was undone by accident, and top the tail up where fewer tasks are free than annotators may need."""
    studio, project = context.studio, run.project
    if not studio.call("GET", f"/api/projects/{project}", project=project)["model_version"]:
        # Deleting any predictions in the browser nulls it, and detaching a backend empties it.
        attached = connection.find(studio, project, context.settings.backend_url)
        publish.switch(studio, project, run.version, attached)
    length = publish.tail_length(studio)
    free = publish.untouched_tasks(studio, project, run.version)
    if free >= length:
        return
    apart = locked(context.records, project)
    if free >= publish.untouched_tasks(studio, project) - publish.untouched_of(studio, project, sorted(apart)):
        return
    pool = [one for one in list_pool(studio, project) if one.task not in apart]
    publish.top_up(studio, project, run.version, pool, length)


def clear_earlier(context: Context, run: Run, seconds: float = math.inf) -> bool:
    """After a switch: take away earlier rounds' predictions, pool listings, and the home's small fragments.

    False where so many seconds were not enough for the predictions: call it again.
    """
    stored, until = publish.versions(context.studio, run.project), time.monotonic() + seconds
    for earlier in context.records.runs(run.project):
        if earlier.number < run.number and earlier.version in stored:
            publish.remove_version(context.studio, run.project, earlier.version, until)
            if time.monotonic() >= until:
                return False
        if earlier.number <= run.number:
            context.snapshots.drop(run.project, earlier.number)
    context.home.compact()
    return True


def take_away(context: Context, project: int, earlier: Before, runs: Sequence[Run]) -> None:
    """The project as it stood before the first of these runs."""
    attached = connection.find(context.studio, project, context.settings.backend_url)
    _rename_back(context, project, attached, earlier)
    publish.restore(context.studio, project, earlier, [run.version for run in runs])
    tabs.remove(context.studio, project, default_too=not earlier.had_tabs)


def _rename_back(context: Context, project: int, attached: Connection | None, earlier: Before) -> None:
    title = earlier.title or connection.TITLE  # attached since, under a seed queue's name
    if attached is not None and attached.title != title:
        connection.rename(context.studio, project, attached, title)


def _not_attached(context: Context) -> str:
    return (
        f"the project has no connection to {context.settings.backend_url} (SEEDQUEUE_BACKEND_URL): the order is "
        "served, but pre-annotations and events need `seedqueue attach`"
    )
