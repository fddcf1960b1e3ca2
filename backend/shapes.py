"""Shapes to masks: a pixel is in where its centre is, at (column + 0.5, row + 0.5)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Points = NDArray[np.float64]

_AT_A_TIME = 1 << 20


@dataclass(frozen=True)
class Ellipse:
    """In pixels: the centre, the radii along its own axes, and how far these are turned, in degrees clockwise."""

    x: float
    y: float
    radius_x: float
    radius_y: float
    rotation: float


def fill_polygon(points: Points, height: int, width: int) -> Mask:
    """The inside of a closed polygon, bool (height, width); points: float64 (n, 2) of (x, y) in pixels.

    By the even-odd rule: where a polygon crosses itself, what it goes round twice is outside. An edge
    toggles all pixels to its right in the rows whose centre it passes, so that time is
    O(edges + the rows they pass + height x width).
    """
    toggled = np.zeros((height, width + 1), dtype=bool)
    firsts, counts = _rows_passed(points, height)
    ends = np.roll(points, -1, axis=0)
    # As many edges at a time as pass a million rows, and one at least.
    steps = np.flatnonzero(np.diff(np.cumsum(counts) // _AT_A_TIME, prepend=-1, append=-1))
    for begin, end in pairwise(steps):
        edge = np.repeat(np.arange(begin, end), counts[begin:end])
        before = np.cumsum(counts[begin:end]) - counts[begin:end]
        rows = firsts[edge] + np.arange(len(edge)) - before[edge - begin]
        (x0, y0), (x1, y1) = points[edge].T, ends[edge].T
        crossed = x0 + (rows + 0.5 - y0) * ((x1 - x0) / (y1 - y0))
        np.logical_xor.at(toggled, (rows, np.clip(np.ceil(crossed - 0.5), 0, width).astype(int)), True)
    return np.logical_xor.accumulate(toggled[:, :width], axis=1)


def _rows_passed(points: Points, height: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Of each edge, from a corner to the next: the first row whose centre it passes, and how many."""
    ys = np.sort([points[:, 1], np.roll(points[:, 1], -1)], axis=0)
    lows, highs = np.clip(np.ceil(ys - 0.5), 0, height).astype(np.int64)
    return lows, highs - lows


def fill_ellipse(ellipse: Ellipse, height: int, width: int) -> Mask:
    """The inside of an ellipse, bool (height, width)."""
    mask = np.zeros((height, width), dtype=bool)
    turn = np.deg2rad(ellipse.rotation)
    cos, sin = np.cos(turn), np.sin(turn)
    reach_x = np.hypot(ellipse.radius_x * cos, ellipse.radius_y * sin)
    reach_y = np.hypot(ellipse.radius_x * sin, ellipse.radius_y * cos)
    left, right = np.clip([np.floor(ellipse.x - reach_x), np.ceil(ellipse.x + reach_x)], 0, width).astype(int)
    top, bottom = np.clip([np.floor(ellipse.y - reach_y), np.ceil(ellipse.y + reach_y)], 0, height).astype(int)
    x = np.arange(left, right) + 0.5 - ellipse.x
    y = (np.arange(top, bottom) + 0.5 - ellipse.y)[:, None]
    along, across = x * cos + y * sin, y * cos - x * sin
    mask[top:bottom, left:right] = (along / ellipse.radius_x) ** 2 + (across / ellipse.radius_y) ** 2 <= 1
    return mask


def rectangle_corners(x: float, y: float, width: float, height: float, rotation: float) -> Points:
    """float64 (4, 2), clockwise from the top left one at (x, y), about which it is turned; degrees clockwise."""
    turn = np.deg2rad(rotation)
    along = width * np.array([np.cos(turn), np.sin(turn)])
    down = height * np.array([-np.sin(turn), np.cos(turn)])
    corners: Points = np.array([x, y]) + np.array([np.zeros(2), along, along + down, down])
    return corners
