"""A project in a home without its Label Studio: stored embeddings, a published run, and what its tasks show.

Task t shows class t % 3 and lies near that class's corner, so that a head has something to learn.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from annotated import BOTH, MASKS, SINGLE
from numpy.typing import NDArray

from seedqueue.backend import audit
from seedqueue.backend.annotations import examples_from
from seedqueue.backend.context import Context
from seedqueue.backend.embeddings import Embeddings, Source
from seedqueue.backend.examples import Drawn, Example
from seedqueue.backend.gathering import Gathered
from seedqueue.backend.label_config import Labelling
from seedqueue.backend.learn import train_head
from seedqueue.backend.pool import Place
from seedqueue.backend.records import Choices, Run
from seedqueue.backend.versions import HeadKind, ModelVersion

D, FINGERPRINT = 8, "f"
CLASSES = SINGLE.classes
__all__ = ["BOTH", "CLASSES", "FINGERPRINT", "MASKS", "SINGLE", "D"]


def uri(task: int) -> str:
    return f"/data/{task}.png"


def sha(task: int) -> str:
    return hashlib.sha256(str(task).encode()).hexdigest()


def embedded(tasks: int, noise: float = 1.0, seed: int = 0) -> NDArray[np.float32]:
    """The embeddings (tasks, D) of tasks 1, 2, ..."""
    drawn = np.random.default_rng(seed).standard_normal((tasks, D))
    corner = 2.0 * np.eye(D)[np.arange(1, tasks + 1) % 3]
    return np.asarray(corner + noise * drawn, dtype=np.float32)


def store(
    context: Context,
    vectors: NDArray[np.float32],
    fingerprint: str = FINGERPRINT,
    hashes: dict[int, str] | None = None,
    uris: dict[int, str] | None = None,
    project: int = 1,
) -> None:
    """Embeddings and sources of tasks 1, 2, ...; some may hold the same image as others, or lie elsewhere."""
    instance, n = context.settings.label_studio_url, len(vectors)
    keys = [(hashes or {}).get(task, sha(task)) for task in range(1, n + 1)]
    Embeddings(context.home, fingerprint, vectors.shape[1]).add(keys, vectors)
    places = [(uris or {}).get(task, uri(task)) for task in range(1, n + 1)]
    rows = zip(range(1, n + 1), places, keys, strict=True)
    context.sources.add(Source(instance, project, task, place, key, 1, "") for task, place, key in rows)


def published(context: Context, project: int = 1, number: int = 1, **changes: Any) -> Run:
    choices = replace(Choices(10, "hog", "kmeans", 0), **changes)
    run = Run(project, number, "published", choices, fingerprint=FINGERPRINT)
    context.records.save_run(run)
    return run


def freeze(context: Context, tasks: Iterable[int], project: int = 1) -> None:
    audit.freeze(context.records, project, 1, [audit.as_queued(task, uri(task)) for task in tasks])


def example(task: int, shows: int | None = None, labelling: Labelling = SINGLE, **changes: Any) -> Example:
    """A task with one annotation that tells the truth, or `shows`."""
    shown = task % 3 if shows is None else shows
    classes = tuple(at == shown for at in range(len(labelling.classes))) if labelling.classes else None
    made = Example(
        task=task,
        uri=uri(task),
        annotations=(1000 + task,),
        updated=("2026-11-01",),
        ground_truth=False,
        group=f"task {task}",
        classes=classes,
        masks=Drawn(labelling.mask_classes, ((),)) if labelling.mask_classes else None,
        seconds=20.0,
    )
    return replace(made, **changes)


def gathered(
    training: Iterable[Example],
    audited: Iterable[Example] = (),
    ground_truth: Iterable[Example] = (),
    labelling: Labelling = SINGLE,
) -> Gathered:
    nothing = examples_from([], labelling)
    return Gathered(labelling, tuple(training), tuple(audited), tuple(ground_truth), (), nothing.agreement)


def trained(context: Context, run: Run, found: Gathered, head: HeadKind = "linear") -> ModelVersion:
    return train_head(context, run, found, head, lambda progress: None)


def version(number: int, head: HeadKind = "linear", **changes: Any) -> ModelVersion:
    """A version of project 1 that was never trained."""
    made = ModelVersion(
        project=1,
        number=number,
        head=head,
        kind="masks" if head == "unet-vgg11" else "single",
        classes=("a", "b") if head == "unet-vgg11" else CLASSES,
        parent=None,
        embedder="hog",
        fingerprint=FINGERPRINT,
        annotations=((1001, "2026-11-01"), (1002, "2026-11-01")),
        digest="d",
        labels=2,
        per_class=(1, 1, 0),
        random_seed=0,
        weights="",
        code="0",
        made="2026-11-25T00:00:00+00:00",
        seconds=0.1,
    )
    return replace(made, **changes)


def places(tasks: Sequence[int]) -> list[Place]:
    return [(task, uri(task)) for task in tasks]
