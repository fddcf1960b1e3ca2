"""A locked test list made, lengthened and opened again, in the records and in Label Studio.

Label Studio Community serves every task whose annotations are fewer than its overlap. A locked task is given an overlap
of 0: none of them are too few, whoever asks, also at the end when the queue is used up and tasks come at random.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from seedqueue.backend import audit, demand, locked, publish, waking
from seedqueue.backend.context import Context
from seedqueue.backend.locked import Locked
from seedqueue.backend.milestones import Overlap
from seedqueue.backend.narrowing import inside_of
from seedqueue.backend.pool import PoolTask, list_pool
from seedqueue.backend.pool_errors import NothingLocked, NothingToLock, TasksInAudit

Say = Callable[[int, int], None]


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
    with context.broker.lock(f"locked-{project}"):
        with context.broker.lock(f"publish-{project}"):  # no audit slice is drawn, nothing read in common meanwhile
            field = _group_field(context, project)
            found, source = _asked(context, project, tab, where, tasks, [field] if field else [])
            drawn = {one.task for one in audit.frozen(context.records, project)}
            if both := sorted(drawn.intersection(one.task for one in found)):
                raise TasksInAudit(both, len(found))
            described = context.studio.call("GET", f"/api/projects/{project}", project=project)
            entries = demand.stored(context.studio, project, [one.task for one in found])
            had = _had(context, project, entries, described["maximum_annotations"])
            standing = _joined(locked.of(context.records, project), found, had, field, source)
            standing.save(context.records, project)
        demand.tell(context.studio, dict.fromkeys(had, 0), entries, demand.counts_skips(described), progress)
        _take_back(context, project, {one.task for one in found if not one.labelled})
        if context.records.published_run(project) is not None:
            waking.reconcile(context.broker, project)  # others take the ranks
    return standing


def unlock(context: Context, project: int, progress: Say = lambda done, of: None) -> Locked:
    """Open the whole list: its tasks are served and learnt from as all others. Raises `NothingLocked`."""
    with context.broker.lock(f"locked-{project}"):
        standing = locked.of(context.records, project)
        if not standing.tasks:
            raise NothingLocked(project)
        described = context.studio.call("GET", f"/api/projects/{project}", project=project)
        before = dict(standing.before)
        entries = demand.stored(context.studio, project, before)
        demand.tell(context.studio, before, entries, demand.counts_skips(described), progress)
        Locked((), source="opened").save(context.records, project)
    return standing


def _asked(
    context: Context, project: int, tab: str | None, where: str, tasks: Sequence[int], fields: Sequence[str]
) -> tuple[list[PoolTask], str]:
    """What is to be locked, and that in words. Raises `NothingToLock`."""
    if tasks:
        found = [one for one in list_pool(context.studio, project, None, fields) if one.task in set(tasks)]
        source = f"{len(tasks)} tasks given"
    else:
        found = inside_of(context.studio, project, tab, where, fields)
        source = " and ".join(filter(None, [f"tab {tab}" if tab else "", where]))
    missing = sorted(set(tasks) - {one.task for one in found})
    if not found or missing:
        raise NothingToLock(project, source, missing)
    return found, source


def _group_field(context: Context, project: int) -> str:
    """That of the standing queue, by which its heads learn; before the first, that of the settings."""
    run = context.records.published_run(project)
    return run.choices.group_field if run is not None else context.settings.group_field


def _had(context: Context, project: int, entries: Mapping[int, demand.Entry], usual: int) -> dict[int, int]:
    """{task: how many were to read it}; of what is read in common, before it was."""
    common = Overlap.last(context.records, project)
    before = dict(common.before) if common else {}
    return {task: before.get(task) or entry["overlap"] or usual for task, entry in entries.items()}


def _joined(before: Locked, found: Sequence[PoolTask], had: Mapping[int, int], group_field: str, source: str) -> Locked:
    known = set(before.tasks)
    added = [one for one in found if one.task not in known]
    groups = {one.fields.get(group_field, "") for one in added} - {""}
    return replace(
        before,
        tasks=(*before.tasks, *(one.task for one in added)),
        uris=(*before.uris, *(one.uri for one in added)),
        groups=tuple(sorted(groups.union(before.groups))),
        before=(*before.before, *((one.task, had[one.task]) for one in added if one.task in had)),
        source="; ".join(dict.fromkeys(filter(None, [before.source, source]))),
    )


def _take_back(context: Context, project: int, tasks: set[int]) -> None:
    """What the standing queue and heads have said of these: their ranks and their pre-annotations."""
    studio, run = context.studio, context.records.published_run(project)
    ours = context.versions.said(project, publish.versions(studio, project))
    ours |= {run.version} if run is not None else set()
    told = set[int]().union(*(publish.tasks_with_version(studio, project, version) for version in ours))
    for task in sorted(tasks & told):
        publish.withdraw(studio, task, ours)
