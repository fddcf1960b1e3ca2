"""What a head is trained on: a task's image with what its annotators agreed on."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seedqueue.backend.learning_errors import MasksUnusable
from seedqueue.backend.regions import Region, masks_by_label

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Drawn:
    """The regions of each annotation that counts, one tuple an annotation, and the classes of masks they make."""

    labels: tuple[str, ...]
    annotations: tuple[tuple[Region, ...], ...]


@dataclass(frozen=True)
class Example:
    """One labelled image.

    annotations: ids of those that count, in their order of time; updated: when each last changed. group: images of
    one group (patient, study) stay on one side of a split. classes: one bool a class of the labelling;
    None: no classification. masks: kept as regions, made into pixels by `masks`; None: no segmentation.
    seconds: the annotators' time on it together; None: not known. spacing: of the pixels' rows and columns in mm, as
    task data has it; None: it has none.
    """

    task: int
    uri: str
    annotations: tuple[int, ...]
    updated: tuple[str, ...]
    ground_truth: bool
    group: str
    classes: tuple[bool, ...] | None
    masks: Drawn | None
    seconds: float | None
    spacing: tuple[float, float] | None = None


def masks(example: Example, height: int, width: int) -> Mask:
    """bool (c, height, width): a pixel is in where at least half of the annotations mark it.

    height, width: the image's real size. Raises `MasksUnusable` where a region was drawn on an image of other
    proportions, and `ValueError` for an example that has no masks.
    """
    if example.masks is None:
        raise ValueError(f"the example of task {example.task} has no masks")
    votes = np.zeros((len(example.masks.labels), height, width), dtype=np.uint16)
    for regions in example.masks.annotations:
        marked, problems = masks_by_label(regions, example.masks.labels, height, width)
        grave = [problem for problem in problems if not problem.harmless]
        if grave:
            raise MasksUnusable(example.task, f"region {grave[0].region}: {grave[0].reason}")
        votes += marked
    return 2 * votes >= len(example.masks.annotations)


def annotation_key(examples: Iterable[Example]) -> str:
    """sha256 over the ids of the annotations behind the examples and when each last changed, in hexadecimal."""
    pairs = sorted(pair for each in examples for pair in zip(each.annotations, each.updated, strict=True))
    return hashlib.sha256("\n".join(f"{number} {updated}" for number, updated in pairs).encode()).hexdigest()
