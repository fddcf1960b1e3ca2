"""What can keep an import from being done."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from seedqueue.backend.errors import SeedqueueError


class PrivateFolderMissing(SeedqueueError):
    """Nobody said where names and keys are to stay, and the home is no folder of this machine."""

    status: ClassVar[int] = 422

    def __init__(self, home: str) -> None:
        super().__init__(
            f"The home {home} is an object store: give the folder on this machine where the secret key and the "
            "patients' names stay, --private DIR."
        )


class PrivateFolderOpen(SeedqueueError):
    """Others than its owner may look into the folder that holds patients' names."""

    def __init__(self, folder: Path, mode: int) -> None:
        super().__init__(
            f"Others may look into {folder} (its mode is {mode:04o}), which is to hold patients' names: "
            f"`chmod 700 {folder}`, or give another one with --private."
        )


class PrivateFolderUnusable(SeedqueueError):
    def __init__(self, folder: Path, reason: str) -> None:
        super().__init__(f"The private folder {folder} cannot be used ({reason}). Give another with --private.")


class KeyMissing(SeedqueueError):
    """The key is gone with which the pseudonyms in a file were made."""

    def __init__(self, made: Path) -> None:
        super().__init__(
            f"{made.parent} holds a {made.name} and no secret.key: new pseudonyms would not match the old ones. Put "
            "the key back from a backup, or give an empty folder with --private to begin anew."
        )


class KeyUnusable(SeedqueueError):
    def __init__(self, file: Path) -> None:
        super().__init__(
            f"{file} is no key of seedqueue's (64 hexadecimal digits): put the right one back from a backup."
        )


class ImportRunning(SeedqueueError):
    """Two imports at once would not see each other's tasks."""

    status: ClassVar[int] = 409

    def __init__(self, folder: Path) -> None:
        super().__init__(f"Another import is running with {folder}. Wait for it to end.")


class SourceMissing(SeedqueueError):
    status: ClassVar[int] = 422

    def __init__(self, source: Path) -> None:
        super().__init__(f"There is no {source}: give a folder of images, or a CSV with a column `file`.")


class ColumnMissing(SeedqueueError):
    """A column was named that the table does not have, or that is not for the user to fill."""

    status: ClassVar[int] = 422

    def __init__(self, column: str, reason: str) -> None:
        super().__init__(f"The column {column!r} cannot be used: {reason}.")


class NoRoom(SeedqueueError):
    """The disk is full, or may not be written. sent: tasks that are in the project already."""

    status: ClassVar[int] = 507

    def __init__(self, place: Path, reason: str, sent: int) -> None:
        self.sent = sent
        super().__init__(
            f"Nothing more can be written to {place} ({reason}); {sent} tasks are in the project. Make room and run "
            "the same command again: it goes on where it stopped."
        )


class UploadLost(SeedqueueError):
    """Label Studio took files and does not tell under which names."""

    status: ClassVar[int] = 502

    def __init__(self, wanted: int, found: int) -> None:
        super().__init__(
            f"Label Studio took {wanted} images and tells of {found}. No task was made of them: run the command again."
        )


class TasksMissing(SeedqueueError):
    """Label Studio answered, and the tasks are not there."""

    status: ClassVar[int] = 502

    def __init__(self, sent: int, found: int) -> None:
        super().__init__(
            f"Of {sent} tasks that were sent, Label Studio has {found}. Run the command again for the others."
        )


class UploadsUnsupported(SeedqueueError):
    """Label Studio uploads files only where task data has one value."""

    status: ClassVar[int] = 409

    def __init__(self, project: int, keys: list[str]) -> None:
        super().__init__(
            f"The label config of project {project} shows several values of a task ({', '.join(keys)}); Label Studio "
            "takes uploads only where there is one. Give --out DIR and --url PREFIX, and serve the images yourself."
        )


class PlaceExposed(SeedqueueError):
    """The images' folder and the private one lie within each other."""

    status: ClassVar[int] = 422

    def __init__(self, out: Path, private: Path) -> None:
        super().__init__(
            f"--out {out} and the private folder {private} lie within each other, and --out is served to annotators: "
            "give folders apart."
        )
