"""What the promoted heads say of a whole pool, as the selectors of later rounds take it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from seedqueue.backend.context import Context
from seedqueue.backend.judging import recalibrated
from seedqueue.backend.learning_errors import NoTrainedHead
from seedqueue.backend.pictures import pictures
from seedqueue.backend.pool import PoolTask
from seedqueue.backend.records import Run
from seedqueue.backend.versions import Family, ModelVersion
from seedqueue.models.heads.certainty import as_distribution
from seedqueue.models.heads.images import prepare
from seedqueue.models.heads.linear import LinearHead
from seedqueue.models.heads.network_head import NetworkHead
from seedqueue.models.heads.regression import Kind
from seedqueue.selectors import pixels, registry
from seedqueue.selectors.signals import MEANING, SignalName, Signals
from seedqueue.selectors.source import Source, blocks

DRAWS = 10
# A segmenter has to see its images: of more than so many a random part is looked at, the rest count as certain.
LOOKED_AT = 2000

PIXELS: frozenset[SignalName] = frozenset({"pixel_entropy", "pixel_disagreement"})


def family_for(needs: Sequence[SignalName]) -> Family:
    return "masks" if PIXELS & set(needs) else "classes"


def head_for(context: Context, project: int, selector: str, fingerprint: str) -> ModelVersion:
    """The version whose word a later round with this selector goes by.

    Raises `NoTrainedHead` where none serves, or where a linear head knows another embedder's embeddings.
    """
    needs = registry.get(selector).needs
    version = context.versions.serving(project).get(family_for(needs))
    if version is None or (version.head == "linear" and version.fingerprint != fingerprint):
        raise NoTrainedHead(project, selector, MEANING[needs[0]] if needs else "a trained head")
    return version


def head_signals(
    context: Context, run: Run, version: ModelVersion, tasks: Sequence[PoolTask], source: Source
) -> Signals:
    """The signals that the run's selector needs, of the rows of its pool. source: their embeddings (n, d)."""
    needs = registry.get(run.choices.selector).needs
    if version.family == "masks":
        return _pixel_signals(context, run, version, tasks, needs)
    if version.head == "linear":
        said, drawn = _of_embeddings(context, run, version, source, draws="dropout_probabilities" in needs)
    else:
        said, drawn = _of_pictures(context, run, version, tasks, draws="dropout_probabilities" in needs)
    kind: Kind = "single" if version.kind == "single" else "multi"
    return Signals(
        probabilities=as_distribution(said, kind),
        dropout_probabilities=None if drawn is None else as_distribution(drawn, kind, like=said),
    )


Said = tuple[NDArray[np.float64], NDArray[np.float64] | None]


def _of_embeddings(context: Context, run: Run, version: ModelVersion, source: Source, *, draws: bool) -> Said:
    """(n, c), and (draws, n, c) under dropout, without a forward pass."""
    head = LinearHead.from_bytes(context.blobs.get(version.weights))
    seed = run.choices.random_seed
    said, drawn = [], []
    for _, block in blocks(source):
        said.append(recalibrated(head.probabilities(block), version.kind, version.prior, version.target))
        if draws:
            thinned = head.dropout_probabilities(block, DRAWS, seed)
            drawn.append(np.stack([recalibrated(one, version.kind, version.prior, version.target) for one in thinned]))
    return np.concatenate(said), np.concatenate(drawn, axis=1) if draws else None


def _of_pictures(context: Context, run: Run, version: ModelVersion, tasks: Sequence[PoolTask], *, draws: bool) -> Said:
    """The same through a network. An image that cannot be read any more counts as certain of its first class."""
    head = network(context, version)
    certain = np.eye(1, len(version.classes))[0]
    said = np.tile(certain, (len(tasks), 1))
    drawn = np.tile(certain, (DRAWS, len(tasks), 1)) if draws else None
    for row, (_, picture) in enumerate(pictures(context, [(task.task, task.uri) for task in tasks])):
        if picture is not None:
            seen = prepare(picture.image, head.side)[None]
            said[row] = head.probabilities(seen)[0]
            if drawn is not None:
                drawn[:, row] = head.dropout_probabilities(seen, DRAWS, run.choices.random_seed)[:, 0]
    return said, drawn


def _pixel_signals(
    context: Context, run: Run, version: ModelVersion, tasks: Sequence[PoolTask], needs: Sequence[SignalName]
) -> Signals:
    head, seed = network(context, version), run.choices.random_seed
    waiting = np.flatnonzero([not task.labelled for task in tasks])
    if len(waiting) > LOOKED_AT:
        waiting = np.sort(np.random.default_rng(seed).choice(waiting, LOOKED_AT, replace=False))
    entropy, disagreement = np.zeros(len(tasks)), np.zeros(len(tasks))
    places = [(tasks[row].task, tasks[row].uri) for row in waiting.tolist()]
    for row, (_, picture) in zip(waiting.tolist(), pictures(context, places), strict=True):
        if picture is None:
            continue
        seen = prepare(picture.image, head.side)[None]
        if "pixel_entropy" in needs:
            entropy[row] = pixels.foreground_entropy(head.probabilities(seen)[0])
        if "pixel_disagreement" in needs:
            disagreement[row] = pixels.dropout_disagreement(next(head.dropout_maps(seen, DRAWS, seed)))
    return Signals(
        pixel_entropy=entropy if "pixel_entropy" in needs else None,
        pixel_disagreement=disagreement if "pixel_disagreement" in needs else None,
    )


def network(context: Context, version: ModelVersion) -> NetworkHead:
    """A version's network, ready to be asked."""
    return NetworkHead.from_bytes(context.blobs.get(version.weights), threads=context.settings.threads)
