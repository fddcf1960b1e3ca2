"""`seedqueue export`: a project as a dataset in a folder."""

from __future__ import annotations

import typer


def add_to(app: typer.Typer) -> None:
    """Add the commands to the command line."""
