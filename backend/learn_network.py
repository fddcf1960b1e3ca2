"""A network head of a project: VGG-11 or U-Net, trained on labelled images and judged on held-out ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seedqueue.backend.context import Context
from seedqueue.backend.examples import Example, masks
from seedqueue.backend.judging import Predicted
from seedqueue.backend.learning_errors import MasksUnusable
from seedqueue.backend.learnt import Learnt
from seedqueue.backend.pictures import pictures
from seedqueue.backend.pool import Place
from seedqueue.models import weights
from seedqueue.models.heads import networks
from seedqueue.models.heads.images import SIDE, prepare, prepare_masks, to_grid
from seedqueue.models.heads.network_head import NetworkHead
from seedqueue.models.heads.spec import Progress, Task, honest
from seedqueue.models.metrics.masks import ImageFigures, mask_figures

FOREGROUND = 0.5
# Under these names `seedqueue weights` knows the files that a network can begin from.
_FETCHED_AS: dict[networks.Kind, str] = {"vgg11": "imagenet:vgg11", "unet-vgg11": "imagenet:vgg11_bn"}


@dataclass(frozen=True)
class Course:
    """How a network is trained here. checkpoint: where a killed training goes on from; report: after each epoch."""

    epochs: int
    seed: int
    threads: int
    checkpoint: Path | None
    report: Callable[[Progress], None] = lambda progress: None
    side: int = SIDE


def learn_network(
    context: Context,
    training: Sequence[Example],
    held_out: Sequence[Example],
    audit: Sequence[Place],
    classes: tuple[str, ...],
    task: Task,
    course: Course,
) -> Learnt:
    """Train on the examples whose images can be read; what cannot be used is left out.

    Classes begin from ImageNet's weights (the paper's protocol), masks do where the file is there. The
    probabilities of all audit tasks are kept, of masks the figures of the labelled ones on their native grid.

    Raises WeightsMissing, WeightsCorrupt, LabelsUnusable, TrainingDiverged.
    """
    head = NetworkHead.create(
        classes, task, side=course.side, imagenet=_imagenet(context, task), seed=course.seed, threads=course.threads
    )
    seen = _seen(context, training, task, course.side)
    inputs = np.stack([each.pixels for each in seen]) if seen else np.empty((0, 3, course.side, course.side), np.uint8)
    truth = np.stack([each.target for each in seen]) if seen else np.empty((0, len(classes)), bool)
    head.fit(
        inputs,
        truth,
        honest(task, epochs=course.epochs, seed=course.seed),
        checkpoint=course.checkpoint,
        report=course.report,
    )
    if task == "masks":
        predicted = Predicted({}, judged_masks(context, head, held_out))
        per_class = truth.reshape(len(truth), len(classes), -1).any(axis=-1).sum(axis=0)
    else:
        predicted = Predicted(said_of(context, head, {*audit, *((one.task, one.uri) for one in held_out)}), {})
        per_class = truth.sum(axis=0)
    examples = tuple(each.example for each in seen)
    return Learnt(
        head.to_bytes(),
        classes,
        task,
        examples,
        tuple(per_class.tolist()),
        predicted,
        threshold=(FOREGROUND,) * len(classes) if task != "single" else (),
        pretrained=head.pretrained,
    )


@dataclass(frozen=True, eq=False)
class _Seen:
    """One example as a network learns it: pixels uint8 (3, side, side), target bool (c,) or (c, side, side)."""

    example: Example
    pixels: NDArray[np.uint8]
    target: NDArray[np.bool_]


def _imagenet(context: Context, task: Task) -> Path | None:
    kind: networks.Kind = "unet-vgg11" if task == "masks" else "vgg11"
    source, folder = networks.source(kind), context.settings.weights
    if kind == "unet-vgg11" and weights.find(folder, source.files[0]) is None:
        return None  # a U-Net reaches its level from random weights too; its version says which
    return weights.require(folder, source, _FETCHED_AS[kind]).paths[source.files[0].name]


def _seen(context: Context, examples: Sequence[Example], task: Task, side: int) -> list[_Seen]:
    found = []
    places = [(one.task, one.uri) for one in examples]
    for example, (_, picture) in zip(examples, pictures(context, places), strict=True):
        if picture is None:
            continue
        if task != "masks":
            target = np.array(example.classes, dtype=bool)
        else:
            try:
                target = prepare_masks(masks(example, picture.image.height, picture.image.width), side)
            except MasksUnusable:
                continue
        found.append(_Seen(example, prepare(picture.image, side), target))
    return found


def said_of(context: Context, head: NetworkHead, places: set[Place]) -> dict[int, tuple[float, ...]]:
    """Class probabilities of the places whose image can be read, by task."""
    found = {}
    for (task, _), picture in pictures(context, sorted(places)):
        if picture is not None:
            row = head.probabilities(prepare(picture.image, head.side)[None])[0]
            found[task] = tuple(row.astype(np.float64).tolist())
    return found


def judged_masks(
    context: Context, head: NetworkHead, examples: Sequence[Example]
) -> dict[int, tuple[ImageFigures, ...]]:
    """On each image's own grid, with its spacing where the file tells it, or else task data."""
    found = {}
    places = [(one.task, one.uri) for one in examples]
    for example, (_, picture) in zip(examples, pictures(context, places), strict=True):
        if picture is None:
            continue
        height, width = picture.image.height, picture.image.width
        try:
            target = masks(example, height, width)
        except MasksUnusable:
            continue
        maps = head.probabilities(prepare(picture.image, head.side)[None])[0]
        of_file = (picture.spacing.row, picture.spacing.column) if picture.spacing else None
        found[example.task] = mask_figures(
            to_grid(maps, height, width) >= FOREGROUND, target, of_file or example.spacing
        )
    return found
