"""A project as it was: before its first seed queue, and before this backend came to it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from seedqueue.backend import connection, field_jobs, locking, publish, seeding
from seedqueue.backend.context import Context
from seedqueue.backend.errors import NoSeedQueue
from seedqueue.backend.milestones import Agreed
from seedqueue.backend.people import agreeing, overlaps
from seedqueue.backend.pool_errors import NothingLocked
from seedqueue.backend.records import Run


@dataclass(frozen=True)
class Detached:
    """What was taken away. predictions: of heads, that Label Studio had stored; records stay in the home."""

    queue: bool
    unlocked: int
    predictions: int
    connections: int
    webhooks: int


def undo(context: Context, project: int) -> Run:
    """`seeding.undo`, and what is read in common is read once again. Raises `NoSeedQueue`."""
    give_back(context, project)
    return seeding.undo(context, project)


def give_back(context: Context, project: int) -> None:
    """What is read in common, and its tabs. Before the queue's: the last of our tabs takes the Default one along."""
    overlaps.release(context, project)
    if Agreed.last(context.records, project) is not None:
        agreeing.remove_tabs(context, project)


def detach(context: Context, project: int, progress: Callable[[int, int], None] = lambda done, of: None) -> Detached:
    """Take away queue, reading in common, tabs, locked list, stored pre-annotations, connection and webhook.

    Annotations stay, and so do imported tasks. What the home knows of the project stays too, for `export` and
    `methods`; attaching again goes on from there. Whatever it is cut off at, a second call does the rest. Raises
    `ProjectNotFound`.
    """
    studio, url = context.studio, context.settings.backend_url
    studio.call("GET", f"/api/projects/{project}", project=project)
    queue, unlocked = False, 0
    with suppress(NoSeedQueue):
        undo(context, project)
        queue = True
    with suppress(NothingLocked):
        unlocked = len(locking.unlock(context, project, progress).tasks)
    field_jobs.renewed(context, project)
    removed = _forget_heads(context, project)
    hooks = connection.webhooks(studio, project, url)
    present = [one for one in connection.connections(studio, project) if connection.ours([one], url)]
    for one in present:
        studio.call("DELETE", f"/api/ml/{one.number}", missing_ok=True)
    for hook in hooks:  # Label Studio takes the webhook away with the connection; one that was made by hand it leaves
        studio.call("DELETE", f"/api/webhooks/{hook['id']}/", missing_ok=True)
    return Detached(queue, unlocked, removed, len(present), len(hooks))


def _forget_heads(context: Context, project: int) -> int:
    """Delete what Label Studio stored of our heads' answers; how many."""
    described = context.studio.call("GET", f"/api/projects/{project}", project=project)
    stored = publish.versions(context.studio, project)
    mine = context.versions.said(project, stored)
    others = bool(described["model_version"]) and described["model_version"] not in mine
    for version in sorted(mine):
        if others:  # deleting a version as a whole nulls the project's: cut off in between, nobody would know it
            publish.remove_version(context.studio, project, version)
        else:
            body = {"model_version": version}
            context.studio.call("DELETE", f"/api/projects/{project}/model-versions/", json=body, slow=True)
    return sum(stored[version] for version in mine)
