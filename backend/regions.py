"""Regions that annotators drew, and the masks that they make."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedqueue.backend.label_config import KINDS, Kind
from seedqueue.backend.rle import BrokenRLE, decode_alpha
from seedqueue.backend.shapes import Ellipse, fill_ellipse, fill_polygon, rectangle_corners

Mask = NDArray[np.bool_]
Item = Mapping[str, Any]

REGION_KINDS: frozenset[Kind] = frozenset({"brush", "polygon", "rectangle", "ellipse"})
MOST_PIXELS = 1 << 28
_MOST_PERCENT = 1e6
_LEAST_EXTENT = 1e-9  # of the image's side: of less the square is too small to divide by
MOST_TURNS = 1000  # of a polygon's outline, up or down the whole image: filling it takes time for each
SIDES_AGREE = 0.01  # a mask of another size is resized where the sides' ratios differ by less


@dataclass(frozen=True)
class Region:
    """A region that was read and checked: what it needs to become a mask, and no more.

    width, height: of the image that it was drawn on, pixels. drawn: a brush's run-length code, the
    corners (x, y) of a polygon or rectangle in pixels, or an ellipse.
    """

    id: str
    labels: tuple[str, ...]
    width: int
    height: int
    drawn: bytes | tuple[tuple[float, float], ...] | Ellipse


@dataclass(frozen=True)
class RegionProblem:
    """Why a region, or one of its labels, counts for nothing.

    harmless: the masks are whole without it, since it encloses nothing (a slip of the hand) or has a
    label that is not learnt.
    """

    region: str
    reason: str
    harmless: bool = False


class _Unusable(Exception):
    def __init__(self, reason: str, harmless: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.harmless = harmless


def read_regions(items: Iterable[Item], labels: Sequence[str]) -> tuple[tuple[Region, ...], tuple[RegionProblem, ...]]:
    """The usable ones of a result's region items, and what is wrong with the others; `labels`: those of the config."""
    regions: list[Region] = []
    problems: list[RegionProblem] = []
    for item in items:
        name = str(item.get("id") or "")
        try:
            known, gone = _labels(item, labels)
            problems += [RegionProblem(name, f"the label {each!r} is not in the label config", True) for each in gone]
            if known:
                regions.append(_read(name, known, item))
        except _Unusable as unusable:
            problems.append(RegionProblem(name, unusable.reason, unusable.harmless))
    return tuple(regions), tuple(problems)


def masks_by_label(
    regions: Iterable[Region], labels: Sequence[str], height: int, width: int
) -> tuple[Mask, tuple[RegionProblem, ...]]:
    """The union of the regions of each label, bool (labels, height, width), and the regions that are not in it.

    height, width: the image's real size. What was drawn on an image of another size is resized (nearest
    neighbour, polygons exactly) where the ratios of the sides agree within 1 %, and left out else. No
    region is legal: nothing there.
    """
    masks = np.zeros((len(labels), height, width), dtype=bool)
    problems: list[RegionProblem] = []
    for region in regions:
        across, down = region.width * height, region.height * width
        if abs(across - down) > SIDES_AGREE * max(across, down):
            reason = f"it was drawn on {region.width} x {region.height} pixels, and the image has {width} x {height}"
            problems.append(RegionProblem(region.id, reason))
            continue
        mask = region_mask(region, height, width)
        if not mask.any():
            problems.append(RegionProblem(region.id, "it holds no pixel's centre", harmless=True))
        for label in region.labels:
            masks[labels.index(label)] |= mask
    return masks, tuple(problems)


