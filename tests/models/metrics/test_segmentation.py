"""A segmenter's summary: what is averaged over which images, and where there is nothing to average."""

import json
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedqueue.models.errors import UnequalLengths
from seedqueue.models.metrics.figure import Figure
from seedqueue.models.metrics.segmentation import (
    ImageFigures,
    SegmentationFigures,
    Unit,
    mask_figures,
    primary_difference,
    segmentation_figures,
)


def found_one(dsc: float, hd95: float, unit: Unit = "pixels") -> ImageFigures:
    return ImageFigures(dsc, hd95 + 1, hd95, hd95, False, None, unit)


def missed(unit: Unit = "pixels") -> ImageFigures:
    return ImageFigures(0.0, None, None, 100.0, True, None, unit)


def empty(false_positive: bool, unit: Unit = "pixels") -> ImageFigures:
    return ImageFigures(None, None, None, None, None, false_positive, unit)


def of_one_class(*images: ImageFigures) -> SegmentationFigures:
    return segmentation_figures([(each,) for each in images], ["lesion"], np.arange(len(images)))


def test_every_figure_is_over_its_own_images() -> None:
    found = of_one_class(
        found_one(0.9, 2), found_one(0.6, 4), found_one(0.0, 12), missed(), empty(True), empty(False), empty(False)
    )
    lesion = found.classes[0]
    assert (lesion.n, lesion.with_target) == (7, 4)
    assert lesion.dsc.value == pytest.approx(1.5 / 4)
    assert lesion.miss_rate.value == 0.25
    assert lesion.no_overlap_rate.value == 0.5
    assert lesion.false_positive_rate.value == pytest.approx(1 / 3)
    assert (lesion.pixels.images, lesion.pixels.measured) == (4, 3)
    assert lesion.pixels.hd95_mean.value == 6
    assert lesion.pixels.hd95_median.value == 4
    assert lesion.pixels.hd_mean.value == 7
    assert lesion.pixels.hd_median.value == 5
    assert lesion.pixels.hd95_missed_mean.value == 118 / 4
    assert lesion.pixels.hd95_missed_median.value == 8
    assert lesion.dsc.low is not None
    assert lesion.dsc.low < 0.375 < (lesion.dsc.high or 0)
    assert found.primary == found.macro.dsc == lesion.dsc
    assert found.primary_name == "macro DSC over 1 class"


def test_millimetres_and_pixels_are_never_averaged_together() -> None:
    found = of_one_class(found_one(1, 2, "mm"), found_one(1, 4, "mm"), found_one(1, 90), missed("mm"), empty(True))
    lesion = found.classes[0]
    assert (found.in_millimetres, found.in_pixels) == (3, 2)
    assert lesion.millimetres.hd95_mean.value == 3
    assert lesion.pixels.hd95_mean.value == 90
    assert (lesion.millimetres.images, lesion.millimetres.measured) == (3, 2)
    assert (lesion.pixels.images, lesion.pixels.measured) == (1, 1)
    assert lesion.pixels.hd95_mean.low is None
    assert lesion.dsc.value == 0.75


def test_the_macro_is_over_classes_with_a_target() -> None:
    rows = [
        (found_one(0.8, 2), found_one(0.4, 6), empty(True)),
        (found_one(0.6, 4), missed(), empty(False)),
        (empty(False), empty(False), empty(False)),
    ]
    found = segmentation_figures(rows, ["a", "b", "never"], np.arange(3))
    assert found.macro.dsc.value == pytest.approx((0.7 + 0.2) / 2)
    assert found.macro.miss_rate.value == 0.25
    assert found.macro.pixels.hd95_mean.value == (3 + 6) / 2
    assert found.macro.false_positive_rate.value == pytest.approx(1 / 9)
    assert found.left_out == ("never",)
    assert found.classes[2].dsc == Figure(None, reason="no image with a target")
    assert (found.macro.with_target, found.macro.pixels.images, found.macro.pixels.measured) == (2, 2, 2)
    assert found.primary_name == "macro DSC over 2 classes"


