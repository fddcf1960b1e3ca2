"""The folder that stays on the lab's side: the secret key, the map of pseudonyms, reports with file names."""

from __future__ import annotations

import csv
import fcntl
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from seedqueue.backend.folder import replacing
from seedqueue.backend.intake.errors import (
    ImportRunning,
    KeyMissing,
    KeyUnusable,
    PrivateFolderMissing,
    PrivateFolderOpen,
    PrivateFolderUnusable,
)

KEY, MAP, LOCK = "secret.key", "uid-map.csv", "import.lock"
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
        with replacing(path) as part, _opened(part, "w") as opened:
            writer = csv.writer(opened)
            writer.writerow(columns)
            writer.writerows(rows)
        return path

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Raises `ImportRunning` while another process is in here."""
        with _opened(self.folder / LOCK, "a") as held:
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise ImportRunning(self.folder) from error
            yield


def place_of(home: Path | str, asked: Path | None) -> Path:
    """The folder that was asked for, or the home's neighbour. Raises `PrivateFolderMissing`."""
    if asked is not None:
        return asked.expanduser().absolute()
    if isinstance(home, str):
        raise PrivateFolderMissing(home)
    return home.with_name(f"{home.name}-private")


def open_private(folder: Path) -> Private:
    """Make or open the folder and its key. Raises `PrivateFolderOpen`, `PrivateFolderUnusable`, `KeyMissing`."""
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
        if (folder / MAP).exists():
            raise KeyMissing(folder)
        with replacing(file) as part, _opened(part, "w") as opened:  # whole or not at all
            opened.write(secrets.token_hex(KEY_BYTES) + "\n")
            opened.flush()
            os.fsync(opened.fileno())
    try:
        key = bytes.fromhex(file.read_text(encoding="ascii").strip())
    except ValueError as error:
        raise KeyUnusable(file) from error
    if len(key) != KEY_BYTES:
        raise KeyUnusable(file)
    return key


class Ledger:
    """A CSV that only grows; a line that a crash cut short is left out when it is read again."""

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        self.path, self.columns = path, tuple(columns)

    def rows(self) -> Iterator[dict[str, str]]:
        if not self.path.exists():
            return
        with self.path.open(encoding="utf-8", newline="") as opened:
            whole = opened if _ends_a_line(self.path) else opened.readlines()[:-1]
            for row in csv.DictReader(whole):
                if None not in row and all(row.get(name) is not None for name in self.columns):
                    yield row

    def add(self, rows: Sequence[Mapping[str, object]]) -> None:
        """Behind the others, and on the disk when this returns."""
        if not rows:
            return
        if self.path.exists() and not _ends_a_line(self.path):
            content = self.path.read_bytes()
            os.truncate(self.path, content.rfind(b"\n") + 1)
        with _opened(self.path, "a") as opened:
            writer = csv.DictWriter(opened, self.columns)
            if opened.tell() == 0:
                writer.writeheader()
            writer.writerows(rows)
            opened.flush()
            os.fsync(opened.fileno())


def _ends_a_line(path: Path) -> bool:
    with path.open("rb") as opened:
        if opened.seek(0, os.SEEK_END) == 0:
            return True
        opened.seek(-1, os.SEEK_END)
        return opened.read(1) == b"\n"


@contextmanager
def _opened(path: Path, mode: str) -> Iterator[IO[str]]:
    """A text file that nobody else may read from its first moment on."""
    with open(path, mode, encoding="utf-8", newline="", opener=lambda name, flags: os.open(name, flags, 0o600)) as it:
        yield it
