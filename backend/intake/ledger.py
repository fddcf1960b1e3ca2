"""A CSV that only grows, whatever breaks off; for its owner's eyes alone."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

BYTES = "surrogateescape"  # paths that are not valid Unicode come back as the bytes they were


class Ledger:
    """A CSV that only grows; a line that a crash cut short is left out when it is read again."""

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        self.path, self.columns = path, tuple(columns)

    def rows(self) -> Iterator[dict[str, str]]:
        if not self.path.exists():
            return
        content = self.path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]  # cut as bytes: a crash may leave half a letter
        for row in csv.DictReader(io.StringIO(whole.decode(errors=BYTES), newline="")):
            if None not in row and all(row.get(name) is not None for name in self.columns):
                yield row

    def add(self, rows: Sequence[Mapping[str, object]]) -> None:
        """Behind the others, and on the disk when this returns."""
        if not rows:
            return
        if self.path.exists() and not _ends_a_line(self.path):
            content = self.path.read_bytes()
            os.truncate(self.path, content.rfind(b"\n") + 1)
        with for_owner(self.path, "a") as opened:
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
def for_owner(path: Path, mode: str) -> Iterator[IO[str]]:
    """A text file that nobody else may read from its first moment on."""

    def owned(name: str, flags: int) -> int:
        return os.open(name, flags, 0o600)

    with open(path, mode, encoding="utf-8", errors=BYTES, newline="", opener=owned) as it:
        yield it
