"""`seedqueue arrivals`: what the images that came later are like."""

from __future__ import annotations

import typer


def add_to(app: typer.Typer) -> None:
    """Add the commands to the command line."""
