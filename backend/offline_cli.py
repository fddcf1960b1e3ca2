"""`seedqueue bundle` and `seedqueue sbom`: for machines without a network."""

from __future__ import annotations

import typer


def add_to(app: typer.Typer) -> None:
    """Add the commands to the command line."""
