"""What is to be imported: the files of a folder, or those that a table lists, with what it says of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from seedqueue.backend.folder import list_images, name_in
from seedqueue.backend.image_table import Row, read_table
from seedqueue.backend.intake.errors import ColumnMissing, SourceMissing

# What is taken of a table without being asked for: any other column may hold what must not leave.
TAKEN = ("patient", "study", "series", "view", "spacing", "modality", "label")
OURS = ("image_id", "patient", "file", "image")


@dataclass(frozen=True)
class Listed:
    """One file: its path, its name as reports tell it, the table's fields of it that may be used."""

    file: Path
    name: str
    fields: Row = field(default_factory=dict)


@dataclass(frozen=True)
class Source:
    """left: columns of the table that are not taken."""

    name: str
    files: tuple[Listed, ...]
    left: tuple[str, ...] = ()


def read_source(source: Path, patient_field: str = "patient", more: Sequence[str] = ()) -> Source:
    """The files by path. Raises `SourceMissing`, `NoImages`, `TableUnusable`, `ColumnMissing`."""
    source = source.expanduser().resolve()
    if source.is_dir():
        if more:
            raise ColumnMissing(more[0], f"{source} is a folder; fields come from the columns of a CSV")
        files = (Listed(file, legible(name_in(source, file))) for file in list_images(source))
        return Source(legible(source.name), tuple(files))
    if not source.is_file():
        raise SourceMissing(source)
    rows = read_table(source)
    columns = list(rows[0])
    _check(columns, patient_field, more)
    by_name = {row["file"].replace("\\", "/"): row for row in rows if row["file"]}
    fields = {name: _taken(row, patient_field, more) for name, row in by_name.items()}
    left = [one for one in columns if one not in (*TAKEN, *more, "file", patient_field)]
    left += ["patient"] if "patient" in columns and patient_field != "patient" else []
    listed = (Listed(source.parent / name, name, fields[name]) for name in sorted(fields))
    return Source(legible(source.name), tuple(listed), tuple(left))


def legible(name: str) -> str:
    """A name as reports, records and screens can hold it: bytes that are no UTF-8 are escaped."""
    return name.encode(errors="backslashreplace").decode()


def _check(columns: Sequence[str], patient_field: str, more: Sequence[str]) -> None:
    for name in (*more, *([patient_field] if patient_field != "patient" else [])):
        if name not in columns:
            raise ColumnMissing(name, f"the table has {', '.join(columns)}")
    for name in more:
        if name in OURS or name.startswith("seedqueue_"):
            raise ColumnMissing(name, "seedqueue fills a field of that name itself")


def _taken(row: Mapping[str, str], patient_field: str, more: Sequence[str]) -> dict[str, str]:
    fields = {name: row[name] for name in (*TAKEN, *more) if row.get(name) and name != "patient"}
    return {**fields, "patient": row[patient_field]} if row.get(patient_field) else fields
