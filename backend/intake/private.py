"""The folder that stays on the lab's side: the secret key, the map of pseudonyms, reports with file names."""

from __future__ import annotations

import csv
import fcntl
import os
import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from seedqueue.backend.folder import replacing
from seedqueue.backend.intake.errors import (
    ImportRunning,
    KeyMissing,
    KeyUnusable,
    PrivateFolderMissing,
    PrivateFolderOpen,
    PrivateFolderUnusable,
)
from seedqueue.backend.intake.ledger import for_owner

KEY, MAP, LOCK = "secret.key", "uid-map.csv", "import.lock"
KEYED = (MAP, "looked-at-*.csv")  # what only the key with which it was made can go on with
KEY_BYTES = 32


@dataclass(frozen=True)
class Private:
    """An opened private folder, mode 0700; its files are 0600."""

    folder: Path
    key: bytes

    def reports(self, project: int) -> Path:
        """Where the lists of this project's last import lie."""
        return self.folder / f"project-{project}"

    def write(self, project: int, name: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Path:
        """A list as CSV, replaced as a whole."""
        folder = self.reports(project)
        folder.mkdir(mode=0o700, exist_ok=True)
        path = folder / name
        with replacing(path) as part, for_owner(part, "w") as opened:
            writer = csv.writer(opened)
            writer.writerow(columns)
            writer.writerows(rows)
        return path

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Raises `ImportRunning` while another process is in here."""
        with _alone(self.folder):
            yield


def place_of(home: Path | str, asked: Path | None) -> Path:
    """The folder that was asked for, or the home's neighbour. Raises `PrivateFolderMissing`."""
    if asked is not None:
        return asked.expanduser().absolute()
    if isinstance(home, str):
        raise PrivateFolderMissing(home)
    return home.with_name(f"{home.name}-private")


def open_private(folder: Path) -> Private:
    """Make or open the folder and its key.

    Raises `PrivateFolderOpen`, `PrivateFolderUnusable`, `KeyMissing`, `KeyUnusable`; `ImportRunning` where another
    process is making the key.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        mode = folder.stat().st_mode & 0o777
        if mode & 0o077:
            raise PrivateFolderOpen(folder, mode)
        return Private(folder, _key(folder))
    except OSError as error:
        raise PrivateFolderUnusable(folder, error.strerror or str(error)) from error


def _key(folder: Path) -> bytes:
    file = folder / KEY
    if not file.exists():
        with _alone(folder):  # of two that begin at once, one would go on with a key that the other replaced
            if not file.exists():
                _make_key(file)
    try:
        key = bytes.fromhex(file.read_text(encoding="ascii").strip())
    except ValueError as error:
        raise KeyUnusable(file) from error
    if len(key) != KEY_BYTES:
        raise KeyUnusable(file)
    return key


def _make_key(file: Path) -> None:
    """Whole or not at all. Raises `KeyMissing` where something was made with an earlier one."""
    if made := [path for name in KEYED for path in file.parent.glob(name)]:
        raise KeyMissing(made[0])
    with replacing(file) as part, for_owner(part, "w") as opened:
        opened.write(secrets.token_hex(KEY_BYTES) + "\n")
        opened.flush()
        os.fsync(opened.fileno())


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    with for_owner(folder / LOCK, "a") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ImportRunning(folder) from error
        yield