def test_a_class_missed_everywhere_does_not_leave_the_mean_of_hd95() -> None:
    rows = [(found_one(0.8, 2), missed()), (found_one(0.6, 4), missed())]
    found = segmentation_figures(rows, ["a", "b"], np.arange(2))
    assert found.macro.pixels.hd95_mean == Figure(None, reason="b: no image where both masks exist")
    assert found.macro.pixels.hd95_missed_mean.value == (3 + 100) / 2
    assert found.macro.dsc.value == pytest.approx(0.35)
    assert found.classes[1].miss_rate == Figure(1, reason="all resamples agree: no interval")


def test_no_target_one_image_no_image() -> None:
    none = of_one_class(empty(True), empty(False))
    assert none.primary == Figure(None, reason="no image with a target")
    assert none.classes[0].false_positive_rate.value == 0.5
    assert none.classes[0].pixels.hd95_mean.reason == "no image with a target and distances in pixels"
    one = of_one_class(found_one(0.8, 2))
    assert one.primary == Figure(0.8, reason="all images are of one group: no interval")
    assert one.classes[0].false_positive_rate == Figure(None, reason="no image without a target")
    nothing = segmentation_figures([], ["lesion"], np.zeros(0, dtype=np.int64))
    assert nothing.primary.value is None
    assert (nothing.n, nothing.classes[0].with_target) == (0, 0)


def test_intervals_are_over_groups() -> None:
    rng = np.random.default_rng(0)
    rows = [(found_one(dsc, 1),) for dsc in np.repeat(rng.random(20), 5)]
    width = []
    for groups in (np.arange(100) // 5, np.arange(100)):
        primary = segmentation_figures(rows, ["lesion"], groups).primary
        width.append((primary.high or 0) - (primary.low or 0))
    assert width[0] > 1.7 * width[1]


def test_the_primary_difference_is_that_of_macro_dsc() -> None:
    a = [(found_one(0.8, 1), missed()), (found_one(0.9, 1), found_one(0.4, 1)), (empty(True), empty(True))]
    b = [(found_one(0.6, 1), missed()), (missed(), found_one(0.2, 1)), (empty(False), empty(True))]
    found = primary_difference(a, b, np.arange(3))
    assert found.value == pytest.approx(((0.85 - 0.3) + (0.2 - 0.1)) / 2)
    assert (found.n, found.groups) == (3, 3)
    assert primary_difference(b, a, np.arange(3)).value == pytest.approx(-found.value)  # type: ignore[operator]
    with pytest.raises(UnequalLengths, match=r"rows with a target: \[0, 1\], of the other: \[0\]"):
        primary_difference(a, [a[0], a[2], a[2]], np.arange(3))
    assert primary_difference(a[2:], b[2:], np.arange(1)).reason == "no image with a target"


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(UnequalLengths, match="images: 1, groups: 2"):
        segmentation_figures([(missed(),)], ["lesion"], np.arange(2))
    with pytest.raises(UnequalLengths, match="figures of an image: 1, classes: 2"):
        segmentation_figures([(missed(),)], ["a", "b"], np.arange(1))


@settings(deadline=None)
@given(st.integers(0, 100_000), st.integers(0, 5), st.integers(1, 2))
def test_no_figure_is_ever_not_a_number(seed: int, n: int, classes: int) -> None:
    rng = np.random.default_rng(seed)
    rows = [
        mask_figures(
            rng.random((classes, 4, 5)) < rng.choice([0, 0.3]),
            rng.random((classes, 4, 5)) < rng.choice([0, 0.3]),
            (0.5, 1.5) if rng.random() < 0.5 else None,
        )
        for _ in range(n)
    ]
    found = segmentation_figures(rows, "ab"[:classes], rng.integers(3, size=n), bootstraps=20)
    json.dumps(asdict(found), allow_nan=False)
    for part in (*found.classes, found.macro):
        for figure in (part.dsc, part.false_positive_rate, part.millimetres.hd95_mean, part.pixels.hd_median):
            assert (figure.low is None) == (figure.high is None) == bool(figure.reason)
