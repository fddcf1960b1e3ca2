"""What a person sees in the terminal: bars, tables, sentences."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.box import SIMPLE
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.table import Table

from seedqueue.backend import presence, seeding
from seedqueue.backend.context import Context
from seedqueue.backend.errors import RunFailed
from seedqueue.backend.file_names import file_name
from seedqueue.backend.records import QueuedTask, Run
from seedqueue.backend.report_words import plural
from seedqueue.backend.seeding import Status

POLL_SECONDS = 0.3
UNREADABLE_SHOWN = 20

_out = Console(soft_wrap=True, highlight=False, markup=False)
_err = Console(stderr=True, soft_wrap=True, highlight=False, markup=False)


def say(text: str) -> None:
    _out.print(text)


def warn(text: str) -> None:
    _err.print(text)


@contextmanager
def progress_bar(label: str) -> Iterator[Callable[[int, int | None], None]]:
    """A bar on standard error, drawn from the first step on; call what it gives with (done, total)."""
    bar = _bar()
    task = bar.add_task(label, total=None)

    def advance(done: int, total: int | None) -> None:
        bar.start()
        bar.update(task, completed=done, total=total)

    try:
        yield advance
    finally:
        if bar.live.is_started:
            bar.stop()


@contextmanager
def downloads() -> Iterator[Callable[[str, int, int | None], None]]:
    """A bar for each file on standard error; call what it gives with (file, bytes so far, total)."""
    columns = (TextColumn("{task.description}"), BarColumn(20), DownloadColumn(), TransferSpeedColumn())
    bar = Progress(*columns, console=_err)
    tasks: dict[str, TaskID] = {}

    def advance(file: str, done: int, total: int | None) -> None:
        bar.start()
        if file not in tasks:
            tasks[file] = bar.add_task(_end_of(file), total=None)
        bar.update(tasks[file], completed=done, total=total)

    try:
        yield advance
    finally:
        if bar.live.is_started:
            bar.stop()


def _end_of(file: str, width: int = 26) -> str:
    """A name that may be very long, at one width: its end, which tells more than its beginning."""
    return f"{file if len(file) <= width else '…' + file[1 - width :]:<{width}}"


@contextmanager
def waiting(label: str) -> Iterator[Callable[[float], None]]:
    """A spinner on standard error; call what it gives with the seconds waited so far."""
    with _err.status(label) as status:
        yield lambda seconds: status.update(f"{label} ({seconds:.0f} s)")


def follow(context: Context, run: Run, *, wait: bool) -> None:
    """Show a run until it ends. Raises `RunFailed` with the run's own error."""
    project = run.project
    if not wait:
        say(f"run {run.number} of project {project} is under way: seedqueue status --project {project}")
        return
    if not presence.listening(context.broker):
        warn("no worker is running yet: start one with `seedqueue serve` or `seedqueue worker`")
    current = _until_ended(context, run)
    if current.state == "failed":
        raise RunFailed(project, run.number, current.error)
    if current.state == "chosen":
        show_queue(
            f"what would be chosen in project {project}; nothing was changed",
            context.records.queue(project, run.number),
        )
        return
    if current.state != "published":
        raise RunFailed(project, run.number, f"it was {current.state}")
    queue = context.records.queue(project, run.number)
    audits = sum(one.audit for one in queue)
    among = f", {plural(audits, 'audit task')} among them," if audits else ""
    say(
        f"{current.version}: {len(queue)} of {current.tasks} tasks{among} stand first in project {project} "
        f"({current.embedded} images embedded now, {current.unreadable} unreadable)"
    )
    for warning in current.warnings:
        warn(warning)


def _until_ended(context: Context, run: Run) -> Run:
    with _bar() as bar:
        task, told = bar.add_task("requested", total=None), ""
        while True:
            found = seeding.status(context, run.project)
            current = found.run if found.run and found.run.number == run.number else None
            current = current or context.records.run(run.project, run.number) or run
            if found.progress:
                bar.update(task, completed=found.progress.done, total=found.progress.total or None)
            bar.update(task, description="waiting" if found.waiting else current.state)
            if found.waiting and found.waiting != told:
                warn(f"it waits: {found.waiting}")
            told = found.waiting
            if not current.active:
                if not current.embedded:
                    bar.update(task, visible=False)  # a bar of nothing says nothing
                elif found.progress is None:
                    bar.update(task, completed=current.embedded, total=current.embedded)
                return current
            time.sleep(POLL_SECONDS)


def show_status(found: Status) -> None:
    """One project's state in a few lines."""
    run = found.run
    if run is None:
        say(f"project {found.project} has no seed queue yet: seedqueue seed --project {found.project}")
        return
    choices = run.choices
    say(f"project {found.project}, run {run.number}: {run.state}")
    say(f"  budget {choices.budget} · embedder {choices.embedder} · selector {choices.selector}")
    say(f"  tasks {run.tasks} · labelled {run.labelled} · unreadable {len(found.unreadable)}")
    if found.progress:
        say(f"  embedding {found.progress.done} of {found.progress.total}")
    if found.waiting:
        say(f"  it waits: {found.waiting}")
    if run.error:
        say(f"  error: {run.error}")
    for warning in run.warnings:
        say(f"  warning: {warning}")
    say(f"  in the annotators' queue: {found.published.version if found.published else 'nothing of ours'}")
    for one in found.unreadable[:UNREADABLE_SHOWN]:
        say(f"  unreadable: task {one.task}, {one.uri or 'no image'}: {one.reason}")
    if len(found.unreadable) > UNREADABLE_SHOWN:
        say(f"  ... and {len(found.unreadable) - UNREADABLE_SHOWN} more: GET /api/projects/{found.project}")


def show_queue(title: str, queue: Sequence[QueuedTask]) -> None:
    """The queue as a table: rank, task, file, cluster, what each stands for."""
    table = Table("rank", "task", "file", "cluster", "stands for", title=title, box=SIMPLE)
    for task in queue:
        file = file_name(task.uri)
        table.add_row(str(task.rank), str(task.task), file, str(task.cluster), f"{task.weight} images")
    Console(highlight=False, markup=False).print(table)


def _bar() -> Progress:
    columns = (TextColumn("{task.description:<10}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=_err)
