"""What a held-out set says of a segmenter: a summary of its images' masks.

A missed target has no Hausdorff distance and would silently leave its mean, so the miss rate stands beside it,
and HD95 with a miss counted as the image's diagonal. Millimetres and pixels are never averaged together.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from seedqueue.models.errors import UnequalLengths
from seedqueue.models.metrics import bootstrap
from seedqueue.models.metrics.averages import weighted_mean, weighted_median
from seedqueue.models.metrics.bootstrap import BOOTSTRAPS, Doubles, Groups, Resamples
from seedqueue.models.metrics.figure import Difference, Figure
from seedqueue.models.metrics.mask_table import MaskTable, Question, answer
from seedqueue.models.metrics.masks import ImageFigures, Unit, mask_figures

__all__ = [
    "Distances",
    "ImageFigures",
    "SegmentationClass",
    "SegmentationFigures",
    "mask_figures",
    "primary_difference",
    "segmentation_figures",
]

# What `mask_figures` gave for each image: one entry a class.
Images = Sequence[Sequence[ImageFigures]]


@dataclass(frozen=True)
class Distances:
    """The distances in one unit. images: those with a target and this unit; measured: those of them where both
    masks exist, which alone HD and HD95 speak of. hd95_missed: HD95, a miss counted as the image's diagonal."""

    unit: Unit
    images: int
    measured: int
    hd95_median: Figure
    hd95_mean: Figure
    hd_median: Figure
    hd_mean: Figure
    hd95_missed_median: Figure
    hd95_missed_mean: Figure


@dataclass(frozen=True)
class SegmentationClass:
    """One class, or the macro mean of classes. with_target: images that have one.

    dsc: mean on images with a target, a miss counting 0. miss_rate: the share of these where nothing
    was predicted; no_overlap_rate: where nothing predicted lies on the target, misses included.
    false_positive_rate: the share of images without a target where anything was predicted.
    """

    name: str
    n: int
    with_target: int
    dsc: Figure
    miss_rate: Figure
    no_overlap_rate: Figure
    false_positive_rate: Figure
    millimetres: Distances
    pixels: Distances


@dataclass(frozen=True)
class SegmentationFigures:
    """All of a set. in_millimetres, in_pixels: how many of its images have which unit.

    macro: a figure's mean over the classes that can have it; None where one of them lacks it, so that a class
    missed on every image does not leave the mean of HD95. left_out: classes without any target, which are
    in the macro mean of false_positive_rate only. primary: the macro mean of DSC.
    """

    n: int
    groups: int
    in_millimetres: int
    in_pixels: int
    classes: tuple[SegmentationClass, ...]
    macro: SegmentationClass
    left_out: tuple[str, ...]
    primary: Figure
    primary_name: str


def segmentation_figures(
    images: Images, classes: Sequence[str], groups: Groups, bootstraps: int = BOOTSTRAPS, seed: int = 0
) -> SegmentationFigures:
    """groups: int64 (n,), patients or clusters of near-duplicates. Every figure is defined, or None with its reason.

    Raises `UnequalLengths`.
    """
    _check(images, len(classes), groups)
    resamples = bootstrap.resample(groups, bootstraps, seed)
    tables = _tables(images, classes)
    macro = _summary("macro", tables, resamples)
    left_out = tuple(table.name for table in tables if not table.with_target.any())
    in_millimetres = sum(bool(row) and row[0].unit == "mm" for row in images)
    kept = len(classes) - len(left_out)
    return SegmentationFigures(
        n=len(images),
        groups=resamples.groups,
        in_millimetres=in_millimetres,
        in_pixels=len(images) - in_millimetres,
        classes=tuple(_summary(table.name, [table], resamples) for table in tables),
        macro=macro,
        left_out=left_out,
        primary=macro.dsc,
        primary_name=f"macro DSC over {kept} {'class' if kept == 1 else 'classes'}",
    )


