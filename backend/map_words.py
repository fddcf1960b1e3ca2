"""What is known of the tasks of a map in words: their labels, what the head that serves says, how sure it is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from seedqueue.backend.context import Context
from seedqueue.backend.gathering import Gathered, gather
from seedqueue.backend.judging import recalibrated
from seedqueue.backend.learning_errors import LabelConfigUnusable
from seedqueue.backend.locked import held_out
from seedqueue.backend.pool import PoolTask
from seedqueue.backend.records import Run
from seedqueue.backend.versions import ModelVersion
from seedqueue.models.heads.linear import LinearHead
from seedqueue.selectors.source import Source, blocks

NOTHING_DRAWN = "nothing drawn"
NONE_OF_THEM = "none"


def labels(context: Context, run: Run, pool: Sequence[PoolTask]) -> list[str | None]:
    """What annotators said of each task in words."""
    if not any(task.labelled for task in pool):
        return [None] * len(pool)
    try:
        gathered = gather(context, run.project, run.choices.group_field)
    except LabelConfigUnusable:
        return [None] * len(pool)
    found = label_texts(gathered)
    return [found.get(task.task) for task in pool]


def label_texts(gathered: Gathered) -> dict[int, str]:
    """{task: its classes, else the labels of its masks}."""
    found = {}
    for one in (*gathered.training, *gathered.audit, *gathered.locked, *gathered.ground_truth):
        if one.classes is not None:
            found[one.task] = named(gathered.labelling.classes, one.classes)
        elif one.masks is not None:
            names = {label for regions in one.masks.annotations for region in regions for label in region.labels}
            found[one.task] = ", ".join(sorted(names)) or NOTHING_DRAWN
    return found


def named(classes: Sequence[str], chosen: Sequence[bool]) -> str:
    return ", ".join(name for name, yes in zip(classes, chosen, strict=True) if yes) or NONE_OF_THEM


def said(context: Context, run: Run, pool: Sequence[PoolTask], source: Source) -> dict[str, list[object]]:
    """Prediction and uncertainty of the linear head that serves; nothing of a network, which would have to see images.

    Nothing of held-out tasks either: who labels them must not have seen what the model says.
    """
    version = context.versions.serving(run.project).get("classes")
    if version is None or version.head != "linear" or version.fingerprint != run.fingerprint or not len(pool):
        return {"predicted": [None] * len(pool), "uncertainty": [None] * len(pool)}
    head = LinearHead.from_bytes(context.blobs.get(version.weights))
    probabilities = np.concatenate(
        [
            recalibrated(head.probabilities(block), version.kind, version.prior, version.target)
            for _, block in blocks(source)
        ]
    )
    hidden = held_out(context.records, run.project)
    words, unsure = predicted_texts(probabilities, version), uncertainty(probabilities, version.kind).tolist()
    return {
        "predicted": [None if task.task in hidden else word for task, word in zip(pool, words, strict=True)],
        "uncertainty": [None if task.task in hidden else value for task, value in zip(pool, unsure, strict=True)],
    }


def predicted_texts(probabilities: NDArray[np.float64], version: ModelVersion) -> list[str]:
    """The class, or the classes at or above their thresholds, of each row (n, c)."""
    if version.kind == "single":
        return [version.classes[at] for at in probabilities.argmax(axis=1).tolist()]
    cut = np.asarray(version.threshold or [0.5] * len(version.classes))
    return [named(version.classes, row) for row in (probabilities >= cut).tolist()]


def uncertainty(probabilities: NDArray[np.float64], kind: str) -> NDArray[np.float64]:
    """Entropy as a share of the greatest possible, float64 (n,), 0 to 1; of several labels the mean over the classes.

    probabilities: (n, c). Settles, 2009, section 2.1.
    """
    p = np.clip(probabilities, 1e-12, 1.0)
    if kind == "single" and p.shape[1] > 1:
        return np.asarray(-(p * np.log(p)).sum(axis=1) / np.log(p.shape[1]))
    q = np.clip(1 - probabilities, 1e-12, 1.0)
    return np.asarray(-(p * np.log(p) + q * np.log(q)).mean(axis=1) / np.log(2))
