"""A locked test list made, lengthened and opened again, in the records and in Label Studio.

Label Studio Community serves every task whose annotations are fewer than its overlap. A locked task is given an overlap
of 0: none of them are too few, whoever asks, also at the end when the queue is used up and tasks come at random.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from seedqueue.backend import audit, locked, publish
from seedqueue.backend.context import Context
from seedqueue.backend.errors import NothingLocked, NothingToLock, TasksInAudit
from seedqueue.backend.locked import Locked
from seedqueue.backend.narrowing import inside_of
from seedqueue.backend.pool import PoolTask, list_pool

Say = Callable[[int, int], None]
# Both: whenever Label Studio counts anew whether a task is done, 0 annotations are not fewer than 0.
UNSERVED = {"overlap": 0, "is_labeled": True}


def lock(
    context: Context,
    project: int,
    tab: str | None = None,
    where: str = "",
    tasks: Sequence[int] = (),
    progress: Say = lambda done, of: None,
) -> Locked:
    """Add the tasks of a tab, of a filter or given ones to the project's list; the list as it stands then.

    The row is written first: where Label Studio fails in between, no run takes a task of the list, and locking
    once more does the rest. Raises `NothingToLock`, `TasksInAudit`, `TabNotFound`, `UnreadableFilter`,
    `ProjectNotFound`.
    """
    group_field = context.settings.group_field
    fields = [group_field] if group_field else []
    if tasks:
        found = [one for one in list_pool(context.studio, project, None, fields) if one.task in set(tasks)]
        source = f"{len(tasks)} tasks given"
    else:
        found = inside_of(context.studio, project, tab, where, fields)
        source = " and ".join(filter(None, [f"tab {tab}" if tab else "", where]))
    missing = sorted(set(tasks) - {one.task for one in found})
    if not found or missing:
        raise NothingToLock(project, source, missing)
    drawn = {one.task for one in audit.frozen(context.records, project)}
    if both := sorted(drawn.intersection(one.task for one in found)):
        raise TasksInAudit(both, len(found))
    with context.broker.lock(f"publish-{project}"):
        standing = _joined(locked.of(context.records, project), found, group_field, source)
        standing.save(context.records, project)
        _keep_from_annotators(context, project, [one for one in found if not one.labelled], progress)
    return standing


def unlock(context: Context, project: int, progress: Say = lambda done, of: None) -> Locked:
    """Open the whole list: its tasks are served and learnt from as all others. Raises `NothingLocked`."""
    with context.broker.lock(f"publish-{project}"):
        standing = locked.of(context.records, project)
        if not standing.tasks:
            raise NothingLocked(project)
        overlap = context.studio.call("GET", f"/api/projects/{project}", project=project)["maximum_annotations"]
        for position, task in enumerate(standing.served, start=1):
            change = {"overlap": overlap, "is_labeled": False}
            context.studio.call("PATCH", f"/api/tasks/{task}/", json=change, missing_ok=True)
            progress(position, len(standing.served))
        Locked((), source="opened").save(context.records, project)
    return standing


def _joined(before: Locked, found: Sequence[PoolTask], group_field: str, source: str) -> Locked:
    known = set(before.tasks)
    added = [one for one in found if one.task not in known]
    groups = {one.fields.get(group_field, "") for one in added} - {""}
    return replace(
        before,
        tasks=(*before.tasks, *(one.task for one in added)),
        uris=(*before.uris, *(one.uri for one in added)),
        groups=tuple(sorted(groups.union(before.groups))),
        served=tuple(sorted({*before.served, *(one.task for one in found if not one.labelled)})),
        source="; ".join(dict.fromkeys(filter(None, [before.source, source]))),
    )


def _keep_from_annotators(context: Context, project: int, tasks: Sequence[PoolTask], progress: Say) -> None:
    """No annotator is served these, and what the standing queue says of them is taken back."""
    run = context.records.published_run(project)
    for position, one in enumerate(tasks, start=1):
        context.studio.call(
            "PATCH", f"/api/tasks/{one.task}/", json={"overlap": 0, "is_labeled": True}, missing_ok=True
        )
        if run is not None:
            publish.withdraw(context.studio, one.task, run.version)
        progress(position, len(tasks))
