"""Segmentation metrics of one test part, under many weightings of its images."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from seedqueue.models.metrics.averages import weighted_mean
from seedqueue.models.metrics.mask_table import MaskTable
from seedqueue.models.metrics.masks import ImageFigures

COLUMNS = {
    "dsc": "dsc",
    "hd": "hd",
    "hd95": "hd95",
    "hd95_missed": "hd95_missed",
    "miss_rate": "missed",
    "false_positive_rate": "false_positive",
}


def mask_metrics(images: Sequence[ImageFigures], weights: NDArray[np.float64]) -> list[dict[str, float]]:
    """One dict of metrics for each row of weights (b, n): means over the images that have the figure.

    A missed target has no HD; `hd95_missed` counts it as the image's diagonal, and `dsc` as 0.
    """
    table = MaskTable("", images)
    means = {name: weighted_mean(table.column(column), weights) for name, column in COLUMNS.items()}
    return [
        {name: float(each[at]) for name, each in means.items() if not np.isnan(each[at])} for at in range(len(weights))
    ]
