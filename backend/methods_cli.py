"""`seedqueue methods`: the methods section of a paper, from the records."""

from __future__ import annotations

import typer


def add_to(app: typer.Typer) -> None:
    """Add the commands to the command line."""
