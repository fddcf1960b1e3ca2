"""How a serving version reads the held-out tasks: which classes it mistakes for which, and its worst cases. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seedqueue.backend.examples import Example
from seedqueue.backend.judging import Predicted
from seedqueue.backend.versions import Family, ModelVersion
from seedqueue.models.metrics.masks import ImageFigures

_Flags = NDArray[np.bool_]
_Doubles = NDArray[np.float64]
_Row = tuple[int, _Flags, _Doubles]  # a task, what it shows, how probable each class is
_Told = tuple[int, str, str, float]  # a `Case` without its address

WORST = 12
THRESHOLD = 0.5  # of a version that has chosen none
NOTHING = "nothing"


@dataclass(frozen=True)
class Case:
    """One held-out task as text: what it shows, what the version says.

    score: of classes how sure it was of its gravest error (the probability of what it said), of masks the lowest
    DSC of a class.
    """

    task: int
    truth: str
    predicted: str
    score: float
    url: str


@dataclass(frozen=True)
class Reading:
    """confusion: tasks by truth (rows) and prediction (columns), of one choice among many; None for anything else.

    judged_on: the held-out tasks behind it. worst: the worst first.
    """

    family: Family
    version: str
    classes: tuple[str, ...]
    judged_on: int
    confusion: list[list[int]] | None
    worst: tuple[Case, ...]


def reading(
    version: ModelVersion, predicted: Predicted, examples: Sequence[Example], classes: Sequence[str], project_url: str
) -> Reading:
    """classes: what the label config asks for now, in whose order the examples tell them.

    Tasks of which the version has said nothing are left out, and those that show a class it has never learnt.
    project_url: Label Studio's page of the project.
    """
    if version.kind == "masks":
        told = [one for one in examples if one.task in predicted.images]
        found = [(one.task, *_masks(predicted.images[one.task], version.classes)) for one in told]
        worst = sorted((case for case in found if case[3] < 1), key=lambda case: (case[3], case[0]))
        return _reading(version, len(found), None, worst, project_url)
    rows = list(_rows(version, predicted, examples, classes))
    if version.kind == "single":
        wrong = [_mistaken(version, row) for row in rows if not row[1][row[2].argmax()]]
    else:
        wrong = [_several(version, row) for row in rows if (_called(version, row[2]) != row[1]).any()]
    worst = sorted(wrong, key=lambda case: (-case[3], case[0]))
    return _reading(version, len(rows), _confusion(version, rows), worst, project_url)


def _reading(
    version: ModelVersion, count: int, confusion: list[list[int]] | None, worst: Sequence[_Told], project_url: str
) -> Reading:
    cases = tuple(
        Case(task, truth, said, score, f"{project_url}/data?task={task}") for task, truth, said, score in worst[:WORST]
    )
    return Reading(version.family, version.name, version.classes, count, confusion, cases)


def _rows(
    version: ModelVersion, predicted: Predicted, examples: Sequence[Example], classes: Sequence[str]
) -> Iterator[_Row]:
    """(task, truth, probabilities), both (c,) in the order of the version's classes."""
    for one in examples:
        shown = {name for name, there in zip(classes, one.classes or (), strict=False) if there}
        if one.task in predicted.probabilities and shown <= set(version.classes):
            truth = np.array([name in shown for name in version.classes], dtype=bool)
            if version.kind != "single" or truth.any():
                yield one.task, truth, np.array(predicted.probabilities[one.task], dtype=np.float64)


def _confusion(version: ModelVersion, rows: Sequence[_Row]) -> list[list[int]] | None:
    if version.kind != "single":
        return None
    from sklearn.metrics import confusion_matrix  # a second to import, and /predict never asks for it

    pairs = [(int(truth.argmax()), int(said.argmax())) for _, truth, said in rows]
    if not pairs:
        return [[0] * len(version.classes) for _ in version.classes]
    matrix = confusion_matrix(*zip(*pairs, strict=True), labels=range(len(version.classes)))
    return [[int(count) for count in row] for row in matrix]


def _mistaken(version: ModelVersion, row: _Row) -> _Told:
    task, truth, said = row
    at = int(said.argmax())
    return task, _names(version, truth), version.classes[at], float(said[at])


def _several(version: ModelVersion, row: _Row) -> _Told:
    task, truth, said = row
    called = _called(version, said)
    sure = np.where(called, said, 1 - said)
    return task, _names(version, truth), _names(version, called), float(sure[called != truth].max())


def _called(version: ModelVersion, said: _Doubles) -> _Flags:
    return np.asarray(said >= np.array(version.threshold or [THRESHOLD] * len(version.classes)))


def _names(version: ModelVersion, flags: _Flags) -> str:
    return ", ".join(name for name, flag in zip(version.classes, flags, strict=True) if flag) or NOTHING


def _masks(figures: Sequence[ImageFigures], classes: Sequence[str]) -> tuple[str, str, float]:
    """What there is, what is said, and the lowest DSC; that of something said where nothing is, is 0."""
    named = list(zip(classes, figures, strict=True))
    truth = [name for name, one in named if one.dsc is not None]
    said = [name for name, one in named if one.false_positive or one.missed is False]
    scores = [one.dsc if one.dsc is not None else 0.0 for _, one in named if one.dsc is not None or one.false_positive]
    return ", ".join(truth) or NOTHING, ", ".join(said) or NOTHING, min(scores, default=1.0)
