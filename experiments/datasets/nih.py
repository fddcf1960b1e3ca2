"""NIH ChestX-ray14: Data_Entry_2017(_v2020).csv, and the two lists of its official split.

torchxrayvision.datasets.NIH_Dataset reads the same table. It is not used here: it must find the images in one folder
under the names of the table, keeps one image a patient and PA views alone unless told otherwise, knows neither
"No Finding" nor the split, and needs pandas and PyTorch before a table can be looked at. The tests compare with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from seedqueue.experiments.datasets.errors import LabelTableUnusable
from seedqueue.experiments.datasets.labelled import LabelledImage, LabelTable
from seedqueue.experiments.datasets.rows import Columns, Row, cell, differing, joined, read_text

LISTS = {"train_val_list.txt": "train", "test_list.txt": "test"}  # in both: test


def is_header(cells: Sequence[str]) -> bool:
    return {"image index", "finding labels"} <= {each.casefold() for each in cells}


def read(path: Path, rows: Sequence[Row]) -> LabelTable:
    """Raises `LabelTableUnusable`."""
    columns = Columns(path, rows[0].cells)
    mend = "give NIH's table as it was published"
    at_file, at_labels = columns.require("Image Index", mend), columns.require("Finding Labels", mend)
    at_patient = columns.find("Patient ID")
    split = _splits(path)
    kept: dict[str, tuple[int, LabelledImage]] = {}
    for row in rows[1:]:
        file, labels = cell(row, at_file), joined(cell(row, at_labels))
        if not file:
            raise LabelTableUnusable(path, f"line {row.number} names no file", mend)
        image = LabelledImage(file, labels or None, None, cell(row, at_patient), split.get(file, ""))
        number, before = kept.setdefault(file, (row.number, image))
        if (before.labels, before.group) != (image.labels, image.group):
            said = ((before.labels, before.group), (image.labels, image.group))
            raise differing(path, file, (number, row.number), said, mend)
    return LabelTable(tuple(image for _, image in kept.values()), "NIH ChestX-ray14's CSV")


def _splits(path: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, split in LISTS.items():
        listed = path.parent / name
        if listed.is_file():
            found |= {line.strip(): split for line in read_text(listed).splitlines() if line.strip()}
    return found
