"""`seedqueue arrivals`: what the images that came later are like."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from seedqueue.backend import screen, settings
from seedqueue.backend.arrivals import words
from seedqueue.backend.arrivals.fresh import draw_fresh_audit
from seedqueue.backend.arrivals.looking import cut_for, look_past
from seedqueue.backend.arrivals.report import Report
from seedqueue.backend.arrivals.seeds import request_seed
from seedqueue.backend.context import Context
from seedqueue.backend.file_names import file_name
from seedqueue.backend.options import Project, within

After = Annotated[
    int | None,
    typer.Option(help="the newest task of the old part  [default: the newest at the last look, or at the first queue]"),
]
Fresh = Annotated[
    int,
    typer.Option(
        "--audit", help="draw so many of the new tasks as a fresh audit slice", callback=within("audit", 0, 10**6)
    ),
]
Seeds = Annotated[
    int, typer.Option("--seed", help="a seed queue of so many of the new tasks", callback=within("seed", 0, 10**6))
]
Metadata = Annotated[
    str | None,
    typer.Option(
        help="fields of task data to compare, comma-separated  [default: view, modality, sex, age, manufacturer]"
    ),
]
Patients = Annotated[str | None, typer.Option(help="field with the patient or study  [default: the standing queue's]")]
Wait = Annotated[bool, typer.Option(help="wait until the seed queue stands")]


def arrivals(
    project: Project,
    after: After = None,
    fresh: Fresh = 0,
    budget: Seeds = 0,
    metadata: Metadata = None,
    group_field: Patients = None,
    wait: Wait = True,
) -> None:
    """What is new, unlike all that is labelled, and drifted among images that came later; audit and seeds of them."""
    names = None if metadata is None else [name.strip() for name in metadata.split(",") if name.strip()]
    with Context(settings.load()) as context:
        cut = cut_for(context, project, after)
        with screen.progress_bar("embedding") as tell:
            if fresh:
                draw_fresh_audit(context, project, cut.after, fresh, tell)
            found = look_past(context, project, cut, names, group_field or "", tell)
        run = request_seed(context, project, cut.after, budget) if budget else None
        found.milestone(run.number if run else 0).save(context.records, project)
        show(found)
        if run is None and (told := words.advice(found)):
            screen.say(f"next: {told}")
        if run:
            screen.follow(context, run, wait=wait)


def show(found: Report) -> None:
    """The sentences, the tests, the farthest images."""
    for line in words.summary(found):
        screen.say(line)
    console = Console(highlight=False, markup=False)
    if rows := words.table(found):
        console.print(_table("compared with the old part", ("what", "size", "p (Holm)", "how"), rows))
    if found.far:
        far = [(str(one.task), file_name(one.uri), f"{one.distance:.3f}") for one in found.far[: words.FAR_SHOWN]]
        title = f"the farthest of {len(found.far)} novel images"
        console.print(_table(title, ("task", "file", "distance"), far))


def _table(title: str, heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Table:
    made = Table(*heads, title=title, box=SIMPLE)
    for row in rows:
        made.add_row(*row)
    return made


def add_to(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command("arrivals")(arrivals)
