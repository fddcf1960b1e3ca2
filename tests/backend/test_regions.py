"""Regions to masks, against Label Studio's own code and against geometry; and what counts for nothing."""

import math
import re
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from drawn import item, mask_of, one_region, problem_of, recorded
from hypothesis import given
from hypothesis import strategies as st
from label_studio_sdk.converter.utils import convert_annotation_to_yolo_obb
from numpy.typing import NDArray
from skimage.draw import polygon as skimage_polygon

from seedqueue.backend.regions import masks_by_label, read_regions
from seedqueue.backend.rle import encode
from seedqueue.backend.shapes import fill_polygon


def test_the_recorded_polygon_and_rectangle() -> None:
    # Percents of 64 x 48: a triangle of legs 25.6 and 24, and a rectangle of 19.2 x 19.2 pixels.
    assert mask_of(recorded("PolygonLabels")).sum() == pytest.approx(25.6 * 24 / 2, rel=0.05)
    rectangle = mask_of(recorded("RectangleLabels"))
    rows, columns = np.nonzero(rectangle)
    assert (columns.min(), columns.max(), rows.min(), rows.max()) == (6, 25, 10, 28)
    assert rectangle.sum() == 20 * 19


def test_a_pixel_is_in_where_its_centre_is() -> None:
    square = np.array([[1, 1], [4, 1], [4, 3], [1, 3]], dtype=float)
    assert np.argwhere(fill_polygon(square, 5, 6)).tolist() == [[r, c] for r in (1, 2) for c in (1, 2, 3)]
    assert fill_polygon(square + 0.49, 5, 6).sum() == 6
    assert fill_polygon(square * 100 - 150, 5, 6).all()
    assert not fill_polygon(square + 100, 5, 6).any()
    assert not fill_polygon(square - 100, 5, 6).any()


@given(st.lists(st.tuples(st.floats(-20, 60), st.floats(-20, 60)), min_size=3, max_size=12))
def test_polygons_are_filled_as_skimage_does(points: list[tuple[float, float]]) -> None:
    # A shift by an odd fraction keeps the centres of pixels off the edges, where the two may differ.
    corners = np.round(np.array(points), 3) + np.array([0.00031, 0.00047])
    mask = fill_polygon(corners, 40, 50)
    expected = np.zeros((40, 50), dtype=bool)
    rows, columns = skimage_polygon(corners[:, 1] - 0.5, corners[:, 0] - 0.5, (40, 50))
    expected[rows, columns] = True
    for row, column in np.argwhere(mask != expected):
        assert _distance_to_edges(corners, column + 0.5, row + 0.5) < 1e-6


def _distance_to_edges(corners: NDArray[np.float64], x: float, y: float) -> float:
    point, found = np.array([x, y]), []
    for start, end in pairwise([*corners, corners[0]]):
        along = end - start
        share = np.clip((point - start) @ along / max(along @ along, 1e-300), 0, 1)
        found.append(float(np.linalg.norm(point - start - share * along)))
    return min(found)


def test_a_self_crossing_polygon_follows_the_even_odd_rule() -> None:
    figure_of_eight = item("polygon", 100, 100, points=[[10, 10], [90, 90], [90, 10], [10, 90]])
    assert mask_of(figure_of_eight).sum() == pytest.approx(80 * 80 / 2, rel=0.03)
    # A pentagram: what it goes round twice, its middle, is outside.
    turns = [math.radians(144 * number) for number in range(5)]
    star = item("polygon", 100, 100, points=[[50 + 45 * math.sin(t), 50 - 45 * math.cos(t)] for t in turns])
    mask = mask_of(star)
    assert not mask[50, 50]
    assert mask[15, 50]


@pytest.mark.parametrize("rotation", [0, 30, 45, 90, 123.4, 270, 330])
def test_the_area_of_a_turned_rectangle(rotation: float) -> None:
    value = {"x": 50, "y": 50, "width": 20, "height": 15, "rotation": rotation}
    given = item("rectangle", 400, 300, **value)
    mask = mask_of(given)
    assert mask.sum() == pytest.approx(80 * 45, rel=0.02)
    # Turned about the top left corner, as the SDK's converter has it.
    corners = convert_annotation_to_yolo_obb({"original_width": 400, "original_height": 300, **value}, normalize=False)
    assert np.array_equal(mask, fill_polygon(np.array(corners), 300, 400))


@pytest.mark.parametrize("rotation", [0, 30, 90, 123.4, 359])
def test_the_area_of_a_turned_ellipse(rotation: float) -> None:
    given = item("ellipse", 400, 300, x=50, y=40, radiusX=20, radiusY=10, rotation=rotation)
    mask = mask_of(given)
    assert mask.sum() == pytest.approx(math.pi * 80 * 30, rel=0.01)
    rows, columns = np.nonzero(mask)
    # About its centre, and clockwise: y points down.
    assert (rows.mean() + 0.5, columns.mean() + 0.5) == pytest.approx((120, 200), abs=0.5)
    turn = math.radians(rotation)
    tip = (200 + 76 * math.cos(turn), 120 + 76 * math.sin(turn))
    assert mask[int(tip[1]), int(tip[0])]
    reach = math.hypot(80 * math.cos(turn), 30 * math.sin(turn))
    assert columns.max() + 1 - columns.min() == pytest.approx(2 * reach, abs=2)


def test_ellipses_over_the_rim_are_cut() -> None:
    mask = mask_of(item("ellipse", 100, 100, x=0, y=0, radiusX=50, radiusY=50))
    assert mask.sum() == pytest.approx(math.pi * 50 * 50 / 4, rel=0.02)


