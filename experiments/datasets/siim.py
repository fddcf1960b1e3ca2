"""SIIM-ACR pneumothorax: ImageId and run-length code, -1 for an image without, a line for each radiologist's region.

torchxrayvision.datasets.SIIM_Pneumothorax_Dataset reads the same table. It is not used here: it counts every line as
an image and keeps the mask of an image's last line alone, wants DICOM files and a header whose second name begins with
a blank (the file is handed round without any), and needs pandas and PyTorch. The tests compare with its decoder.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from seedqueue.experiments.datasets.errors import LabelTableUnusable, MaskUnusable
from seedqueue.experiments.datasets.labelled import LabelledImage, LabelTable
from seedqueue.experiments.datasets.masks import RleMask, runs
from seedqueue.experiments.datasets.rows import Columns, Row, cell

SIDE = 1024
FINDING = "Pneumothorax"
NOTHING = "-1"
_UID = re.compile(r"\d+(\.\d+){3,}")


def is_header(cells: Sequence[str]) -> bool:
    return {"imageid", "encodedpixels"} <= {each.casefold() for each in cells}


def has_no_header(cells: Sequence[str]) -> bool:
    """Whether the first line is an image already: a UID with -1 or a code."""
    codes = [each for each in cells[1:] if each]
    return bool(_UID.fullmatch(cells[0])) and len(codes) == 1 and all(map(_whole, codes[0].split()))


def read(path: Path, rows: Sequence[Row]) -> LabelTable:
    """Files are named `<ImageId>.dcm`. Raises `LabelTableUnusable`."""
    at_image, at_code, first = 0, 1, 0
    if is_header(rows[0].cells):
        columns = Columns(path, rows[0].cells)
        mend = "give SIIM-ACR's table as it was published"
        at_image, at_code, first = columns.require("ImageId", mend), columns.require("EncodedPixels", mend), 1
    codes: dict[str, list[str]] = {}
    for row in rows[first:]:
        name, code = cell(row, at_image), cell(row, at_code)
        if not name or not code:
            mend = "give its ImageId and -1 or a run-length code"
            raise LabelTableUnusable(path, f"line {row.number} is {', '.join(row.cells)!r}", mend)
        mine = codes.setdefault(name, [])
        if code != NOTHING and code not in mine:
            _check(path, row, code)
            mine.append(code)
    images = [
        LabelledImage(f"{name}.dcm", (FINDING,) if mine else (), RleMask(tuple(mine), SIDE, SIDE))
        for name, mine in codes.items()
    ]
    return LabelTable(tuple(images), "SIIM-ACR's run-length CSV")


def _check(path: Path, row: Row, code: str) -> None:
    try:
        runs(code, SIDE * SIDE)
    except MaskUnusable as error:
        raise LabelTableUnusable(path, f"line {row.number}: {error.what}: {error.reason}", error.mend) from error


def _whole(text: str) -> bool:
    return text.lstrip("-").isdecimal()
