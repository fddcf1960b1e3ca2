"""The job that lets task data say what the standing queue says, where the settings allow it, and nothing where not."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from seedqueue.backend import settings, tabs, task_fields
from seedqueue.backend.context import Context
from seedqueue.backend.errors import ProjectNotFound
from seedqueue.backend.records import QueuedTask


def ask(context: Context, project: int) -> None:
    """Have the fields renewed where they are wanted or stand: the queue is another one, or what is labelled."""
    if context.settings.task_fields == "write" or _stand(context, project):
        context.broker.enqueue("learn", "field_jobs.renew", project)  # a queue never waits for it


def renew(project: int) -> None:
    """The job: `renewed`, unless the project was deleted meanwhile, and its tasks with it."""
    with Context(settings.load()) as context, suppress(ProjectNotFound):
        renewed(context, project)


def renewed(context: Context, project: int) -> None:
    """Write what is due, take away what is not; the tab follows, whose columns they are.

    Never beside the tidying, which deletes predictions: of two changes of a task at once Label Studio counts one.
    """
    with context.broker.lock(f"tidy-{project}"):
        _renew(context, project)


def _renew(context: Context, project: int) -> None:
    run, stand = context.records.published_run(project), _stand(context, project)
    queue = context.records.queue(project, run.number) if run else []
    wanted = {}
    if context.settings.task_fields == "write":
        wanted = task_fields.fields_of(queue, _nearest(context, project, queue))
    if not wanted and not stand:
        return
    if wanted and not stand:  # before the first is written: what is not known to be ours is never taken away
        context.records.append("fields", project, run.number if run else 0, {"stand": True})
    written = task_fields.write(context.studio, project, wanted)
    if not wanted:
        context.records.append("fields", project, run.number if run else 0, {"stand": False})
    if written and run is not None:
        tabs.show(context.studio, project)


def _stand(context: Context, project: int) -> bool:
    """Whether we wrote fields that were not taken away since."""
    rows = context.records.bodies("fields", project)
    return bool(rows) and bool(rows[-1][2]["stand"])


def _nearest(context: Context, project: int, queue: list[QueuedTask]) -> Mapping[int, int]:
    """As the newest map tells it."""
    drawn = context.maps.newest(project)
    return {} if drawn is None else drawn.nearest_labelled([one.task for one in queue])
