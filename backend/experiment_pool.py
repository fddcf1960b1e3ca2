"""A folder of images and its table of labels, made ready for an experiment: see `experiments.prepared`."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from seedqueue.backend.context import Context
from seedqueue.backend.experiment_images import cost_of, embeddings_of, write_inputs
from seedqueue.backend.folder import Progress, in_content_order, list_images, name_in
from seedqueue.backend.rules import unsplit
from seedqueue.experiments.cells import EmbeddingCost
from seedqueue.experiments.datasets.labelled import LabelledImage
from seedqueue.experiments.datasets.matching import matched
from seedqueue.experiments.datasets.tables import LabelTable, read_labels
from seedqueue.experiments.errors import PoolUnusable
from seedqueue.experiments.grid import Grid, PoolSpec
from seedqueue.experiments.prepared import (
    Described,
    Floats,
    PreparedPool,
    Task,
    embeddings_file,
    inputs_file,
    mask_file,
    read_pool,
    spacings_file,
    targets_of,
    weak_labels_file,
    write_described,
)
from seedqueue.experiments.vectors_file import read_vectors
from seedqueue.models.heads.images import SIDE

FEWEST = 10  # images with a finding, and without it: fewer make no curve worth a table
SCORED = 0.9  # a weak label holds of the images above this quantile of its scores

Bar = Callable[[str], AbstractContextManager[Progress]]


@dataclass(frozen=True)
class _Image:
    file: Path
    name: str
    sha256: str
    told: LabelledImage


def prepare_pool(
    context: Context, spec: PoolSpec, grid: Grid, root: Path, folder: Path, bar: Bar
) -> tuple[PreparedPool, list[EmbeddingCost]]:
    """Match, embed, group, and write everything that workers need into its folder.

    root: what the spec's paths are relative to. bar: a progress bar for each stage. Raises `PoolUnusable`,
    `LabelTableUnusable`, `FolderMissing`, `NoImages`, `VectorsUnusable` and an embedder's errors.
    """
    task: Task = "masks" if spec.task == "masks" or (not spec.task and set(grid.heads) == {"unet-vgg11"}) else "classes"
    table = read_labels(root / spec.labels, label_column=spec.label, group_column=spec.group, finding=spec.finding)
    images = _known(spec, task, table, root / spec.images)
    if task == "classes":
        _classes(spec, images)  # what lacks is told now, not after the embedding
    (folder / "embeddings").mkdir(parents=True, exist_ok=True)
    vectors, unreadable, costs = _embedded(context, spec, grid, root, images, bar)
    kept = [at for at, image in enumerate(images) if image.file not in unreadable]
    images = [images[at] for at in kept]
    for name, found in vectors.items():
        _save(embeddings_file(folder, name), found[kept])
    first = next(iter(vectors.values()))[kept]
    groups = unsplit(
        first,
        [{"patient": image.told.group} for image in images],
        "patient" if any(image.told.group for image in images) else "",
        spec.near_duplicate,
    )
    reasons = tuple(sorted((name_in(root / spec.images, file), why) for file, why in unreadable.items()))
    has = _write_masks(folder, images) if task == "masks" else None
    described = _described(spec, task, table, images, groups.tolist(), reasons, has)
    if spec.weak_labels:
        scores = read_vectors(root / spec.weak_labels, described.files)
        _save(weak_labels_file(folder), scores >= np.quantile(scores, SCORED, axis=0))
    if set(grid.heads) != {"linear"}:
        side = grid.side or SIDE
        files = [image.file for image in images]
        with bar(f"{spec.name}: network inputs") as progress:
            _save(spacings_file(folder), write_inputs(context, files, side, inputs_file(folder, side), progress))
    write_described(folder, described)
    return read_pool(folder), costs


def _save(file: Path, array: NDArray[Any]) -> None:
    """As a whole or not at all: workers of another run may be reading it."""
    part = file.with_name(f".{file.name}.{os.getpid()}.part")
    with part.open("wb") as opened:
        np.save(opened, array)
    part.replace(file)


def _known(spec: PoolSpec, task: Task, table: LabelTable, folder: Path) -> list[_Image]:
    """The images that the table tells enough of, in the order of their content."""
    files, hashes = in_content_order(list_images(folder))
    names = [name_in(folder, file) for file in files]
    found = [
        _Image(file, name, sha256, told)
        for file, name, sha256, told in zip(files, names, hashes, matched(table, names), strict=True)
        if told is not None and (told.mask is not None if task == "masks" else told.labels is not None)
    ]
    if not found:
        raise PoolUnusable(
            spec.name,
            f"none of the {len(files)} images in {folder} has a {'mask' if task == 'masks' else 'label'} in "
            f"{spec.labels} ({table.format}, {len(table.images)} images, {table.images[0].file!r} first)",
        )
    return found


def _embedded(
    context: Context, spec: PoolSpec, grid: Grid, root: Path, images: Sequence[_Image], bar: Bar
) -> tuple[dict[str, Floats], dict[Path, str], list[EmbeddingCost]]:
    vectors: dict[str, Floats] = {}
    unreadable: dict[Path, str] = {}
    costs = []
    files, hashes = [image.file for image in images], [image.sha256 for image in images]
    for name in dict.fromkeys([*grid.embedders_of(spec.name), *([grid.features] if grid.features else [])]):
        if name in spec.embeddings:
            vectors[name] = read_vectors(root / spec.embeddings[name], [image.name for image in images])
            seen = grid.has_seen.get(name, "not known: precomputed")
            costs.append(EmbeddingCost(spec.name, name, vectors[name].shape[1], 0, 0.0, 0.0, 0.0, seen))
            continue
        with bar(f"{spec.name}: {name}") as progress:
            vectors[name], failed, embedder = embeddings_of(context, name, files, hashes, progress)
        unreadable |= failed
        readable = [file for file in files if file not in unreadable]
        if not readable:
            raise PoolUnusable(spec.name, f"none of its {len(files)} images can be read: {next(iter(failed.values()))}")
        costs.append(cost_of(context, spec.name, embedder, readable))
    return vectors, unreadable, costs


def _described(
    spec: PoolSpec,
    task: Task,
    table: LabelTable,
    images: Sequence[_Image],
    groups: Sequence[int],
    unreadable: tuple[tuple[str, str], ...],
    has: tuple[tuple[int, ...], ...] | None,
) -> Described:
    """has: of masks, which images have one."""
    classes: tuple[str, ...] = (spec.finding or "mask",)
    if has is None:
        classes = _classes(spec, images)
        at = {name: number for number, name in enumerate(classes)}
        has = tuple(
            tuple(sorted(at[label] for label in set(image.told.labels or ()) if label in at)) for image in images
        )
    truth = np.zeros((len(images), len(classes)), dtype=np.bool_)
    for row, columns in enumerate(has):
        truth[row, list(columns)] = True
    content = hashlib.sha256("\n".join(image.sha256 for image in images).encode()).hexdigest()
    return Described(
        name=spec.name,
        task=task,
        files=tuple(image.name for image in images),
        classes=classes,
        has=has,
        targets=targets_of(classes, truth, spec.positive if task == "classes" else (), task),
        groups=tuple(groups),
        splits=tuple(image.told.split for image in images),
        labels=table.format,
        content=content,
        unreadable=unreadable,
    )


def _classes(spec: PoolSpec, images: Sequence[_Image]) -> tuple[str, ...]:
    """Those asked for; else all that at least FEWEST images have and FEWEST lack. Raises `PoolUnusable`."""
    held: dict[str, int] = {}
    for image in images:
        for label in set(image.told.labels or ()):
            held[label] = held.get(label, 0) + 1
    enough = [name for name in sorted(held) if FEWEST <= held[name] <= len(images) - FEWEST]
    lacking = [name for name in spec.positive if name not in enough]
    if lacking or not enough:
        listed = ", ".join(f"{name} {count}" for name, count in sorted(held.items(), key=lambda each: -each[1])[:20])
        wanted = lacking[0] if lacking else "any label"
        raise PoolUnusable(
            spec.name,
            f"{held.get(wanted, 0)} of {len(images)} images have {wanted!r}; at least {FEWEST} with it and {FEWEST} "
            f"without are needed. There are: {listed or 'no labels'}",
        )
    return tuple(spec.positive) or tuple(enough)


def _size(file: Path) -> tuple[int, int] | None:
    """(width, height) as Pillow tells it without decoding; None for DICOM, whose masks have a grid of their own."""
    try:
        with Image.open(file) as opened:
            return opened.size
    except OSError:
        return None


def _write_masks(folder: Path, images: Sequence[_Image]) -> tuple[tuple[int, ...], ...]:
    """Write the mask of each image; (0,) where it has one, () where it is empty."""
    (folder / "masks").mkdir(exist_ok=True)
    has = []
    for row, image in enumerate(images):
        assert image.told.mask is not None
        mask = image.told.mask.read(_size(image.file))
        Image.fromarray(mask).save(mask_file(folder, row), optimize=True)
        has.append((0,) if mask.any() else ())
    return tuple(has)