def region_mask(region: Region, height: int, width: int) -> Mask:
    """The region stretched to an image of this size, bool (height, width).

    Of a brush the pixels painted at least half as strongly as its strongest: its rim is smoothed, and
    masks brought in from elsewhere hold 1 where Label Studio has 255.
    """
    across, down = width / region.width, height / region.height
    if isinstance(region.drawn, bytes):
        alpha = decode_alpha(region.drawn, region.height, region.width)
        rows = ((np.arange(height) + 0.5) / down).astype(int)
        columns = ((np.arange(width) + 0.5) / across).astype(int)
        mask: Mask = alpha >= max(1, (int(alpha.max()) + 1) // 2)
        return mask if mask.shape == (height, width) else mask[rows[:, None], columns]
    if isinstance(region.drawn, Ellipse):
        one = region.drawn
        scaled = Ellipse(one.x * across, one.y * down, one.radius_x * across, one.radius_y * down, one.rotation)
        return fill_ellipse(scaled, height, width)
    return fill_polygon(np.array(region.drawn) * [across, down], height, width)


def _labels(item: Item, labels: Sequence[str]) -> tuple[tuple[str, ...], list[str]]:
    """The region's labels that the config has, and those that it has no more."""
    value = item.get("value")
    given = value.get(str(item.get("type")).lower()) if isinstance(value, Mapping) else None
    if not isinstance(given, list) or not given or not all(isinstance(each, str) for each in given):
        raise _Unusable("it has no label")
    return tuple(dict.fromkeys(each for each in given if each in labels)), [x for x in given if x not in labels]


def _read(name: str, labels: tuple[str, ...], item: Item) -> Region:
    if _number(item.get("image_rotation") or 0) % 360:
        raise _Unusable(f"it was drawn on the image turned by {item['image_rotation']} degrees")
    width, height = item.get("original_width"), item.get("original_height")
    if not (type(width) is type(height) is int and width > 0 and height > 0):
        raise _Unusable(f"its original_width {width!r} and original_height {height!r} are no size of an image")
    if width * height > MOST_PIXELS:
        raise _Unusable(f"{width} x {height} pixels are more than the limit of {MOST_PIXELS}")
    kind = KINDS.get(str(item.get("type")).lower())
    value = item["value"]
    drawn: bytes | tuple[tuple[float, float], ...] | Ellipse
    if kind == "brush":
        drawn = _brush(value, height, width)
    elif kind == "polygon":
        drawn = _polygon(value, height, width)
    elif kind == "rectangle":
        x, y, w, h = _numbers(value, height, width, "x", "y", "width", "height")
        corners = rectangle_corners(x, y, w, h, _number(value.get("rotation") or 0))
        drawn = tuple((float(x), float(y)) for x, y in corners)
    elif kind == "ellipse":
        drawn = Ellipse(
            *_numbers(value, height, width, "x", "y", "radiusX", "radiusY"), _number(value.get("rotation") or 0)
        )
    else:
        raise _Unusable(f"its type {item.get('type')!r} is none that becomes a mask")
    return Region(name, labels, width, height, drawn)


def _brush(value: Item, height: int, width: int) -> bytes:
    given = value.get("rle")
    if value.get("format", "rle") != "rle" or not isinstance(given, list):
        raise _Unusable("its mask is not in the format rle")
    if not given:
        raise _Unusable("its rle is empty", harmless=True)
    try:
        content = bytes(given)
        painted = decode_alpha(content, height, width).any()
    except (BrokenRLE, ValueError, TypeError) as error:
        raise _Unusable(f"its rle is broken: {error}") from error
    if not painted:
        raise _Unusable("its area is zero", harmless=True)
    return content


def _polygon(value: Item, height: int, width: int) -> tuple[tuple[float, float], ...]:
    given = value.get("points")
    if not isinstance(given, list) or not all(isinstance(each, list | tuple) and len(each) == 2 for each in given):
        raise _Unusable("its points are no pairs of numbers")
    if len(given) < 3:
        raise _Unusable(f"a polygon of {len(given)} points encloses nothing", harmless=True)
    points = tuple((_number(x) / 100 * width, _number(y) / 100 * height) for x, y in given)
    heights = np.clip([y / height for _, y in points], 0, 1)
    if np.abs(np.diff(heights, append=heights[:1])).sum() > MOST_TURNS:
        raise _Unusable(f"its outline runs up and down the image more than {MOST_TURNS} times")
    # By rank and not by the signed area, which is zero for an even figure of eight too.
    if np.linalg.matrix_rank(np.array(points) - points[0]) < 2:
        raise _Unusable("its area is zero", harmless=True)
    return points


def _numbers(value: Item, height: int, width: int, *names: str) -> tuple[float, float, float, float]:
    """Position and extent in pixels, of percents of the image's sides."""
    x, y, across, down = (_number(value.get(name)) / 100 for name in names)
    if across < _LEAST_EXTENT or down < _LEAST_EXTENT:
        raise _Unusable("its area is zero", harmless=True)
    return x * width, y * height, across * width, down * height


def _number(given: Any) -> float:
    # Percents; a region may reach over the image's rim, yet not so far that pixels lose their meaning.
    if isinstance(given, bool) or not isinstance(given, int | float) or not abs(given) <= _MOST_PERCENT:
        raise _Unusable(f"{given!r} is no usable number")
    return float(given)
