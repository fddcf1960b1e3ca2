"""What the linear head costs: a fit, the out-of-fold signal, a whole training, a whole pool. All on one thread."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from seedqueue.backend.bench.drawn_project import CLASSES, DrawnProject, drawn_classes
from seedqueue.backend.bench.rows import Timing, timed
from seedqueue.backend.bench.synthetic import features
from seedqueue.backend.bench.timing import core_seconds, in_turns
from seedqueue.backend.learn import train_head
from seedqueue.models.heads.folds import out_of_fold
from seedqueue.models.heads.linear import C, LinearHead, fit_linear
from seedqueue.selectors.representation import Scaler, fit_scaler
from seedqueue.selectors.source import Matrix

STAGE = "linear head"
_PEER = "scikit-learn on all columns"

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]


def head_rows(labels: Sequence[int], pools: Sequence[int], rounds: int) -> list[Timing]:
    """Rows of fits of so many labels, and of the probabilities of pools of so many rows, in memory."""
    drawn = features(max(*labels, *pools))
    scaler = fit_scaler(Matrix(drawn[: max(labels)]))
    rows: list[Timing] = []
    with threadpool_limits(1):
        for n in labels:
            rows += _fits(drawn[:n], scaler, rounds)
        head = _fit(drawn[: max(labels)], drawn_classes(drawn[: max(labels)]), scaler, np.arange(max(labels)))
        for n in pools:
            spent = core_seconds({"ours": partial(head.probabilities, drawn[:n])}, rounds)["ours"]
            rows.append(timed(STAGE, f"probabilities of a pool of {n:,}, in memory", 1e3 * spent, "core-ms"))
    return rows


def training_rows(project: DrawnProject, stored: int, rounds: int) -> list[Timing]:
    """Rows of a whole training: from examples to a version that is judged, compared with its parent and promoted."""

    def train() -> None:
        with threadpool_limits(1):
            made.append(train_head(project.context, project.run, project.gathered, "linear", lambda progress: None))

    made: list[Any] = []
    in_turns({"first": train}, 1)
    spent = in_turns({"train": train}, rounds)["train"]
    serving = project.context.versions.get(project.run.project, made[-1].number)
    assert serving.promoted, serving.verdict
    what = f"a whole training, {stored:,} embeddings stored"
    note = f"{serving.labels} labels learnt from, audit slice of {len(serving.audit)}"
    return [
        timed(STAGE, what, spent.clock, "s", note=note),
        timed(STAGE, what, spent.core, "core-s", note=note),
    ]


def _fits(embeddings: Floats, scaler: Scaler, rounds: int) -> list[Timing]:
    truth, n = drawn_classes(embeddings), len(embeddings)
    fit = partial(_fit, embeddings, truth, scaler)
    spent = core_seconds(
        {
            "ours": partial(fit, np.arange(n)),
            "peer": partial(_peer, embeddings, truth, scaler),
            "folds": lambda: out_of_fold(fit, embeddings, truth, np.arange(n)),
        },
        rounds,
    )
    d = embeddings.shape[1]
    return [
        timed(STAGE, f"fit of {n} labels, d = {d:,}", 1e3 * spent["ours"], "core-ms", 1e3 * spent["peer"], _PEER),
        timed(STAGE, f"out-of-fold signal of {n} labels, 5 folds", 1e3 * spent["folds"], "core-ms"),
    ]


def _fit(embeddings: Floats, truth: NDArray[np.bool_], scaler: Scaler, rows: Rows) -> LinearHead:
    return fit_linear(embeddings[rows], truth[rows], CLASSES, "single", scaler.mean, scaler.deviation, 0)


def _peer(embeddings: Floats, truth: NDArray[np.bool_], scaler: Scaler) -> object:
    """The same problem to the same tolerance as its users would pose it."""
    from sklearn.linear_model import LogisticRegression

    standardised = (embeddings.astype(np.float64) - scaler.mean) / scaler.deviation
    return LogisticRegression(C=C, tol=1e-5, max_iter=10_000).fit(standardised, truth.argmax(axis=1))
