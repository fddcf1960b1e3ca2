"""Text in the pixels: rows of small, sharp, evenly bright shapes of one height, as letters of a caption are.

A warning, no guard: docs/import.md tells how often it is right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]

SIDES = (1024, 1536)  # of an image as it is looked at: a smaller one is enlarged, up to threefold
HEIGHTS = (6, 60)  # of letters, in pixels
STROKE = 13  # wider than a letter's line, narrower than anatomy
CONTRASTS = (50, 80, 110, 150)  # at which shapes are cut out: small letters grow together at a low one
EVEN = 0.4  # most spread of grey in the brighter half of a letter, of its contrast
ALIGNED = 0.28  # of the height: how far tops, bottoms and heights in a row may differ
GAP = 1.3  # of the height: between neighbours
LETTERS = 3  # in a row, that are a caption
MOST_SHAPES = 1500  # of so many, none is a letter: noise


@dataclass(frozen=True)
class Glyph:
    """One shape that may be a letter; places and sizes in pixels, level: its median grey."""

    left: int
    top: int
    width: int
    height: int
    level: float


def burned_in(image: Image.Image) -> int:
    """How many letters stand in rows of three or more, white or black; 0 for none. image: mode "L" or "RGB"."""
    if min(image.size) < HEIGHTS[0]:
        return 0
    pixels = _at_reading_size(np.asarray(image.convert("L")))
    half: Pixels = cv2.resize(pixels, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)  # for large letters
    return max(letters(each) for each in (pixels, 255 - pixels, half, 255 - half))


def letters(pixels: Pixels) -> int:
    """Those brighter than what is around them."""
    raised = cv2.morphologyEx(pixels, cv2.MORPH_TOPHAT, np.ones((STROKE, STROKE), np.uint8))
    found = (rows(glyphs(pixels, raised >= contrast, contrast)) for contrast in CONTRASTS)
    return max(sum(len(row) for row in lines if len(row) >= LETTERS) for lines in found)


def glyphs(pixels: Pixels, raised: NDArray[np.bool_], contrast: int) -> list[Glyph]:
    """Shapes of a letter's size that stand out sharply and are of one grey."""
    mask = raised.astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    height, width, area = (stats[:, at] for at in (cv2.CC_STAT_HEIGHT, cv2.CC_STAT_WIDTH, cv2.CC_STAT_AREA))
    fitting = (height >= HEIGHTS[0]) & (height <= HEIGHTS[1]) & (width >= 2) & (width <= 1.6 * height)
    fitting &= (area >= 0.18 * width * height) & (area >= 10)
    fitting[0] = False  # the background
    chosen = np.flatnonzero(fitting)
    if len(chosen) > MOST_SHAPES:
        return []
    found = (_glyph(pixels, labels, stats[at], int(at), contrast) for at in chosen)
    return [one for one in found if one is not None]


def _glyph(pixels: Pixels, labels: NDArray[np.int32], box: NDArray[np.int32], at: int, least: int) -> Glyph | None:
    left, top, width, height = (int(each) for each in box[:4])
    rows_, columns = slice(max(top - 2, 0), top + height + 2), slice(max(left - 2, 0), left + width + 2)
    inside = labels[rows_, columns] == at
    grey = pixels[rows_, columns].astype(np.float32)
    near = cv2.dilate(inside.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool) & ~cv2.dilate(
        inside.astype(np.uint8), np.ones((3, 3), np.uint8)
    ).astype(bool)
    if not near.any():
        return None
    values = np.sort(grey[inside])
    level, around = float(np.median(values)), float(np.median(grey[near]))
    contrast = level - around
    upper = values[len(values) // 2 :]
    if contrast < least or float(upper[-1] - upper[0]) > EVEN * contrast + 8:
        return None
    return Glyph(left, top, width, height, level)


def rows(shapes: Sequence[Glyph]) -> list[list[Glyph]]:
    """Shapes that follow each other on one line, with the same height and grey."""
    left = sorted(shapes, key=lambda one: one.left)
    found: list[list[Glyph]] = []
    for one in left:
        fitting = [row for row in found if _follows(row[-1], one)]
        if fitting:
            max(fitting, key=lambda row: row[-1].left).append(one)
        else:
            found.append([one])
    return found


def _follows(before: Glyph, after: Glyph) -> bool:
    tall = max(before.height, after.height)
    gap = after.left - before.left - before.width
    return (
        -0.2 * tall <= gap <= GAP * tall
        and abs(before.top - after.top) <= ALIGNED * tall + 1
        and abs(before.top + before.height - after.top - after.height) <= ALIGNED * tall + 1
        and abs(before.level - after.level) <= 30
    )


def _at_reading_size(pixels: Pixels) -> Pixels:
    longest = max(pixels.shape)
    factor = min(max(1.0, min(3.0, SIDES[0] / longest)), SIDES[1] / longest)
    if factor == 1:
        return np.ascontiguousarray(pixels)
    size = [max(2, round(side * factor)) for side in pixels.shape[::-1]]
    resized: Pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_CUBIC if factor > 1 else cv2.INTER_AREA)
    return resized
