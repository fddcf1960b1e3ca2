"""The labels of a folder of images, from a table whose format is recognised by what it holds."""

from __future__ import annotations

from pathlib import Path

from seedqueue.experiments.datasets import chestx_det, nih, own_csv, siim
from seedqueue.experiments.datasets.errors import LabelTableUnusable
from seedqueue.experiments.datasets.labelled import LabelledImage, LabelTable
from seedqueue.experiments.datasets.masks import MaskSource
from seedqueue.experiments.datasets.rows import read_rows, read_text

__all__ = ["LabelTable", "LabelledImage", "MaskSource", "read_labels"]

_KNOWN = (
    "give a CSV with a column `file`, NIH's with `Image Index` and `Finding Labels`, SIIM-ACR's with `ImageId` and "
    "`EncodedPixels`, or ChestX-Det's JSON"
)


def read_labels(
    path: Path,
    *,
    label_column: str = own_csv.LABEL,
    group_column: str = own_csv.GROUP,
    finding: str | None = None,
) -> LabelTable:
    """Read a table of labels: our own CSV, or that of NIH ChestX-ray14, SIIM-ACR or ChestX-Det; gzipped or not.

    label_column, group_column: of our own CSV. finding: of ChestX-Det, whose polygons make the mask (None: all).
    Raises `LabelTableUnusable`. A mask is read only when it is asked for.
    """
    text = read_text(path)
    if text.lstrip()[0] in "[{":
        return chestx_det.read(path, text, finding)
    rows = read_rows(path, text)
    header = rows[0].cells
    if nih.is_header(header):
        table = nih.read(path, rows)
    elif siim.is_header(header) or siim.has_no_header(header):
        table = siim.read(path, rows)
    elif "file" in (each.casefold() for each in header):
        table = own_csv.read(path, rows, label_column, group_column)
    else:
        listed = ", ".join(each for each in header if each)[:300]
        raise LabelTableUnusable(path, f"its columns are none of a known format: {listed}", _KNOWN)
    if not table.images:
        raise LabelTableUnusable(path, "it has a header and no images", "give the file with the labels")
    return table
