"""Projects as a home holds them, with drawn embeddings or given images: for timings of what learns and answers."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seedqueue.backend import audit
from seedqueue.backend.agreement import Agreement
from seedqueue.backend.bench.synthetic import DIMENSIONS, features
from seedqueue.backend.context import Context
from seedqueue.backend.embeddings import Embeddings, Source
from seedqueue.backend.examples import Example
from seedqueue.backend.gathering import Gathered
from seedqueue.backend.label_config import labelling_of_xml
from seedqueue.backend.pool import Place
from seedqueue.backend.records import Choices, Run
from seedqueue.backend.settings import Settings
from seedqueue.backend.versions import ModelVersion
from seedqueue.models.heads.network_head import NetworkHead

PROJECT = 1
CLASSES = ("benign", "malignant", "normal")
MASK = "structure"
NEAR_DUPLICATE = 0.9
_FINGERPRINT = "drawn"
_NOISE = 0.5  # beside a rule's score of deviation 1: labels that a linear head learns, and not wholly

_VIEW = '<View><Image name="image" value="$image"/>{}</View>'
CHOICES_CONFIG = _VIEW.format(
    '<Choices name="kind" toName="image">' + "".join(f'<Choice value="{name}"/>' for name in CLASSES) + "</Choices>"
)
MASKS_CONFIG = _VIEW.format(f'<BrushLabels name="mask" toName="image"><Label value="{MASK}"/></BrushLabels>')


@dataclass(frozen=True, eq=False)
class DrawnProject:
    """A project with stored embeddings, of which some are labelled and an audit slice is.

    waiting: its tasks that nobody has labelled.
    """

    context: Context
    run: Run
    gathered: Gathered
    waiting: tuple[Place, ...]


def settings_for(home: Path) -> Settings:
    """Of a home alone: no Label Studio, which is never called, and images from this machine only."""
    return Settings(
        label_studio_url="http://label-studio.invalid",
        label_studio_api_key="0" * 40,
        home=home / "home",
        weights=home / "weights",
        image_hosts="127.0.0.1",
    )


def drawn_classes(embeddings: NDArray[np.float32], seed: int = 0) -> NDArray[np.bool_]:
    """One class a row, bool (n, 3): the largest of three random linear rules, with noise."""
    rng = np.random.default_rng((seed, 1))
    standardised = (embeddings - embeddings.mean(axis=0)) / (embeddings.std(axis=0) + 1e-6)
    scores = standardised @ rng.normal(size=(embeddings.shape[1], len(CLASSES))) / embeddings.shape[1] ** 0.5
    scores = scores / scores.std(axis=0) + _NOISE * rng.normal(size=scores.shape)
    return np.asarray(scores.argmax(axis=1)[:, None] == np.arange(len(CLASSES)))


def drawn_project(folder: Path, stored: int, labels: int, held_out: int) -> DrawnProject:
    """In an empty folder, with `stored` embeddings of 1024 columns; `labels` to learn from, `held_out` audited."""
    context = Context(settings_for(folder))
    vectors = features(stored)
    places = [(number + 1, f"/data/upload/{PROJECT}/{number:07d}.png") for number in range(stored)]
    hashes = [hashlib.sha256(uri.encode()).hexdigest() for _, uri in places]
    Embeddings(context.home, _FINGERPRINT, DIMENSIONS).add(hashes, vectors)
    instance = context.settings.label_studio_url
    context.sources.add(
        Source(instance, PROJECT, task, uri, sha256, 1, "") for (task, uri), sha256 in zip(places, hashes, strict=True)
    )
    order = np.random.default_rng(1).permutation(stored).tolist()
    audited, told, rest = order[:held_out], order[held_out : held_out + labels], order[held_out + labels :]
    audit.freeze(context.records, PROJECT, 1, [audit.as_queued(*places[row]) for row in audited])
    truth = drawn_classes(vectors)
    choices = Choices(labels, _FINGERPRINT, "kmeans", 0, near_duplicate=NEAR_DUPLICATE, audit=held_out)
    run = Run(PROJECT, 1, "published", choices, fingerprint=_FINGERPRINT, tasks=stored)
    gathered = Gathered(
        labelling_of_xml(CHOICES_CONFIG),
        training=tuple(_example(places[row], truth[row]) for row in told),
        audit=tuple(_example(places[row], truth[row]) for row in audited),
        ground_truth=(),
        problems=(),
        agreement=Agreement(),
    )
    return DrawnProject(context, run, gathered, tuple(places[row] for row in rest))


def network_project(folder: Path, head: NetworkHead, uris: Sequence[str]) -> tuple[Settings, list[Place]]:
    """A home in an empty folder in which this U-Net serves, and its project's tasks."""
    context = Context(settings_for(folder))
    version = ModelVersion(
        project=PROJECT,
        number=1,
        head="unet-vgg11",
        kind="masks",
        classes=head.classes,
        parent=None,
        embedder="",
        fingerprint="",
        annotations=(),
        digest="",
        labels=0,
        per_class=(0,) * len(head.classes),
        random_seed=0,
        weights=context.blobs.put(head.to_bytes()),
        code="",
        made=datetime.now(UTC).isoformat(timespec="seconds"),
        seconds=0.0,
    )
    context.versions.save(version)
    context.versions.promote(version)
    return context.settings, [(number, uri) for number, uri in enumerate(uris, start=1)]


def _example(place: Place, classes: NDArray[np.bool_]) -> Example:
    task, uri = place
    return Example(
        task=task,
        uri=uri,
        annotations=(task,),
        updated=("2026-01-01T00:00:00Z",),
        ground_truth=False,
        group=f"task {task}",
        classes=tuple(classes.tolist()),
        masks=None,
        seconds=None,
    )
