"""One training from gathered examples to a version: learnt, judged, compared, stored, and only then put in service."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version as installed

import numpy as np
from numpy.typing import NDArray

from seedqueue.backend import audit, locked
from seedqueue.backend.context import Context
from seedqueue.backend.examples import Example
from seedqueue.backend.gathering import Gathered
from seedqueue.backend.judging import Predicted, compare, judge, verdict
from seedqueue.backend.label_config import Labelling
from seedqueue.backend.learn_classes import learn_linear
from seedqueue.backend.learn_network import Course, learn_network
from seedqueue.backend.learning_errors import NothingToTrain
from seedqueue.backend.learnt import Bounds, Learnt, unrelated
from seedqueue.backend.records import Run
from seedqueue.backend.vectors import Vectors, vectors_of
from seedqueue.backend.versions import FAMILY, HeadKind, ModelVersion
from seedqueue.models.heads.spec import Progress, Task
from seedqueue.models.metrics.figure import Difference

CHECKPOINTS = "checkpoints"  # beside the weights: a folder of this machine, whatever the home is


def classes_of(labelling: Labelling, head: HeadKind) -> tuple[str, ...]:
    """What the label config has for this head to say; () for nothing."""
    return labelling.classes if FAMILY[head] == "classes" else labelling.mask_classes


def kind_of(labelling: Labelling, head: HeadKind) -> Task:
    """How its classes are asked for: one, several, or as masks."""
    if FAMILY[head] == "masks" or labelling.classification_kind is None:
        return "masks"
    return labelling.classification_kind


def train_head(
    context: Context, run: Run, gathered: Gathered, head: HeadKind, report: Callable[[Progress], None]
) -> ModelVersion:
    """Train one head and store its version, promoted or not. The last version stays in service until the end.

    Raises `NothingToTrain`, and what trainings and weights raise.
    """
    began = time.monotonic()
    family = FAMILY[head]
    labelled, vectors = gathered.labelled(family), vectors_apart(context, run, gathered)
    held_out, judges = gathered.held_out(family)
    learnt = _learn(context, run, gathered, head, vectors, report)
    if not learnt.examples:
        raise NothingToTrain(run.project, "none of the labelled images can be read, or all are held out")
    parent = context.versions.serving(run.project).get(family)
    rows = learnt.predicted.images if learnt.kind == "masks" else learnt.predicted.probabilities
    judges = [one for one in judges if one.task in rows]
    groups = groups_of(vectors, judges, run.choices.near_duplicate)
    seed = context.settings.random_seed
    judged = judge(learnt.predicted, judges, groups, learnt.classes, learnt.kind, learnt.threshold, seed)
    difference = _difference(context, parent, learnt, judges, groups, seed)
    promoted, why = verdict(difference, parent.name if parent else "", held_out if judges else "")
    weights = context.blobs.put(learnt.weights)
    number = context.versions.next_number(run.project)
    made = ModelVersion(
        project=run.project,
        number=number,
        head=head,
        kind=learnt.kind,
        classes=learnt.classes,
        parent=parent.number if parent else None,
        embedder=run.choices.embedder,
        fingerprint=run.fingerprint,
        annotations=labelled.annotations,
        digest=labelled.digest,
        labels=len(learnt.examples),
        per_class=learnt.per_class,
        random_seed=seed,
        weights=weights,
        code=installed("seedqueue"),
        made=datetime.now(UTC).isoformat(timespec="seconds"),
        seconds=round(time.monotonic() - began, 2),
        audit=tuple(one.task for one in judges),
        held_out=held_out if judges else "",
        figures=judged.figures,
        signal=learnt.signal,
        primary={"name": judged.primary_name, **asdict(judged.primary)},
        difference=asdict(difference) if difference else None,
        threshold=learnt.threshold,
        prior=learnt.prior,
        target=learnt.target,
        pretrained=learnt.pretrained,
        verdict=why,
        promoted=promoted,
    )
    context.records.append("held_out", run.project, number, learnt.predicted.body())
    context.versions.save(made)
    if promoted:
        context.versions.promote(made)
    return made


def vectors_apart(context: Context, run: Run, gathered: Gathered) -> Vectors:
    """The project's embeddings, standardised without what is held out: audit slice, locked list, ground truth."""
    apart = [(one.task, one.uri) for one in audit.frozen(context.records, run.project)]
    apart += [(one.task, one.uri) for one in gathered.ground_truth] + locked.of(context.records, run.project).places
    return vectors_of(context, run.project, run.fingerprint, apart)


def predicted_of(context: Context, version: ModelVersion) -> Predicted | None:
    """What a version said of the held-out tasks when it was made."""
    found = context.records.bodies("held_out", version.project, version.number)
    return Predicted.from_body(found[-1][2]) if found else None


def _learn(
    context: Context,
    run: Run,
    gathered: Gathered,
    head: HeadKind,
    vectors: Vectors,
    report: Callable[[Progress], None],
) -> Learnt:
    settings, labelling, family = context.settings, gathered.labelling, FAMILY[head]
    training, (_, judges) = gathered.of(family), gathered.held_out(family)
    places = [(one.task, one.uri) for one in audit.frozen(context.records, run.project)]
    bounds = Bounds(run.choices.near_duplicate, settings.random_seed)
    training = unrelated(training, (), locked.of(context.records, run.project).places, vectors, bounds)
    task = kind_of(labelling, head)
    if head == "linear" and task != "masks":
        if not vectors.hashes:
            raise NothingToTrain(run.project, f"it has no embeddings of {run.choices.embedder} ({run.fingerprint})")
        return learn_linear(vectors, training, judges, places, labelling.classes, task, bounds)
    training = unrelated(training, judges, places, vectors, bounds)
    file = settings.weights / CHECKPOINTS / f"{settings.namespace}-{run.project}-{head}.pt"
    file.parent.mkdir(parents=True, exist_ok=True)
    course = Course(settings.epochs, settings.random_seed, settings.threads, file, report)
    learnt = learn_network(context, training, judges, places, classes_of(labelling, head), task, course)
    file.unlink(missing_ok=True)
    return learnt


def groups_of(vectors: Vectors, examples: Sequence[Example], near: float) -> NDArray[np.int64]:
    """The groups that a bootstrap draws: of one patient, and near duplicates where all embeddings are stored."""
    names = [one.group for one in examples]
    places = [(one.task, one.uri) for one in examples]
    if examples and all(vectors.has(*place) for place in places):
        return vectors.groups(vectors.of(places), names, near)
    return np.unique(names, return_inverse=True)[1].astype(np.int64)


def _difference(
    context: Context,
    parent: ModelVersion | None,
    learnt: Learnt,
    judges: Sequence[Example],
    groups: NDArray[np.int64],
    seed: int,
) -> Difference | None:
    """To the version that serves now, where both say the same kind of thing about the same tasks."""
    if parent is None or (parent.classes, parent.kind) != (learnt.classes, learnt.kind):
        return None
    before = predicted_of(context, parent)
    return None if before is None else compare(learnt.predicted, before, judges, groups, learnt.kind, seed)
