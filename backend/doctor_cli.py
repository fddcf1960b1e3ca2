"""`seedqueue doctor`: what it says in the terminal."""

from __future__ import annotations

import json
from collections import Counter
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from seedqueue.backend import settings
from seedqueue.backend.context import Context
from seedqueue.backend.doctor.examination import examine
from seedqueue.backend.doctor.lines import Level, Line, told, worst
from seedqueue.backend.options import within

LOOKS: dict[Level, tuple[str, str]] = {
    "green": ("✔", "green"),
    "yellow": ("!", "yellow"),
    "red": ("✘", "bold red"),
    "skipped": ("·", "dim"),
}
INDENT = " " * 12

ProjectNumber = Annotated[
    int | None, typer.Option(help="a project's number in Label Studio, to look at it too  [default: none]")
]


def doctor(
    project: ProjectNumber = None,
    as_json: Annotated[bool, typer.Option("--json", help="the same for programs")] = False,
    scratch_user: Annotated[
        bool, typer.Option("--scratch-user", help="sign a user up who asks for a task, and delete it")
    ] = False,
) -> None:
    """Look at every precondition, each fault with its mend; exit status 1 where something is red."""
    if project is not None:
        within("project", 1, 2**63 - 1)(project)
    console = Console(soft_wrap=True, highlight=False, markup=False)
    with Context(settings.load()) as context:
        lines = examine(
            context,
            project,
            scratch_user=scratch_user,
            show=(lambda line: None) if as_json else (lambda line: console.print(drawn(line))),
        )
    if as_json:
        typer.echo(json.dumps(told(lines), indent=2, ensure_ascii=False))
    else:
        console.print(Text(f"\n{summary(lines)}"))
    if worst(lines) == "red":
        raise typer.Exit(1)


def drawn(line: Line) -> Text:
    """A mark and a word in the level's colour, the check, what was found; the mend below."""
    mark, style = LOOKS[line.level]
    text = Text()
    text.append(f"{mark} {line.level:<8}", style=style)
    text.append(f"  {line.check}: ", style="bold")
    text.append(line.message)
    if line.mend:
        text.append(f"\n{INDENT}{line.mend}", style="italic")
    return text


def summary(lines: list[Line]) -> str:
    counted = Counter(line.level for line in lines)
    return ", ".join(f"{counted[level]} {level}" for level in LOOKS if counted[level])
