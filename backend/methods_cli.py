"""`seedqueue methods`: the methods section of a paper, from the records."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from seedqueue.backend import screen, settings
from seedqueue.backend.context import Context
from seedqueue.backend.methods.writing import write_methods
from seedqueue.backend.options import Project


def add_to(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command()(methods)


def methods(
    project: Project,
    out: Annotated[Path, typer.Option(help="the folder to write to; files of the same names are replaced")],
    sources: Annotated[bool, typer.Option(help="with a table of the records behind each sentence")] = False,
) -> None:
    """The methods section of a paper, its flow diagram, model card and references, from the records alone."""
    with Context(settings.load()) as context:
        for path in write_methods(context, project, out, sources=sources):
            screen.say(str(path))
