"""Masks to regions and back."""

import json
from typing import Any

import numpy as np
import pytest
from drawn import item, mask_of
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from seedqueue.backend.label_config import Control, Kind
from seedqueue.backend.outlines import MOST_REGIONS, mask_to_regions
from seedqueue.backend.regions import Mask, masks_by_label, read_regions

MASKS = arrays(bool, st.tuples(st.integers(1, 40), st.integers(1, 40)))


def control(kind: Kind) -> Control:
    return Control("c", "image", kind, ("fg",), True)


def back(items: list[dict[str, Any]], shape: tuple[int, ...]) -> Mask:
    regions, problems = read_regions(items, ["fg"])
    assert problems == ()
    masks, more = masks_by_label(regions, ["fg"], shape[0], shape[1])
    assert more == ()
    return masks[0]


@given(MASKS)
def test_a_brush_gives_back_the_mask(mask: Mask) -> None:
    items = mask_to_regions(mask, control("brush"), "fg", "id", 0.5)
    assert len(items) == int(mask.any())
    assert np.array_equal(back(items, mask.shape), mask)
    json.dumps(items)


@pytest.mark.parametrize("kind", ["brush", "polygon", "rectangle", "ellipse"])
def test_an_empty_mask_gives_no_region(kind: Kind) -> None:
    assert mask_to_regions(np.zeros((4, 5), dtype=bool), control(kind), "fg", "id", 0.5) == []


def blobs() -> Mask:
    """A disc, a turned bar and one pixel, apart from one another."""
    y, x = np.mgrid[:200, :300]
    disc = (y - 60) ** 2 + (x - 80) ** 2 < 40**2
    bar = (np.abs((x - 200) + (y - 120)) < 12) & (np.abs((x - 200) - (y - 120)) < 90)
    found: Mask = disc | bar
    found[190, 10] = True
    return found


def dice(one: Mask, other: Mask) -> float:
    return 2 * int((one & other).sum()) / int(one.sum() + other.sum())


def test_polygons_give_back_the_mask_nearly() -> None:
    mask = blobs()
    items = mask_to_regions(mask, control("polygon"), "fg", "id", 0.5)
    assert [each["id"] for each in items] == ["id", "id-1", "id-2"]
    assert max(len(each["value"]["points"]) for each in items) < 60
    found = back(items, mask.shape)
    assert found[190, 10]
    assert dice(found, mask) > 0.995
    json.dumps(items)


@given(arrays(bool, st.tuples(st.integers(1, 9), st.integers(1, 9))))
def test_every_part_becomes_a_polygon_that_can_be_read(mask: Mask) -> None:
    for each in mask_to_regions(mask, control("polygon"), "fg", "id", 0.5):
        assert len(each["value"]["points"]) > 2
        assert read_regions([each], ["fg"])[1] == ()


def test_rectangles_bound_the_parts() -> None:
    mask = np.zeros((20, 30), dtype=bool)
    mask[2:5, 3:10] = True
    mask[10:19, 12] = True
    items = mask_to_regions(mask, control("rectangle"), "fg", "id", 0.5)
    assert np.array_equal(back(items, mask.shape), mask)


def test_ellipses_are_inscribed_in_the_bounds() -> None:
    expected = mask_of(item("ellipse", 300, 200, x=50, y=40, radiusX=20, radiusY=10))
    items = mask_to_regions(expected, control("ellipse"), "fg", "id", 0.5)
    assert len(items) == 1
    assert dice(back(items, expected.shape), expected) > 0.99


def test_noise_gives_no_thousands_of_regions() -> None:
    mask = np.zeros((100, 100), dtype=bool)
    mask[::4, ::4] = True
    mask[50:70, 50:70] = True
    items = mask_to_regions(mask, control("polygon"), "fg", "id", 0.5)
    assert len(items) == MOST_REGIONS
    assert back(items, mask.shape)[50:70, 50:70].mean() > 0.9
