"""A head's output as Label Studio stores results."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seedqueue.backend.label_config import Control, Labelling
from seedqueue.backend.learning_errors import OutputDiffers
from seedqueue.backend.outlines import mask_to_regions

Floats = NDArray[np.floating]
Results = list[dict[str, Any]]

# Where several controls draw one class: first the shape that holds a mask best.
_BEST_FIRST = ("brush", "polygon", "ellipse", "rectangle")


def choices_result(labelling: Labelling, probabilities: Floats, threshold: ArrayLike) -> tuple[Results, float]:
    """The result of one image's class probabilities, (c,) in the order of `labelling.classes`, and its score.

    Single choice: the most probable class, its probability the score; the threshold does not matter. Several: all
    at or above the threshold (one, or one a class), none of them an empty result; the score is the mean
    over the classes of the probability of what is said, p where chosen and 1 - p where not.
    Raises `OutputDiffers`.
    """
    control = labelling.classification
    if control is None:
        raise OutputDiffers("no classification", "class probabilities")
    probabilities = _checked(probabilities, (len(control.labels),))
    if control.multiple:
        chosen = probabilities >= np.asarray(threshold)
        score = np.where(chosen, probabilities, 1 - probabilities).mean(dtype=float)
    else:
        chosen = np.arange(len(probabilities)) == probabilities.argmax()
        score = probabilities.max()
    rows = np.flatnonzero(chosen).tolist()
    return ([_choice(control, rows)] if rows else []), _share(score)


def _choice(control: Control, rows: list[int]) -> dict[str, Any]:
    labels = [list(control.paths[row]) if control.kind == "taxonomy" else control.labels[row] for row in rows]
    return {
        "from_name": control.name,
        "to_name": control.to_name,
        "type": control.kind,
        "value": {control.kind: labels},
    }


def masks_result(labelling: Labelling, probabilities: Floats, threshold: ArrayLike) -> tuple[Results, float]:
    """The result of one image's mask probabilities and its score.

    probabilities: (c, H, W) in the order of `labelling.mask_classes`, on the image's own pixels; a pixel is in at or
    above the threshold (one, or one a class). A region's score is the mean probability of its class's
    pixels, that of a class without any is 1 - its largest probability; the result's is their mean.
    Raises `OutputDiffers`.
    """
    labels = labelling.mask_classes
    if not labels:
        raise OutputDiffers("no segmentation", "mask probabilities")
    if np.ndim(probabilities) != 3:
        raise OutputDiffers(f"({len(labels)}, height, width) probabilities", f"{np.shape(probabilities)}")
    probabilities = _checked(probabilities, (len(labels), *probabilities.shape[1:]))
    found: Results = []
    scores: list[float] = []
    thresholds = np.broadcast_to(np.asarray(threshold, dtype=float), len(labels))
    for number, (label, of_class) in enumerate(zip(labels, probabilities, strict=True)):
        mask = of_class >= thresholds[number]
        scores.append(_share(of_class[mask].mean(dtype=float) if mask.any() else 1 - of_class.max()))
        control = _drawing(labelling, label)
        found += mask_to_regions(mask, control, label, f"{control.name}-{number}", scores[-1])
    return found, _share(np.mean(scores))


def _drawing(labelling: Labelling, label: str) -> Control:
    able = [control for control in labelling.segmentation if label in control.labels]
    return min(able, key=lambda control: _BEST_FIRST.index(control.kind))


def _share(score: float | np.floating) -> float:
    """Within [0, 1] after rounding too: Label Studio drops a prediction whose score is not."""
    return min(1.0, max(0.0, float(score)))


def _checked(probabilities: Floats, shape: tuple[int, ...]) -> Floats:
    if np.shape(probabilities) != shape:
        raise OutputDiffers(f"probabilities of shape {shape}", f"{np.shape(probabilities)}")
    if not np.all((probabilities >= 0) & (probabilities <= 1)):
        raise OutputDiffers("probabilities in [0, 1]", "others, or none (NaN)")
    return probabilities
