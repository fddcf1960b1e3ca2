"""Named errors of an export."""

from __future__ import annotations

from pathlib import Path

from seedqueue.backend.errors import SeedqueueError


class SplitsUnusable(SeedqueueError):
    status = 422

    def __init__(self, text: str, reason: str) -> None:
        super().__init__(
            f"--splits {text!r} cannot be used: {reason}. Give names with percents that sum to 100: "
            "train=70,val=15,test=15."
        )


class NothingToExport(SeedqueueError):
    """A project without a single label. first: why one of its annotations does not count."""

    status = 409

    def __init__(self, project: int, tasks: int, first: str = "") -> None:
        told = f" (the first problem: {first})" if first else ""
        super().__init__(f"None of the {tasks} tasks of project {project} has a label{told}. Annotate some first.")


class NotOurExport(SeedqueueError):
    """A folder that holds something else than an earlier export of the same project."""

    status = 409

    def __init__(self, folder: Path, reason: str) -> None:
        super().__init__(
            f"The folder {folder} is not empty and is not replaced: {reason}. Give a new or empty folder, or one with "
            "an earlier export of the same project."
        )


class NoRoom(SeedqueueError):
    """The disk is full: nothing stands under the export's name that was not there before."""

    status = 507

    def __init__(self, folder: Path, reason: str) -> None:
        super().__init__(
            f"There is no room for the export beside {folder} ({reason}). Nothing was changed there. Free some, or "
            "give a folder on another disk."
        )
