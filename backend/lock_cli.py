"""`seedqueue lock`, `unlock` and `detach`: tasks kept apart, and a project left as it was found."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from seedqueue.backend import detaching, locking, screen, settings
from seedqueue.backend.context import Context
from seedqueue.backend.errors import InvalidRequest
from seedqueue.backend.options import Project, Where

LONGEST = 20  # Python refuses to read a number of thousands of digits


def lock(
    project: Project,
    tab: Annotated[str | None, typer.Option(help="the tasks of this Data Manager tab (title or number)")] = None,
    where: Where = "",
    tasks: Annotated[Path | None, typer.Option(help="a file with a task's number in each line")] = None,
) -> None:
    """Keep tasks apart as a test list: never chosen, served or learnt from, and heads are judged on them."""
    if sum(map(bool, (tab or where, tasks))) != 1:
        raise InvalidRequest("Say which tasks: --tab and --where, or --tasks with a file of their numbers.")
    numbers = _numbers(tasks) if tasks else []
    with _context() as context, screen.progress_bar("locking") as advance:
        found = locking.lock(context, project, tab, where, numbers, advance)
    screen.say(f"{len(found.tasks)} tasks of project {project} are locked ({found.source}); nobody is served them")


def unlock(project: Project) -> None:
    """Open the locked test list: its tasks are served and learnt from as all others."""
    with _context() as context, screen.progress_bar("opening") as advance:
        found = locking.unlock(context, project, advance)
    screen.say(f"{len(found.tasks)} tasks of project {project} are open again")


def detach(project: Project) -> None:
    """Leave the project as it was: queue, locked list, pre-annotations, connection and webhook are taken away."""
    with _context() as context, screen.progress_bar("opening") as advance:
        done = detaching.detach(context, project, advance)
    queue = "its seed queue" if done.queue else "no seed queue"
    link = "its connection" if done.connections else "no connection"
    screen.say(
        f"project {project} is as it was. Taken away: {queue}, {done.unlocked} locked tasks, {done.predictions} stored "
        f"pre-annotations, {link}. Annotations and tasks stay."
    )


def add_to(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    for command in (lock, unlock, detach):
        app.command()(command)


def _numbers(file: Path) -> list[int]:
    try:
        lines = file.read_text(encoding="utf-8").split()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidRequest(f"--tasks {file} cannot be read: {error}.") from error
    if wrong := next((line for line in lines if not (line.isdecimal() and len(line) < LONGEST)), None):
        raise InvalidRequest(f"--tasks {file} holds {wrong!r}, which is no task's number.")
    if not lines:
        raise InvalidRequest(f"--tasks {file} holds no task's number.")
    return [int(line) for line in lines]


def _context() -> Context:
    return Context(settings.load())
