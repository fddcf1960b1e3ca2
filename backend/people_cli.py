"""The commands about people: what they read in common, how far they agree, suspected errors, pace."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Annotated

import typer
from rich.console import Console

from seedqueue.backend import screen, settings
from seedqueue.backend.context import Context
from seedqueue.backend.errors import InvalidRequest
from seedqueue.backend.options import Project, within
from seedqueue.backend.people import agreeing, naming, overlaps, pacing, words
from seedqueue.backend.people.disagreements import LEAST_DICE

ByName = Annotated[bool, typer.Option("--by-name", help="e-mail addresses instead of letters")]


def _part(name: str) -> Callable[[float], float]:
    """The check of a number from 0 to 1."""

    def check(value: float) -> float:
        if not 0 <= value <= 1:
            raise InvalidRequest(f"--{name} is {value}; give a number from 0 to 1, such as 0.1 for a tenth.")
        return value

    return check


def overlap(
    project: Project,
    annotators: Annotated[
        int,
        typer.Option(help="how many read each task in common; 1: none any more", callback=within("annotators", 1, 100)),
    ],
    first: Annotated[
        int, typer.Option(help="tasks at the head of the seed queue", callback=within("first", 0, 100_000))
    ] = 10,
    share: Annotated[float, typer.Option(help="of the queue's others, drawn at random", callback=_part("share"))] = 0.1,
) -> None:
    """Let several annotators read a part of the seed queue in common."""
    with _context() as context:
        made = overlaps.share_reading(context, project, annotators, first, share)
        _show(words.of_overlap(project, made, len(context.studio.call("GET", "/api/users/"))))


def agreement(
    project: Project,
    tabs: Annotated[
        bool, typer.Option("--tabs", help="put disagreements and suspected errors into Data Manager tabs")
    ] = False,
    by_name: ByName = False,
    least_dice: Annotated[
        float, typer.Option(help="masks that overlap less are a disagreement", callback=_part("least-dice"))
    ] = LEAST_DICE,
) -> None:
    """How far annotators agree, which tasks divide them, which labels look wrong. Changes no label."""
    with _context() as context:
        _show(words.of_agreement(agreeing.look_at_agreement(context, project, tabs, by_name, least_dice)))


def pace(project: Project, by_name: ByName = False) -> None:
    """How fast labels come, and when the queue and the pool would be done."""
    with _context() as context:
        found = pacing.pace(context, project)
        names = naming.names_of(context, project, [one.annotator for one in found.people], by_name)
        _show(words.of_pace(project, found, names))


def add_to(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command("overlap")(overlap)
    app.command("agreement")(agreement)
    app.command("pace")(pace)


def _show(parts: Iterable[words.Part]) -> None:
    tables = Console(highlight=False, markup=False)
    for part in parts:
        if isinstance(part, str):
            screen.say(part)
        else:
            tables.print(part)


def _context() -> Context:
    return Context(settings.load())
