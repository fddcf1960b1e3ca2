"""The commands about people: what they read in common, how far they agree, suspected errors, pace."""

from __future__ import annotations

import typer


def add_to(app: typer.Typer) -> None:
    """Add the commands to the command line."""
