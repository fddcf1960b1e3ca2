"""The text of a table and its rows: plain or gzipped, with or without a byte order mark, any newlines."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from seedqueue.experiments.datasets.errors import LabelTableUnusable

_GZIP = b"\x1f\x8b"
_WIDE = (b"\xff\xfe", b"\xfe\xff")
_SPLITS = {
    "": "",
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
    "testing": "test",
}


@dataclass(frozen=True)
class Row:
    """The cells of one line, blanks around them taken off; number: of the line, from 1."""

    number: int
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Columns:
    """The header of a table."""

    path: Path
    names: tuple[str, ...]

    def find(self, name: str) -> int | None:
        """Where a column is, by its exact name or else whatever the case."""
        if name in self.names:
            return self.names.index(name)
        folded = [each.casefold() for each in self.names]
        return folded.index(name.strip().casefold()) if name.strip().casefold() in folded else None

    def require(self, name: str, mend: str) -> int:
        """The same. Raises `LabelTableUnusable`, which lists the columns."""
        found = self.find(name)
        if found is None:
            listed = ", ".join(each for each in self.names if each)
            raise LabelTableUnusable(self.path, f"it has no column {name!r}, but: {listed}", mend)
        return found


def read_text(path: Path) -> str:
    """The whole text, without a byte order mark. Raises `LabelTableUnusable`."""
    mend = "save it as CSV in UTF-8"
    try:
        content = path.read_bytes()
        if content.startswith(_GZIP):
            content = gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise LabelTableUnusable(path, reason, "give the file with the labels") from error
    if content.startswith(_WIDE):
        raise LabelTableUnusable(path, "it is in UTF-16", mend)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise LabelTableUnusable(path, f"byte {error.start} is no UTF-8", mend) from error
    if not text.strip():
        raise LabelTableUnusable(path, "it is empty", "give the file with the labels")
    return text


def read_rows(path: Path, text: str) -> list[Row]:
    """The lines that hold something, the header first. Separated by commas, or by semicolons or tabs as its first line.

    Raises `LabelTableUnusable`, also where a line has more cells than the first.
    """
    first = text.lstrip().splitlines()[0]
    separator = next((each for each in (",", ";", "\t") if each in first), ",")
    found = []
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True, strict=True)
        for cells in reader:
            stripped = tuple(cell.strip() for cell in cells)
            if any(stripped):
                found.append(Row(reader.line_num, stripped))
    except csv.Error as error:
        raise LabelTableUnusable(path, f"line {reader.line_num}: {error}", "mend the line") from error
    width = len(found[0].cells)
    for row in found:
        if any(row.cells[width:]):
            reason = f"line {row.number} has {len(row.cells)} cells and the first line {width}"
            raise LabelTableUnusable(path, reason, "put cells that hold a separator in quotes")
    return found


def cell(row: Row, at: int | None) -> str:
    """A cell; "" where the column is not there or the line too short."""
    return row.cells[at] if at is not None and at < len(row.cells) else ""


def split_of(path: Path, row: Row, given: str) -> str:
    """ "train", "val", "test" or "". Raises `LabelTableUnusable`."""
    found = _SPLITS.get(given.casefold())
    if found is None:
        raise LabelTableUnusable(
            path, f"line {row.number} names the split {given!r}", "name it train, val or test, or leave it empty"
        )
    return found


def joined(labels: str) -> tuple[str, ...]:
    """The labels of a cell, joined by |, each once."""
    return tuple(dict.fromkeys(each.strip() for each in labels.split("|") if each.strip()))


def posix(file: str) -> str:
    """A path as tables from anywhere give it, with slashes and without `./`."""
    path = file.replace("\\", "/")
    while path.startswith("./"):
        path = path[2:]
    return path


def differing(path: Path, file: str, lines: Sequence[int], said: Sequence[object], mend: str) -> LabelTableUnusable:
    """Two lines on one image that say different things."""
    both = f"lines {lines[0]} and {lines[1]} say {said[0]} and {said[1]}"
    return LabelTableUnusable(path, f"{both} of {file}", mend)
