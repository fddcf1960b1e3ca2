"""All checks in their order, and which stands on which."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from seedqueue.backend.context import Context
from seedqueue.backend.doctor import images, link, machine, order, scratch, server
from seedqueue.backend.doctor.lines import Examination, Line
from seedqueue.backend.doctor.subject import Subject

PROJECT = "project"


def examine(
    context: Context,
    project: int | None = None,
    *,
    scratch_user: bool = False,
    show: Callable[[Line], None] = lambda line: None,
) -> list[Line]:
    """Look at every precondition; with a project, also at all that concerns it.

    It changes nothing. scratch_user: sign a user up who asks for a task, and delete it. show: called with each line
    as soon as it is there.
    """
    found = Examination(show)
    of = found.look
    of(server.REACHABLE, partial(server.reachable, context))
    of(server.TOKEN, partial(server.token, context), [server.REACHABLE])
    of(server.VERSION, partial(server.version, context), [server.TOKEN])
    of(server.BACKEND, partial(server.backend, context))
    of(machine.REDIS, partial(machine.redis, context))
    of(machine.WORKERS, partial(machine.workers, context), [machine.REDIS])
    subject = Subject(context, project) if project is not None else None
    of(machine.WEIGHTS, lambda: machine.weights(context.settings.weights, _embedder(context, subject)))
    of(machine.PROCESSOR, partial(machine.processor, context))
    of(machine.GPU, partial(machine.gpu, context))
    of(machine.DISK, partial(machine.disk, context))
    of(
        link.PRIVATE,
        lambda: link.private_addresses(context.studio, context.settings.backend_url),
        [server.TOKEN],
    )
    if subject is not None:
        _project(found, subject, scratch_user=scratch_user)
    return found.lines


def _project(found: Examination, subject: Subject, *, scratch_user: bool) -> None:
    of = found.look
    of(PROJECT, partial(_described, subject), [server.TOKEN])
    of(images.CONFIG, partial(images.label_config, subject), [PROJECT])
    of(images.IMAGES, partial(images.images, subject), [images.CONFIG])
    of(link.ATTACHED, partial(link.attached, subject), [PROJECT])
    of(link.REACHED, partial(link.reached, subject), [link.ATTACHED])
    of(link.WEBHOOK, partial(link.webhook, subject), [link.ATTACHED])
    of(link.EVENT, partial(link.event, subject, found.lines), [link.ATTACHED, machine.REDIS])
    of(order.PLACE, partial(order.in_place, subject), [PROJECT])
    of(order.MEMBERS, partial(order.members, subject), [PROJECT])
    of(order.ORDER, partial(order.order, subject), [order.PLACE])
    if scratch_user:
        if any(line.check == order.PLACE and line.level != "skipped" for line in found.lines):
            of(scratch.SERVED, partial(scratch.served, subject))
        else:
            found.skip(scratch.SERVED, f"This needs {order.PLACE!r} first.")


def _described(subject: Subject) -> Sequence[Line]:
    found = subject.described
    told = f"{found['title']!r}: {found['task_number']} tasks, {found['num_tasks_with_annotations']} of them labelled."
    return [Line(PROJECT, "green", told)]


def _embedder(context: Context, subject: Subject | None) -> str:
    """The embedder of the project's queue, else the one of the settings."""
    if subject is not None and subject.published is not None:
        return subject.published.choices.embedder
    return context.settings.embedder
