"""Labels that look wrong, by cleanlab: confident learning on cross-validated probabilities. Pure.

Northcutt, Jiang & Chuang, Journal of Artificial Intelligence Research 70 (2021). cleanlab is imported where it is used:
no other command has to wait for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seedqueue.backend.label_config import ClassificationKind
from seedqueue.backend.people.class_names import in_words
from seedqueue.models.heads.folds import out_of_fold
from seedqueue.models.heads.linear import LinearHead, fit_linear

LEAST_OF_CLASS = 5
LEAST_LABELS = 20

Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]
Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Suspect:
    """One label that looks wrong. score: how well the probabilities support it, in [0, 1]: the lowest first."""

    task: int
    given: str
    suggested: str
    score: float


@dataclass(frozen=True)
class Labelled:
    """Labelled images as a linear head sees them.

    embeddings: float32 (n, d); truth: bool (n, classes); groups: int64 (n,), never split between folds; mean,
    deviation: (d,), for standardising.
    """

    tasks: tuple[int, ...]
    embeddings: Floats
    truth: Flags
    groups: Rows
    mean: NDArray[np.floating]
    deviation: NDArray[np.floating]


@dataclass(frozen=True)
class Doubted:
    """suspects: the worst first. reason: why none could be looked for, else "". left_out: classes too rare to judge."""

    suspects: tuple[Suspect, ...] = ()
    looked_at: int = 0
    reason: str = ""
    left_out: tuple[str, ...] = ()


def doubted(labelled: Labelled, classes: Sequence[str], kind: ClassificationKind, seed: int = 0) -> Doubted:
    """The labels that confident learning doubts. Nothing is changed: each is for a person to look at.

    Classes with fewer than `LEAST_OF_CLASS` labels are left out: of a single choice their tasks, of several their
    column. With fewer than `LEAST_LABELS` tasks, or no two answers to tell apart, nothing is looked for.
    """
    kept = frequent(labelled.truth, kind)
    left_out = tuple(name for name, keep in zip(classes, kept, strict=True) if not keep)
    truth, names = labelled.truth[:, kept], [name for name, keep in zip(classes, kept, strict=True) if keep]
    rows = np.flatnonzero(truth.any(axis=1)) if kind == "single" else np.arange(len(truth))
    if reason := _too_little(len(rows), len(names), kind):
        return Doubted((), len(rows), reason, left_out)
    truth, embeddings = truth[rows], labelled.embeddings[rows]

    def fit(some: Rows) -> LinearHead:
        return fit_linear(
            embeddings[some], truth[some], tuple(names), kind, labelled.mean, labelled.deviation, seed=seed
        )

    folded = out_of_fold(fit, embeddings, truth, labelled.groups[rows], seed=seed)
    if folded is None:
        return Doubted((), len(rows), "all labelled images are of one patient or study", left_out)
    tasks = [labelled.tasks[row] for row in rows]
    find = of_one if kind == "single" else of_several
    return Doubted(tuple(find(tasks, truth, folded.astype(np.float64), names)), len(rows), "", left_out)


def frequent(truth: Flags, kind: ClassificationKind) -> Flags:
    """The classes with enough labels, bool (classes,); of several choices with enough tasks without it as well."""
    held = truth.sum(axis=0)
    enough = held >= LEAST_OF_CLASS
    return np.asarray(enough if kind == "single" else enough & (len(truth) - held >= LEAST_OF_CLASS))


def _too_little(tasks: int, classes: int, kind: ClassificationKind) -> str:
    needed = 2 if kind == "single" else 1
    if classes < needed:
        return f"{needed} classes with {LEAST_OF_CLASS} labels each are needed, and {classes} have so many"
    return f"{LEAST_LABELS} labels are needed, and there are {tasks}" if tasks < LEAST_LABELS else ""


def of_one(
    tasks: Sequence[int], truth: Flags, probabilities: NDArray[np.float64], names: Sequence[str]
) -> list[Suspect]:
    """Of a single choice: truth bool (n, classes) with one true a row, probabilities float64 (n, classes) held out."""
    from cleanlab.filter import find_label_issues

    given = truth.argmax(axis=1)
    found = find_label_issues(given, probabilities, return_indices_ranked_by="self_confidence", n_jobs=1)
    said = probabilities.argmax(axis=1)
    return [
        Suspect(tasks[row], names[given[row]], names[said[row]], float(probabilities[row, given[row]]))
        for row in found.tolist()
        if said[row] != given[row]
    ]


def of_several(
    tasks: Sequence[int], truth: Flags, probabilities: NDArray[np.float64], names: Sequence[str]
) -> list[Suspect]:
    """Of several choices: each class that is doubted is turned in the suggestion."""
    from cleanlab.multilabel_classification.filter import find_multilabel_issues_per_class

    labels = [np.flatnonzero(row).tolist() for row in truth]
    doubt = np.asarray(find_multilabel_issues_per_class(labels, probabilities, n_jobs=1), dtype=bool)
    doubt &= (probabilities >= 0.5) != truth
    support = np.where(truth, probabilities, 1 - probabilities)
    score = np.where(doubt, support, np.inf).min(axis=1)
    found = [
        Suspect(tasks[row], in_words(truth[row], names), in_words(truth[row] ^ doubt[row], names), float(score[row]))
        for row in np.flatnonzero(doubt.any(axis=1))
    ]
    return sorted(found, key=lambda one: (one.score, one.task))
