"""Our own table: a CSV with a column `file` and what is known of each image.

`label`: several joined by |, a lone | for an image that is known to have none, empty: not known. `mask`: a picture's
path relative to the table's folder, empty: not known. `patient` and `split` where there are any.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from seedqueue.experiments.datasets.errors import LabelTableUnusable
from seedqueue.experiments.datasets.labelled import LabelledImage, LabelTable
from seedqueue.experiments.datasets.masks import PngMask
from seedqueue.experiments.datasets.rows import Columns, Row, cell, differing, joined, posix, split_of

LABEL, GROUP = "label", "patient"


def read(path: Path, rows: Sequence[Row], label_column: str = LABEL, group_column: str = GROUP) -> LabelTable:
    """Raises `LabelTableUnusable`, also for a mask that is not there and for lines that contradict each other."""
    columns = Columns(path, rows[0].cells)
    at_file = columns.require("file", "name the images in it")
    at_mask, at_split = columns.find("mask"), columns.find("split")
    if label_column != LABEL or (columns.find(LABEL) is None and at_mask is None):
        columns.require(label_column, "name the column with the labels by --label-column, or add a column `mask`")
    if group_column != GROUP:
        columns.require(group_column, "name the column with the patient by --group-field")
    at_label, at_group = columns.find(label_column), columns.find(group_column)
    kept: dict[str, tuple[int, tuple[str, ...]]] = {}
    images = []
    for row in rows[1:]:
        file = posix(cell(row, at_file))
        if not file:
            raise LabelTableUnusable(path, f"line {row.number} names no file", "name it or delete the line")
        said = tuple(cell(row, at) for at in (at_label, at_mask, at_group, at_split))
        before = kept.setdefault(file, (row.number, said))
        if before[1] != said:
            mend = "give each image one line, several labels joined by |"
            raise differing(path, file, (before[0], row.number), (before[1], said), mend)
        if before[0] == row.number:
            images.append(_image(path, row, file, said))
    return LabelTable(tuple(images), "seedqueue's CSV")


def _image(path: Path, row: Row, file: str, said: tuple[str, ...]) -> LabelledImage:
    labels, mask, group, split = said
    return LabelledImage(
        file,
        joined(labels) if labels else None,
        _mask(path, row, mask) if mask else None,
        group,
        split_of(path, row, split),
    )


def _mask(path: Path, row: Row, given: str) -> PngMask:
    found = path.parent / posix(given)
    if not found.is_file():
        raise LabelTableUnusable(
            path, f"line {row.number} names the mask {given}, and there is no {found}", "add the file or empty the cell"
        )
    return PngMask(found)
