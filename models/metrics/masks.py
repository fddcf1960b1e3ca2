"""One image's predicted masks against its targets, by MONAI, on the image's own grid."""

import math
import warnings
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from seedqueue.models.errors import SpacingUnusable, UnequalLengths

Flags = npt.NDArray[np.bool_]
Spacing = tuple[float, float]
Unit = Literal["mm", "pixels"]


@dataclass(frozen=True)
class ImageFigures:
    """One class on one image; what does not apply is None.

    dsc: Dice similarity coefficient, where there is a target; a miss has 0. hd, hd95: Hausdorff distance
    and its 95th percentile in `unit`, where both masks exist. hd95_missed: HD95, or the image's diagonal where
    the target was missed. missed: whether nothing was predicted, where there is a target. false_positive:
    whether anything was, where there is none.
    """

    dsc: float | None
    hd: float | None
    hd95: float | None
    hd95_missed: float | None
    missed: bool | None
    false_positive: bool | None
    unit: Unit


def mask_figures(predicted: Flags, target: Flags, spacing: Spacing | None) -> tuple[ImageFigures, ...]:
    """One ImageFigures a class. predicted, target: bool (c, H, W); spacing: (row mm, column mm), None if unknown.

    Distances are between the masks' boundary pixels (those that a 4-neighbour erosion takes, and those on
    the image's edge). HD95 is the larger of the two directed 95th percentiles, not that of all
    distances together. Raises `UnequalLengths`, `SpacingUnusable`.
    """
    if predicted.shape != target.shape or predicted.ndim != 3:
        raise UnequalLengths("predicted mask", predicted.shape, "target mask (classes, height, width)", target.shape)
    if spacing is not None and not (len(spacing) == 2 and all(math.isfinite(each) and each > 0 for each in spacing)):
        raise SpacingUnusable(spacing)
    return tuple(_of_class(predicted[each], target[each], spacing) for each in range(len(target)))


def _of_class(predicted: Flags, target: Flags, spacing: Spacing | None) -> ImageFigures:
    unit: Unit = "pixels" if spacing is None else "mm"
    if not target.any():
        return ImageFigures(None, None, None, None, None, bool(predicted.any()), unit)
    if not predicted.any():
        return ImageFigures(0.0, None, None, _diagonal(target, spacing), True, None, unit)
    dsc, hd, hd95 = _compared(predicted, target, spacing)
    return ImageFigures(dsc, hd, hd95, hd95, False, None, unit)


def _compared(predicted: Flags, target: Flags, spacing: Spacing | None) -> tuple[float, float, float]:
    import torch
    from monai.metrics.hausdorff_distance import compute_hausdorff_distance
    from monai.metrics.meandice import compute_dice

    p, y = (torch.from_numpy(np.ascontiguousarray(each, dtype=np.float32))[None, None] for each in (predicted, target))
    # MONAI refuses (1, 0.5): all of one type.
    lengths = None if spacing is None else [float(each) for each in spacing]
    with warnings.catch_warnings():
        # MONAI 1.6 warns of an argument that it passes itself.
        warnings.filterwarnings("ignore", message=".*always_return_as_numpy", category=FutureWarning)
        hd, hd95 = (
            compute_hausdorff_distance(p, y, include_background=True, percentile=percentile, spacing=lengths)
            for percentile in (None, 95)
        )
    return float(compute_dice(p, y)), float(hd), float(hd95)


def _diagonal(mask: Flags, spacing: Spacing | None) -> float:
    row, column = spacing or (1.0, 1.0)
    return math.hypot(mask.shape[0] * row, mask.shape[1] * column)
