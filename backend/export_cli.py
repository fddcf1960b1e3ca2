"""`seedqueue export`: a project as a dataset in a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from seedqueue.backend import screen, settings
from seedqueue.backend.context import Context
from seedqueue.backend.export.choices import ExportChoices, parse_splits
from seedqueue.backend.export.exporting import export_project
from seedqueue.backend.options import Project, within

PATIENT = "patient"


def export(
    project: Project,
    out: Annotated[Path, typer.Option(help="the folder: new, empty, or with an earlier export of this project")],
    splits: Annotated[str, typer.Option(help="names with percents")] = "train=70,val=15,test=15",
    group_field: Annotated[
        str | None,
        typer.Option(help=f"field with the patient  [default: SEEDQUEUE_GROUP_FIELD, else {PATIENT}]"),
    ] = None,
    random_seed: Annotated[int, typer.Option(help="of the splits", callback=within("random-seed", 0, 2**31 - 1))] = 0,
    images: Annotated[bool, typer.Option("--images", help="the images' bytes too")] = False,
) -> None:
    """The project as a dataset: labels with their provenance, masks, splits by patient, a manifest."""
    shares = parse_splits(splits)
    loaded = settings.load()
    field = group_field if group_field is not None else loaded.group_field or PATIENT
    choices = ExportChoices(shares, field, random_seed, images)
    said: list[str] = []
    with Context(loaded) as context, screen.progress_bar("exporting") as advance:
        export_project(context, project, out, choices, said.append, advance)
    for line in said:  # behind the bar
        screen.say(line)


def add_to(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command("export")(export)
