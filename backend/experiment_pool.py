"""A folder of images and its table of labels, made ready for an experiment: see `experiments.prepared`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedqueue.backend.context import Context
from seedqueue.backend.experiment_images import cost_of, embeddings_of, write_inputs, write_masks
from seedqueue.backend.folder import Progress, in_content_order, list_images, name_in, replacing
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
    read_pool,
    slug,
    spacings_file,
    targets_of,
    weak_scores_file,
    write_described,
)
from seedqueue.experiments.vectors_file import read_vectors
from seedqueue.models import registry
from seedqueue.models.embedder import Embedder
from seedqueue.models.heads.images import SIDE

FEWEST = 10  # images with a finding, and without it: fewer make no curve worth a table

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
    task = _task(spec, grid)
    table = read_labels(root / spec.labels, label_column=spec.label, group_column=spec.group, finding=spec.finding)
    images = _known(spec, task, table, root / spec.images)
    if task == "classes":
        _classes(spec, images)  # what lacks is told now, not after the embedding
    (folder / "embeddings").mkdir(parents=True, exist_ok=True)
    vectors, unreadable, costs = _embedded(context, spec, grid, root, images, folder, bar)
    kept = [at for at, image in enumerate(images) if image.file not in unreadable]
    images = [images[at] for at in kept]
    for name, found in vectors.items():
        _save(embeddings_file(folder, name), found[kept])
    if spec.weak_labels:
        _save(weak_scores_file(folder), read_vectors(root / spec.weak_labels, [image.name for image in images]))
    groups, grouped_by = _groups(spec, {name: found[kept] for name, found in vectors.items()}, images)
    described = replace(
        _described(spec, task, table, images),
        groups=groups,
        grouped_by=grouped_by,
        unreadable=tuple(sorted((name_in(root / spec.images, file), why) for file, why in unreadable.items())),
    )
    if set(grid.heads) != {"linear"}:
        described = _with_pictures(context, grid, folder, described, images, bar)
    truth = PreparedPool(folder, described).truth
    described = replace(described, targets=targets_of(described.classes, truth, spec.positive, task))
    write_described(folder, described)
    return read_pool(folder), costs


def _task(spec: PoolSpec, grid: Grid) -> Task:
    task: Task = "masks" if spec.task == "masks" or (not spec.task and set(grid.heads) == {"unet-vgg11"}) else "classes"
    if task == "masks" and spec.positive:
        raise PoolUnusable(spec.name, "of masks one finding is learnt: name it with `finding`, not with `positive`")
    if task == "classes" and spec.finding:
        raise PoolUnusable(spec.name, "`finding` is whose masks are learnt: name classes with `positive`")
    return task


def _groups(spec: PoolSpec, vectors: dict[str, Floats], images: Sequence[_Image]) -> tuple[tuple[int, ...], str]:
    """What is never split, and in words by what; by precomputed vectors only where there are no others."""
    own = [name for name in vectors if name not in spec.embeddings]
    by = (own or list(vectors))[0]
    patients = any(image.told.group for image in images)
    fields = [{"patient": image.told.group} for image in images]
    groups = unsplit(vectors[by], fields, "patient" if patients else "", spec.near_duplicate)
    words = ["patient"] if patients else []
    if spec.near_duplicate:
        words.append(f"near duplicates by {by} from a cosine of {spec.near_duplicate:g}")
    return tuple(groups.tolist()), " and ".join(words) or "nothing: each image alone"


def _with_pictures(
    context: Context, grid: Grid, folder: Path, described: Described, images: Sequence[_Image], bar: Bar
) -> Described:
    """Write what networks see, and masks; the description with which images have one, and the digest of it all."""
    side, files = grid.side or SIDE, [image.file for image in images]
    with bar(f"{described.name}: network inputs") as progress:
        spacings = write_inputs(context, files, side, inputs_file(folder, side), progress)
    _save(spacings_file(folder), spacings)
    if described.task != "masks":
        return described
    sources = [image.told.mask for image in images if image.told.mask is not None]
    there, digest = write_masks(folder, files, sources)
    digest = hashlib.sha256(digest.encode() + spacings.tobytes()).hexdigest()
    return replace(described, has=tuple((0,) if each else () for each in there), masks=digest)


def _save(file: Path, array: NDArray[Any]) -> None:
    """As a whole or not at all: workers of another run may be reading it."""
    with replacing(file) as part, part.open("wb") as opened:
        np.save(opened, array)


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
    context: Context, spec: PoolSpec, grid: Grid, root: Path, images: Sequence[_Image], folder: Path, bar: Bar
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
        costs.append(_cost(context, spec.name, embedder, readable, folder))
    return vectors, unreadable, costs


def _described(spec: PoolSpec, task: Task, table: LabelTable, images: Sequence[_Image]) -> Described:
    """All but groups, targets and what is left out; of masks also but which images have one."""
    classes = _classes(spec, images) if task == "classes" else (spec.finding or "mask",)
    at = {name: number for number, name in enumerate(classes)}
    labels = [set(image.told.labels or ()) if task == "classes" else set() for image in images]
    return Described(
        name=spec.name,
        task=task,
        files=tuple(image.name for image in images),
        classes=classes,
        has=tuple(tuple(sorted(at[label] for label in held if label in at)) for held in labels),
        targets=(),
        groups=(),
        splits=tuple(image.told.split for image in images),
        labels=table.format,
        content=hashlib.sha256("\n".join(image.sha256 for image in images).encode()).hexdigest(),
    )


def _cost(context: Context, pool: str, embedder: Embedder, files: Sequence[Path], folder: Path) -> EmbeddingCost:
    """As it was measured once, so that the report is the same when it is made again."""
    file = folder / "embeddings" / f"{slug(embedder.name)}.json"
    if file.exists():
        told = json.loads(file.read_text(encoding="utf-8"))
        return EmbeddingCost(**{**told, "overlap": registry.get(embedder.name).has_seen})
    found = cost_of(context, pool, embedder, files)
    with replacing(file) as part:
        part.write_text(json.dumps(asdict(found)), encoding="utf-8")
    return found


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
