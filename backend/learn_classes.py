"""The linear head of a project: trained on the embeddings of what is labelled, judged on what is held out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedqueue.backend.examples import Example
from seedqueue.backend.judging import LEAST_FOR_PREVALENCE, Predicted, recalibrated, targets
from seedqueue.backend.learnt import Bounds, Learnt, unrelated
from seedqueue.backend.pool import Place
from seedqueue.backend.vectors import Vectors
from seedqueue.models.heads.folds import out_of_fold
from seedqueue.models.heads.linear import LinearHead, fit_linear
from seedqueue.models.heads.regression import Kind
from seedqueue.models.metrics.calibration import smoothed_prevalence
from seedqueue.models.metrics.classification import classification_figures
from seedqueue.models.metrics.thresholds import best_f1, youden


def learn_linear(
    vectors: Vectors,
    training: Sequence[Example],
    held_out: Sequence[Example],
    audit: Sequence[Place],
    classes: tuple[str, ...],
    kind: Kind,
    bounds: Bounds,
) -> Learnt:
    """Train on the examples whose embeddings are stored and that are no relatives of an audit task.

    audit: every task of the slice, labelled or not: the head's word on all of them is kept, so that later labels
    can still judge it.
    """
    scaler = vectors.scaler
    told = [one for one in training if vectors.has(one.task, one.uri)]
    told = unrelated(told, held_out, audit, vectors, bounds)
    embeddings = vectors.of([(one.task, one.uri) for one in told])
    truth = targets(told, len(classes))

    def fit(rows: NDArray[np.int64]) -> LinearHead:
        return fit_linear(embeddings[rows], truth[rows], classes, kind, scaler.mean, scaler.deviation, bounds.seed)

    head = fit(np.arange(len(told)))
    groups = vectors.groups(embeddings, [one.group for one in told], bounds.near)
    folded = out_of_fold(fit, embeddings, truth, groups, seed=bounds.seed)
    sampled = [one for one in held_out if (one.task, one.uri) in audit]  # ground truth is no sample of the pool
    prior, target = prevalences(truth, sampled, kind)
    asked = {*audit, *((one.task, one.uri) for one in held_out)}
    places = sorted(place for place in asked if vectors.has(*place))  # a set's order differs from process to process
    said = recalibrated(head.probabilities(vectors.of(places)), kind, prior, target)
    rows = {task: tuple(row) for (task, _), row in zip(places, said.tolist(), strict=True)}
    shifted = None if folded is None else recalibrated(folded, kind, prior, target)
    return Learnt(
        head.to_bytes(),
        classes,
        kind,
        tuple(told),
        tuple(truth.sum(axis=0).tolist()),
        Predicted(rows, {}),
        threshold=thresholds(shifted, truth),
        prior=prior,
        target=target,
        signal=_signal(folded, truth, classes, kind, groups, bounds.seed),
    )


def prevalences(
    truth: NDArray[np.bool_], sampled: Sequence[Example], kind: Kind
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Of what was learnt and of the audit slice, each class; both empty while the slice has too few labels."""
    if len(sampled) < LEAST_FOR_PREVALENCE or not len(truth):
        return (), ()
    both = (smoothed_prevalence(each, kind) for each in (truth, targets(sampled, truth.shape[1])))
    prior, target = (tuple(each.tolist()) for each in both)
    return prior, target


def thresholds(folded: NDArray[np.floating] | None, truth: NDArray[np.bool_]) -> tuple[float, ...]:
    """Of each class the out-of-fold threshold of the best F1; empty where there are no folds."""
    if folded is None:
        return ()
    return tuple(best_f1(folded[:, each], truth[:, each]) for each in range(truth.shape[1]))


def _signal(
    folded: NDArray[np.floating] | None,
    truth: NDArray[np.bool_],
    classes: tuple[str, ...],
    kind: Kind,
    groups: NDArray[np.int64],
    seed: int,
) -> dict[str, Any]:
    """Cross-validation on the queue's labels, with both thresholds: a training signal, not a performance."""
    if folded is None:
        return {}
    chosen = np.array(thresholds(folded, truth))
    found = classification_figures(folded, truth, classes, kind, chosen, groups, bootstraps=0, seed=seed)
    others = [youden(folded[:, each], truth[:, each]) for each in range(truth.shape[1])]
    return {"cross_validation": asdict(found), "best_f1": chosen.tolist(), "youden": others}
