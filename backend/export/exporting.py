"""The export of a project, from Label Studio and the records into one folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from seedqueue.backend.context import Context
from seedqueue.backend.export.choices import ExportChoices
from seedqueue.backend.milestones import Exported


def export_project(
    context: Context, project: int, out: Path, choices: ExportChoices, say: Callable[[str], None]
) -> Exported:
    """Write the dataset of a project into the folder `out` and save the milestone; `say` is told the summary.

    The same labels and choices give the same bytes. `out` must not exist, be empty, or hold an earlier export of the
    same project, which is replaced. Raises `NothingToExport`, `NotOurExport`, `NoRoom`, `FolderUnusable`,
    `LabelConfigUnusable`, `ProjectNotFound`.
    """
    raise NotImplementedError