def test_regions_of_one_label_are_united() -> None:
    left = item("rectangle", 10, 10, x=0, y=0, width=60, height=100)
    right = item("rectangle", 10, 10, ("fg", "b"), x=50, y=0, width=50, height=100)
    regions, problems = read_regions([left, right], ["a", "b", "fg"])
    masks, more = masks_by_label(regions, ["a", "b", "fg"], 10, 10)
    assert (problems, more) == ((), ())
    assert [int(mask.sum()) for mask in masks] == [0, 50, 100]


TRIANGLE = [[10, 10], [50, 10], [50, 60]]


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (item("brush", format="rle", rle=[]), "rle is empty"),
        (item("brush", format="rle", rle=encode(np.zeros((48, 64), dtype=bool))), "area is zero"),
        (item("polygon", points=[]), "0 points"),
        (item("polygon", points=TRIANGLE[:2]), "2 points"),
        (item("polygon", points=[[1, 1], [2, 2], [3, 3]]), "area is zero"),
        (item("polygon", points=[[5, 5]] * 4), "area is zero"),
        (item("rectangle", x=1, y=1, width=0, height=5), "area is zero"),
        (item("ellipse", x=1, y=1, radiusX=5, radiusY=0), "area is zero"),
        (item("polygon", labels=("gone",), points=TRIANGLE), "'gone' is not in the label config"),
    ],
)
def test_what_encloses_nothing_or_is_not_learnt_does_no_harm(given: dict[str, Any], reason: str) -> None:
    found = problem_of(given)
    assert reason in found.reason
    assert found.harmless


BRUSH = encode(np.indices((48, 64)).sum(axis=0) % 3 == 0)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (item("brush", 64, 47, format="rle", rle=BRUSH), "declares 12288 values"),
        (item("brush", format="rle", rle=BRUSH[:5]), "too early"),
        (item("brush", format="rle", rle=BRUSH[:99]), "too early"),
        (item("brush", format="rle", rle=[300, *BRUSH]), "broken"),
        (item("brush", format="rle", rle=[0.5, *BRUSH]), "broken"),
        (item("brush", format="rle", rle=10**12), "format rle"),
        (item("brush", format="rle"), "format rle"),
        (item("brush", format="png", rle=BRUSH), "format rle"),
        (item("polygon", points=[*TRIANGLE, [1]]), "pairs"),
        (item("polygon", points=[*TRIANGLE, [1, "2"]]), "'2' is no usable number"),
        (item("polygon", points=[*TRIANGLE, [1, math.nan]]), "no usable number"),
        (item("polygon", points=[*TRIANGLE, [1, 10**400]]), "no usable number"),
        (item("rectangle", x=1, y=1, width=5), "None is no usable number"),
        (item("ellipse", x=1, y=1, radiusX=5, radiusY=5, rotation=math.inf), "no usable number"),
        (item("polygon", 0, 48, points=TRIANGLE), "no size"),
        (item("polygon", points=TRIANGLE) | {"original_width": None}, "no size"),
        (item("polygon", points=TRIANGLE) | {"image_rotation": 90}, "turned by 90"),
        (item("polygon", points=TRIANGLE) | {"value": None}, "no label"),
        (item("polygon", labels=(), points=TRIANGLE), "no label"),
        (item("keypoint", x=1, y=1), "none that becomes a mask"),
    ],
)
def test_what_cannot_be_read_makes_a_mask_incomplete(given: dict[str, Any], reason: str) -> None:
    found = problem_of(given)
    assert re.search(reason, found.reason)
    assert not found.harmless


def test_a_known_label_beside_an_unknown_one_counts() -> None:
    regions, problems = read_regions([item("polygon", labels=("gone", "fg"), points=TRIANGLE)], ["fg"])
    assert [region.labels for region in regions] == [("fg",)]
    assert [problem.harmless for problem in problems] == [True]


def test_a_mask_of_another_size_is_resized_where_the_proportions_agree() -> None:
    small = np.zeros((24, 32), dtype=bool)
    small[5:12, 8:20] = True
    region = one_region(item("brush", 32, 24, format="rle", rle=encode(small)))
    masks, problems = masks_by_label([region], ["fg"], 48, 64)
    assert problems == ()
    assert np.array_equal(masks[0], small.repeat(2, axis=0).repeat(2, axis=1))
    halved, _ = masks_by_label([one_region(item("brush", 64, 48, format="rle", rle=encode(masks[0])))], ["fg"], 24, 32)
    assert np.array_equal(halved[0], small)
    assert masks_by_label([region], ["fg"], 240, 322)[1] == ()  # 0.6 % off


@pytest.mark.parametrize("size", [(64, 48), (48, 48), (240, 324)])
def test_a_mask_of_other_proportions_is_left_out(size: tuple[int, int]) -> None:
    given = item("brush", 32, 24, format="rle", rle=encode(np.ones((24, 32), dtype=bool)))
    masks, problems = masks_by_label([one_region(given)], ["fg"], *size)
    assert not masks.any()
    assert len(problems) == 1
    assert "32 x 24" in problems[0].reason
    assert f"{size[1]} x {size[0]}" in problems[0].reason
    assert not problems[0].harmless


def test_a_region_smaller_than_a_pixel_is_told() -> None:
    tiny = one_region(item("rectangle", 10, 10, x=11, y=11, width=2, height=2))
    masks, problems = masks_by_label([tiny], ["fg"], 10, 10)
    assert not masks.any()
    assert [(problem.region, problem.harmless) for problem in problems] == [("r1", True)]


def test_no_region_is_an_empty_mask() -> None:
    masks, problems = masks_by_label([], ["fg", "b"], 4, 5)
    assert masks.shape == (2, 4, 5)
    assert not masks.any()
    assert problems == ()
