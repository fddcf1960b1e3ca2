"""What a held-out set says of a version, and of two versions against each other. Pure: predictions in, figures out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedqueue.backend.examples import Example
from seedqueue.models.metrics import classification, segmentation
from seedqueue.models.metrics.calibration import Kind, prior_shift
from seedqueue.models.metrics.figure import Difference, Figure
from seedqueue.models.metrics.masks import ImageFigures

Groups = NDArray[np.int64]
Doubles = NDArray[np.float64]

# Below so many audit labels their prevalence is known too badly to move probabilities by.
LEAST_FOR_PREVALENCE = 50


@dataclass(frozen=True)
class Predicted:
    """What a version says of held-out tasks: a row of class probabilities each, or the figures of its masks.

    Kept with the version, so that a later one can be compared with it on the same tasks.
    """

    probabilities: Mapping[int, tuple[float, ...]]
    images: Mapping[int, tuple[ImageFigures, ...]]

    def body(self) -> dict[str, Any]:
        """As JSON; task ids become strings there."""
        images = {str(task): [asdict(one) for one in row] for task, row in self.images.items()}
        return {"probabilities": {str(task): row for task, row in self.probabilities.items()}, "images": images}

    @classmethod
    def from_body(cls, body: Mapping[str, Any]) -> Predicted:
        images = {int(task): tuple(ImageFigures(**one) for one in row) for task, row in body["images"].items()}
        return cls({int(task): tuple(row) for task, row in body["probabilities"].items()}, images)


@dataclass(frozen=True)
class Judged:
    """figures: all of them as JSON. primary: the one that versions are compared by, and its name."""

    figures: dict[str, Any]
    primary: Figure
    primary_name: str


def judge(
    predicted: Predicted,
    examples: Sequence[Example],
    groups: Groups,
    classes: Sequence[str],
    kind: str,
    thresholds: Sequence[float],
    seed: int,
) -> Judged:
    """The figures of one version on labelled held-out tasks; groups: int64 (n,), of the examples."""
    if kind == "masks":
        rows = [predicted.images[one.task] for one in examples]
        masks = segmentation.segmentation_figures(rows, classes, groups, seed=seed)
        return Judged(asdict(masks), masks.primary, masks.primary_name)
    found = classification.classification_figures(
        _probabilities(predicted, examples, len(classes)),
        targets(examples, len(classes)),
        classes,
        _kind(kind),
        np.asarray(thresholds) if thresholds else None,
        groups,
        seed=seed,
    )
    return Judged(asdict(found), found.primary, found.primary_name)


def compare(
    new: Predicted, old: Predicted, examples: Sequence[Example], groups: Groups, kind: str, seed: int
) -> Difference | None:
    """The primary figure of `new` less that of `old` on the tasks that both have; None where there are none."""
    shared = [
        row
        for row, one in enumerate(examples)
        if one.task in (new.images if kind == "masks" else new.probabilities)
        and one.task in (old.images if kind == "masks" else old.probabilities)
    ]
    if not shared:
        return None
    both = [examples[row] for row in shared]
    if kind == "masks":
        a, b = ([each.images[one.task] for one in both] for each in (new, old))
        return segmentation.primary_difference(a, b, groups[shared], seed=seed)
    truth = targets(both, len(both[0].classes or ()))
    p, q = (_probabilities(each, both, truth.shape[1]) for each in (new, old))
    return classification.primary_difference(p, q, truth, _kind(kind), groups[shared], seed=seed)


def verdict(difference: Difference | None, parent: str, held_out: str) -> tuple[bool, str]:
    """Whether a new version is promoted over its parent, and why.

    It has seen more labels: it is, unless the paired 95 % interval of the difference lies wholly below 0.
    """
    if not held_out:
        return True, "unaudited: no held-out task is labelled, so nothing can be compared"
    if not parent:
        return True, "the first of its kind"
    if difference is None or difference.value is None:
        return (
            True,
            f"not comparable with {parent}: {difference.reason if difference else 'no held-out task in common'}",
        )
    if difference.low is None or difference.high is None:
        return True, f"{difference.value:+.3f} against {parent} on {difference.n} images, without an interval"
    told = f"{difference.value:+.3f} ({difference.low:+.3f} to {difference.high:+.3f}) against {parent}"
    if difference.high < 0:
        return False, f"worse: {told} on the {held_out}"
    return True, f"{told} on the {held_out}, {difference.n} images"


def recalibrated(
    probabilities: NDArray[np.floating], kind: str, prior: Sequence[float], target: Sequence[float]
) -> Doubles:
    """Probabilities (n, c) at the audit's prevalence in place of the queue's; as they are where one is unknown."""
    given = np.asarray(probabilities, dtype=np.float64)
    if not prior or not target:
        return given
    return prior_shift(given, np.asarray(prior), np.asarray(target), _kind(kind))


def targets(examples: Sequence[Example], classes: int) -> NDArray[np.bool_]:
    """bool (n, classes); all examples have classes."""
    return np.array([one.classes for one in examples], dtype=bool).reshape(len(examples), classes)


def _probabilities(predicted: Predicted, examples: Sequence[Example], classes: int) -> Doubles:
    rows = np.array([predicted.probabilities[one.task] for one in examples], dtype=np.float64)
    return rows.reshape(len(examples), classes)


def _kind(kind: str) -> Kind:
    return "single" if kind == "single" else "multi"
