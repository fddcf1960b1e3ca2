"""`seedqueue backup` and `seedqueue restore`: the home in one file and out of it again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from seedqueue.backend import backup as archives
from seedqueue.backend import screen, settings
from seedqueue.backend.context import Context
from seedqueue.backend.errors import FolderUnusable

File = Annotated[Path, typer.Argument(help="the backup, a tar file")]


def backup(file: File) -> None:
    """The home in one file, while all runs: embeddings, records, versions; weights of embedders are left out."""
    with Context(settings.load()) as context:
        try:
            manifest = archives.back_up(context.home, file)
        except OSError as error:
            raise FolderUnusable(file.parent, str(error)) from error
        rows = sum(one["rows"] for one in manifest["tables"].values())
        screen.say(f"{context.settings.home}: {len(manifest['tables'])} tables, {rows:,} rows are in {file}")


def restore(file: File) -> None:
    """Fill an empty home (SEEDQUEUE_HOME) from a backup, once all of it was found whole."""
    with Context(settings.load()) as context:
        manifest = archives.restore(context.home, file)
        rows = sum(one["rows"] for one in manifest["tables"].values())
        screen.say(f"{context.settings.home}: {len(manifest['tables'])} tables, {rows:,} rows of {manifest['made']}")
