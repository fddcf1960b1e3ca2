"""`seedqueue import`: a folder of images or DICOM, or a CSV, into a project."""

from __future__ import annotations

import typer


def add_to(app: typer.Typer) -> None:
    """Add the commands to the command line."""