def primary_difference(a: Images, b: Images, groups: Groups, bootstraps: int = BOOTSTRAPS, seed: int = 0) -> Difference:
    """The macro DSC of `a` less that of `b`, paired: above 0 where `a` is better.

    a, b: what `mask_figures` gave for two versions on the same images and targets. Raises `UnequalLengths`.
    """
    classes = [str(each) for each in range(len(a[0]) if a else 0)]
    for images in (a, b):
        _check(images, len(classes), groups)
    versions = [_tables(images, classes) for images in (a, b)]
    for one, other in zip(*versions, strict=True):
        if not np.array_equal(one.with_target, other.with_target):
            first, second = np.flatnonzero(one.with_target), np.flatnonzero(other.with_target)
            raise UnequalLengths("rows with a target", first.tolist(), "of the other", second.tolist())

    def metric(tables: list[MaskTable], weights: Doubles) -> Doubles:
        rows = [weighted_mean(table.column("dsc"), weights) for table in tables if table.with_target.any()]
        return bootstrap.macro(rows) if rows else np.full(len(weights), np.nan)

    found = bootstrap.paired_difference(metric, versions[0], versions[1], groups, bootstraps, seed)
    return found if found.value is not None else replace(found, reason=_NO_TARGET)


_NO_TARGET = "no image with a target"


def _with_target(table: MaskTable) -> npt.NDArray[np.bool_]:
    return table.with_target


def _without_target(table: MaskTable) -> npt.NDArray[np.bool_]:
    return ~table.with_target


def _summary(name: str, tables: Sequence[MaskTable], resamples: Resamples) -> SegmentationClass:
    """Of one class, or of several their macro mean."""
    dsc, misses, no_overlaps = (
        answer(Question(column, weighted_mean, _with_target, _NO_TARGET), tables, resamples)
        for column in ("dsc", "missed", "no_overlap")
    )
    false_alarms = Question("false_positive", weighted_mean, _without_target, "no image without a target")
    return SegmentationClass(
        name=name,
        n=resamples.weights.shape[1],
        with_target=_images(tables, _with_target),
        dsc=dsc,
        miss_rate=misses,
        no_overlap_rate=no_overlaps,
        false_positive_rate=answer(false_alarms, tables, resamples),
        millimetres=_distances("mm", tables, resamples),
        pixels=_distances("pixels", tables, resamples),
    )


def _distances(unit: Unit, tables: Sequence[MaskTable], resamples: Resamples) -> Distances:
    def possible(table: MaskTable) -> npt.NDArray[np.bool_]:
        return table.with_target & (table.in_millimetres if unit == "mm" else ~table.in_millimetres)

    nothing = f"no image with a target and distances in {unit}"
    lacking = "no image where both masks exist"
    figures = {
        f"{column}_{name}": answer(Question(column, average, possible, nothing, lacking), tables, resamples)
        for column in ("hd95", "hd", "hd95_missed")
        for name, average in (("median", weighted_median), ("mean", weighted_mean))
    }
    measured = _images(tables, lambda table: possible(table) & ~np.isnan(table.column("hd95")))
    return Distances(unit=unit, images=_images(tables, possible), measured=measured, **figures)


def _images(tables: Sequence[MaskTable], which: Callable[[MaskTable], npt.NDArray[np.bool_]]) -> int:
    """How many images are so for at least one class."""
    return int(np.any([which(table) for table in tables], axis=0).sum()) if tables else 0


def _tables(images: Images, classes: Sequence[str]) -> list[MaskTable]:
    return [MaskTable(name, [row[each] for row in images]) for each, name in enumerate(classes)]


def _check(images: Images, classes: int, groups: Groups) -> None:
    if len(images) != len(groups):
        raise UnequalLengths("images", len(images), "groups", len(groups))
    for row in images:
        if len(row) != classes:
            raise UnequalLengths("figures of an image", len(row), "classes", classes)
