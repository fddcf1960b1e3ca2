"""Masks of one image against a second library and by hand: overlap, distances in mm, misses, false alarms."""

import math

import numpy as np
import pytest
from scipy.spatial.distance import cdist, directed_hausdorff
from skimage.metrics import hausdorff_distance
from sklearn.metrics import f1_score

from seedqueue.models.errors import SpacingUnusable, UnequalLengths
from seedqueue.models.metrics.masks import ImageFigures, mask_figures

Mask = np.ndarray


def box(top: int, left: int, height: int, width: int, shape: tuple[int, int] = (40, 50)) -> Mask:
    mask = np.zeros(shape, dtype=bool)
    mask[top : top + height, left : left + width] = True
    return mask


def blob(seed: int) -> Mask:
    """A few overlapping discs, some of them cut by the image's edge."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:40, :50]
    discs = [
        (rows - rng.integers(40)) ** 2 + (columns - rng.integers(50)) ** 2 < rng.integers(3, 12) ** 2 for _ in range(3)
    ]
    return np.any(discs, axis=0)


def boundary(mask: Mask) -> Mask:
    """Pixels of the mask with one of four neighbours outside of it; the image's edge is outside."""
    padded = np.pad(mask, 1)
    inner = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return np.asarray(mask & ~inner)


def of_one(predicted: Mask, target: Mask, spacing: tuple[float, float] | None = None) -> ImageFigures:
    return mask_figures(predicted[None], target[None], spacing)[0]


def test_boxes_counted_by_hand() -> None:
    # 10 x 10 each, shifted by 3 rows and 4 columns: 7 x 6 in common, the corners 5 apart.
    found = of_one(box(5, 5, 10, 10), box(8, 9, 10, 10))
    assert found.dsc == pytest.approx(2 * 42 / 200)
    assert found.hd == pytest.approx(5)
    assert found.hd95 is not None
    assert 4 <= found.hd95 <= 5
    assert found.hd95_missed == found.hd95
    assert (found.missed, found.false_positive, found.unit) == (False, None, "pixels")


def test_a_distance_is_in_mm_rows_first() -> None:
    # 6 rows of 0.5 mm are 3 mm, 2 columns of 2 mm are 4 mm.
    found = of_one(box(5, 5, 10, 10), box(11, 7, 10, 10), (0.5, 2.0))
    assert found.hd == pytest.approx(5)
    assert found.unit == "mm"
    assert of_one(box(5, 5, 10, 10), box(11, 7, 10, 10), (1, 0.5)).hd == pytest.approx(math.hypot(6, 1))


@pytest.mark.parametrize("seed", range(8))
def test_equal_to_a_second_library(seed: int) -> None:
    predicted, target = blob(seed), blob(seed + 100)
    found = of_one(predicted, target)
    assert found.dsc == pytest.approx(f1_score(target.ravel(), predicted.ravel()))
    edges = boundary(predicted), boundary(target)
    assert found.hd == pytest.approx(hausdorff_distance(*edges))
    for spacing in ((1.0, 1.0), (0.7, 0.2)):
        here, there = (np.argwhere(edge) * spacing for edge in edges)
        measured = of_one(predicted, target, spacing)
        assert measured.hd == pytest.approx(max(directed_hausdorff(here, there)[0], directed_hausdorff(there, here)[0]))
        apart = cdist(here, there)
        directed = [np.quantile(apart.min(axis=axis), 0.95) for axis in (0, 1)]
        assert measured.hd95 == pytest.approx(max(directed))
        assert measured.dsc == found.dsc


def test_what_lies_inside_is_measured_from_surface_to_surface() -> None:
    # Of the filled masks the inner one would be at distance 0.
    found = of_one(box(10, 10, 4, 4), box(5, 5, 14, 14))
    assert found.hd == pytest.approx(math.hypot(5, 5))


def test_a_miss_has_no_distance_but_the_diagonal() -> None:
    nothing, target = box(0, 0, 0, 0), box(5, 5, 3, 3)
    assert of_one(nothing, target) == ImageFigures(0, None, None, math.hypot(40, 50), True, None, "pixels")
    assert of_one(nothing, target, (0.5, 2)).hd95_missed == pytest.approx(math.hypot(20, 100))


def test_a_mask_beside_the_target_is_measured_and_has_dsc_0() -> None:
    found = of_one(box(5, 20, 3, 3), box(5, 5, 3, 3))
    assert (found.dsc, found.hd, found.missed) == (0, 15, False)


def test_without_a_target_there_is_a_false_alarm_or_none() -> None:
    nothing = box(0, 0, 0, 0)
    assert of_one(nothing, nothing) == ImageFigures(None, None, None, None, None, False, "pixels")
    assert of_one(box(5, 5, 1, 1), nothing, (1, 1)) == ImageFigures(None, None, None, None, None, True, "mm")


def test_equal_masks_and_single_pixels() -> None:
    for mask in (box(5, 5, 1, 1), box(0, 0, 40, 50), box(0, 0, 1, 1, (1, 1))):
        found = of_one(mask, mask)
        assert (found.dsc, found.hd, found.hd95, found.hd95_missed) == (1, 0, 0, 0)


def test_each_class_has_its_own() -> None:
    first, second = box(5, 5, 4, 4), box(20, 20, 6, 6)
    found = mask_figures(np.stack([first, ~first & second]), np.stack([first, first]), None)
    assert [each.dsc for each in found] == [1, 0]
    assert mask_figures(np.zeros((0, 4, 4), dtype=bool), np.zeros((0, 4, 4), dtype=bool), None) == ()


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(UnequalLengths, match=r"\(1, 40, 50\), target mask .* \(1, 40, 49\)"):
        mask_figures(box(0, 0, 1, 1)[None], box(0, 0, 1, 1, (40, 49))[None], None)
    for spacing in ((0, 1), (1, math.nan), (1, -1), (1, 1, 1)):
        with pytest.raises(SpacingUnusable):
            of_one(box(0, 0, 1, 1), box(0, 0, 1, 1), spacing)  # type: ignore[arg-type]
