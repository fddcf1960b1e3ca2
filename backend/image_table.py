"""What is known of the images of a folder: a CSV table with a column `file`, matched to the files."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from seedqueue.backend.errors import TableUnusable

Row = Mapping[str, str]


def read_table(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file with a header and a column `file`. Raises `TableUnusable`."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as opened:
            reader = csv.DictReader(opened)
            rows = [{name: (value or "").strip() for name, value in row.items() if name} for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise TableUnusable(path, getattr(error, "strerror", None) or str(error)) from error
    if not rows:
        raise TableUnusable(path, "it has no rows")
    if "file" not in rows[0]:
        raise TableUnusable(path, f"it has no column `file`, but: {', '.join(rows[0])}")
    return rows


def matched(path: Path, rows: Sequence[Row], names: Sequence[str]) -> list[list[Row]]:
    """The table's rows of each image, in their order; none where it has none.

    names: POSIX paths within the folder of images. A row belongs to the image of its path, or to the
    one whose file name it ends with where that is the only one of that name. Raises `TableUnusable`
    where no row belongs to any.
    """
    at = {name: position for position, name in enumerate(names)}
    last_parts = [PurePosixPath(name).name for name in names]
    often = Counter(last_parts)
    by_last_part = {part: position for position, part in enumerate(last_parts) if often[part] == 1}
    found: list[list[Row]] = [[] for _ in names]
    for row in rows:
        name = row["file"].replace("\\", "/")
        position = at.get(name, by_last_part.get(PurePosixPath(name).name))
        if position is not None:
            found[position].append(row)
    if not any(found):
        raise TableUnusable(path, f"none of its files is among the images, {rows[0]['file']!r} first")
    return found


def fields_by_image(path: Path, names: Sequence[str]) -> list[Row]:
    """What a table says of each image: its fields; the last of several rows counts. Raises `TableUnusable`."""
    return [rows[-1] if rows else {} for rows in matched(path, read_table(path), names)]


def positions_of(path: Path, names: Sequence[str]) -> list[int]:
    """Which images a table lists, in its order, each once. Raises `TableUnusable`."""
    rows = read_table(path)
    at = {id(row): position for position, mine in enumerate(matched(path, rows, names)) for row in mine}
    return list(dict.fromkeys(at[id(row)] for row in rows if id(row) in at))
