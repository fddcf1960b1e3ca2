"""`seedqueue import`: a folder of images or DICOM, or a CSV, into a project."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from seedqueue.backend import screen, settings
from seedqueue.backend.context import Context
from seedqueue.backend.intake.asked import ImportChoices
from seedqueue.backend.intake.importing import Outcome, import_images
from seedqueue.backend.intake.near import THRESHOLD
from seedqueue.backend.intake.words import summary
from seedqueue.backend.options import Project


def import_(
    project: Project,
    source: Annotated[Path, typer.Argument(help="a folder of images or DICOM, or a CSV with a column `file`")],
    private: Annotated[
        Path | None,
        typer.Option(help="where the key, the map of patients and the lists stay  [default: beside SEEDQUEUE_HOME]"),
    ] = None,
    patient_field: Annotated[str, typer.Option(help="the CSV's column with the patient")] = "patient",
    field: Annotated[
        list[str] | None, typer.Option(help="a further column of the CSV that becomes a field, repeatable")
    ] = None,
    near: Annotated[int, typer.Option(help="bits of 256 in which near duplicates differ at most, -1: off")] = THRESHOLD,
    check: Annotated[bool, typer.Option("--check", help="report only, send nothing")] = False,
    out: Annotated[Path | None, typer.Option(help="write the PNGs here instead of uploading them")] = None,
    url: Annotated[str, typer.Option(help="the address that --out is served under, its end included")] = "",
    trust_ids: Annotated[
        bool, typer.Option("--trust-ids", help="one patient id is one patient, whatever names say")
    ] = False,
) -> None:
    """Import images: pseudonymous, as PNG, each once; says first what is unreadable, double or shows text."""
    choices = ImportChoices(private, patient_field, tuple(field or ()), near, check, out, url, trust_ids)
    with Context(settings.load()) as context:
        outcome = import_images(context, project, source, choices, screen.warn, screen.progress_bar)
    show(outcome, project)


def show(outcome: Outcome, project: int) -> None:
    """The summary, and where the private files are."""
    title = f"import into project {project}" + (", checked only: nothing was sent" if outcome.checked else "")
    table = Table("", "images", "list", title=title, box=SIMPLE)
    for row in summary(outcome.imported, checked=outcome.checked):
        table.add_row(*row)
    Console(highlight=False, markup=False).print(table)
    unreadable = outcome.imported.unreadable
    for name, reason in unreadable[: screen.UNREADABLE_SHOWN]:
        screen.say(f"unreadable: {name}: {reason}")
    if len(unreadable) > screen.UNREADABLE_SHOWN:
        screen.say(f"... and {len(unreadable) - screen.UNREADABLE_SHOWN} more in unreadable.csv")
    if outcome.left:
        screen.say(f"columns that were not taken: {', '.join(outcome.left)} (--field NAME takes one)")
    screen.say(f"lists with file names: {outcome.lists}")
    screen.say(f"key and map of the pseudonyms, never to be passed on, worth a backup: {outcome.private}")


def add_to(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command("import")(import_)
