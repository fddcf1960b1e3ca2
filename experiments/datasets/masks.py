"""Masks as tables give them: a picture, polygons, boxes or a run-length code, made into pixels when they are asked for.

Each has a grid of its own. An image of another size (NIH's are handed round at 512 and 224 pixels too) gets the mask
by nearest neighbour where the ratios of the sides agree within 1 %.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from seedqueue.experiments.datasets.errors import MaskUnusable

Mask = NDArray[np.bool_]
Size = tuple[int, int]  # width, height

SIDES_AGREE = 0.01
_LOSSY = ("JPEG", "WEBP")
_HALF = 128


class MaskSource(Protocol):
    """A mask that can be read."""

    def read(self, size: Size | None) -> Mask:
        """bool (h, w). size: (width, height) of the image; None: the mask's own grid. Raises `MaskUnusable`."""


@dataclass(frozen=True)
class PngMask:
    """A picture of the mask: whatever is not black is foreground; of a lossy picture what is at least half bright."""

    path: Path

    def read(self, size: Size | None) -> Mask:
        try:
            with Image.open(self.path) as opened:
                marked = _marked(opened)
        except (OSError, ValueError, SyntaxError) as error:
            raise MaskUnusable(f"the mask {self.path}", f"it is no picture ({error})", "replace the file") from error
        return fitted(marked, size, f"the mask {self.path}")


@dataclass(frozen=True, eq=False)
class PolygonMask:
    """The union of polygons, each float64 (n, 2) of (x, y) in pixels, their outlines included; of none: empty.

    Fewer than three points enclose nothing.
    """

    polygons: tuple[NDArray[np.float64], ...]
    width: int
    height: int

    def read(self, size: Size | None) -> Mask:
        image = Image.new("1", (self.width, self.height))
        draw = ImageDraw.Draw(image)
        for polygon in self.polygons:
            if len(polygon) >= 3:
                draw.polygon(list(map(tuple, polygon.tolist())), fill=1, outline=1)
        return fitted(np.array(image, dtype=bool), size, f"a mask of {len(self.polygons)} polygons")


@dataclass(frozen=True)
class BoxMask:
    """The union of boxes (left, top, right, bottom) in pixels, rims included: where only boxes are known."""

    boxes: tuple[tuple[float, float, float, float], ...]
    width: int
    height: int

    def read(self, size: Size | None) -> Mask:
        image = Image.new("1", (self.width, self.height))
        draw = ImageDraw.Draw(image)
        for box in self.boxes:
            draw.rectangle(box, fill=1)
        return fitted(np.array(image, dtype=bool), size, f"a mask of {len(self.boxes)} boxes")


@dataclass(frozen=True)
class RleMask:
    """The union of run-length codes "gap length gap length ...", column by column, each gap counted from the last run.

    SIIM-ACR's code. Kaggle's other contests count each start from the image's beginning: such a code runs out of
    the image here and is refused.
    """

    codes: tuple[str, ...]
    width: int
    height: int

    def read(self, size: Size | None) -> Mask:
        marked = np.zeros(self.width * self.height, dtype=bool)
        for code in self.codes:
            marked |= decode_rle(code, len(marked))
        return fitted(marked.reshape(self.width, self.height).T, size, "a run-length coded mask")


def decode_rle(code: str, pixels: int) -> Mask:
    """bool (pixels,) in the order of the code. Raises `MaskUnusable`."""
    begins, ends = runs(code, pixels)
    edges = np.zeros(pixels + 1, dtype=np.int64)
    np.add.at(edges, begins, 1)
    np.add.at(edges, ends, -1)
    marked: Mask = np.cumsum(edges[:-1]) > 0
    return marked


def runs(code: str, pixels: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where each run of a relative code begins and ends (past its last pixel). Raises `MaskUnusable`."""
    what, mend = f"the run-length code {code[:40]!r}", "give SIIM-ACR's code: gap and length in turn, -1 for no mask"
    try:
        numbers = np.array(code.split(), dtype=np.int64)
    except (ValueError, OverflowError) as error:
        raise MaskUnusable(what, "it holds something that is no whole number", mend) from error
    if len(numbers) % 2 or (numbers < 0).any():
        reason = f"{len(numbers)} numbers are no pairs" if len(numbers) % 2 else f"{numbers.min()} is below zero"
        raise MaskUnusable(what, reason, mend)
    at = np.cumsum(numbers)
    if len(at) and at[-1] > pixels:
        raise MaskUnusable(what, f"its runs end at pixel {at[-1]} of {pixels}", mend)
    return at[0::2], at[1::2]


def fitted(mask: Mask, size: Size | None, what: str) -> Mask:
    """The mask on a grid of this size (width, height), by nearest neighbour. Raises `MaskUnusable`."""
    height, width = mask.shape
    if size is None or size == (width, height):
        return np.ascontiguousarray(mask)
    across, down = width * size[1], height * size[0]
    if abs(across - down) > SIDES_AGREE * max(across, down):
        reason = f"it has {width} x {height} pixels and its image {size[0]} x {size[1]}"
        raise MaskUnusable(what, reason, "give the image that it was drawn on, or draw it again")
    rows = ((np.arange(size[1]) + 0.5) * height / size[1]).astype(int)
    columns = ((np.arange(size[0]) + 0.5) * width / size[0]).astype(int)
    return np.ascontiguousarray(mask[rows[:, None], columns])


def outlines(polygons: Sequence[object]) -> tuple[NDArray[np.float64], ...]:
    """Polygons as float64 (n, 2) each. Raises `ValueError` for what is no list of pairs of finite numbers."""
    found = []
    for polygon in polygons:
        points = np.array(polygon, dtype=np.float64)
        if points.size and (points.ndim != 2 or points.shape[1] != 2 or not np.isfinite(points).all()):
            raise ValueError(f"its points are no pairs of numbers: {str(polygon)[:60]}")
        found.append(points.reshape(-1, 2))
    return tuple(found)


def _marked(opened: Image.Image) -> Mask:
    if opened.has_transparency_data:  # what shows: transparent parts lie over black
        shown = opened.convert("RGBA")
        black = Image.new("RGBA", shown.size, (0, 0, 0, 255))
        return _any(np.asarray(Image.alpha_composite(black, shown).convert("RGB")))
    if opened.format in _LOSSY:
        return np.asarray(opened.convert("L")) >= _HALF  # its black is not quite black around the rim
    values = np.asarray(opened.convert("RGB") if opened.mode in ("P", "CMYK", "YCbCr", "LAB", "HSV") else opened)
    return _any(values)


def _any(values: NDArray[Any]) -> Mask:
    """Whether any channel is not zero."""
    return np.asarray(values.reshape(*values.shape[:2], -1).astype(bool).any(axis=2))
