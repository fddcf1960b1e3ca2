"""A labelled pool made ready in a folder, so that any worker on any machine can measure on it.

pool.json            names, targets, groups, the table's split
embeddings/E.npy     float32 (n, d) of each embedder
weak-scores.npy      float32 (n, findings), where there are any
inputs-224.npy       uint8 (n, 3, side, side), where networks are trained
spacings.npy         float64 (n, 2) in mm, NaN where an image has none, beside the inputs
masks/000123.png     the masks on the images' own grids, 1 bit
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]
Flags = NDArray[np.bool_]
Task = Literal["classes", "masks"]


@dataclass(frozen=True)
class Target:
    """What is predicted. columns: of the pool's `classes`; name: of the target in every table.

    single: whether each image has exactly one of the columns.
    """

    name: str
    columns: tuple[int, ...]
    single: bool


@dataclass(frozen=True)
class Described:
    """`pool.json`. files: names of the images; classes: of the columns; splits: the table's, "" where it has none.

    labels: the table's format in words. content: the SHA-256 over all images'; masks: over all masks and spacings.
    unreadable: images that were left out, each with its reason. grouped_by: what makes a group, in words.
    """

    name: str
    task: Task
    files: tuple[str, ...]
    classes: tuple[str, ...]
    has: tuple[tuple[int, ...], ...]
    targets: tuple[Target, ...]
    groups: tuple[int, ...]
    splits: tuple[str, ...]
    labels: str
    content: str
    unreadable: tuple[tuple[str, str], ...] = ()
    masks: str = ""
    grouped_by: str = ""


@dataclass(frozen=True, eq=False)
class PreparedPool:
    """A pool in its folder. Arrays are read when they are asked for."""

    folder: Path
    described: Described

    def __len__(self) -> int:
        return len(self.described.files)

    @property
    def name(self) -> str:
        return self.described.name

    @cached_property
    def truth(self) -> Flags:
        """bool (n, classes). Of masks: whether an image has one."""
        found = np.zeros((len(self), len(self.described.classes)), dtype=np.bool_)
        for row, columns in enumerate(self.described.has):
            found[row, list(columns)] = True
        return found

    @cached_property
    def groups(self) -> Rows:
        return np.array(self.described.groups, dtype=np.int64)

    def embeddings(self, embedder: str) -> Floats:
        """float32 (n, d), read as it is used."""
        return np.load(embeddings_file(self.folder, embedder), mmap_mode="r")  # type: ignore[no-any-return]

    def inputs(self, side: int) -> NDArray[np.uint8]:
        """uint8 (n, 3, side, side), not in memory."""
        return np.load(inputs_file(self.folder, side), mmap_mode="r")  # type: ignore[no-any-return]

    def weak_scores(self) -> Floats | None:
        """float32 (n, findings), or 0 and 1; None where the pool has no weak labels."""
        file = weak_scores_file(self.folder)
        return np.asarray(np.load(file), dtype=np.float32) if file.exists() else None

    @property
    def in_millimetres(self) -> bool:
        """Whether all images have a spacing: distances of two units have no mean."""
        return not bool(np.isnan(self.spacings).any())

    @cached_property
    def spacings(self) -> NDArray[np.float64]:
        """float64 (n, 2): mm of a row and a column, NaN where they are not known."""
        return np.asarray(np.load(spacings_file(self.folder)), dtype=np.float64)

    def mask(self, row: int) -> Flags:
        """bool (height, width) on the image's own grid."""
        from PIL import Image

        with Image.open(mask_file(self.folder, row)) as opened:
            return np.array(opened, dtype=np.bool_)


def write_described(folder: Path, described: Described) -> None:
    """As a whole or not at all."""
    part = folder / f".pool.json.{os.getpid()}.part"
    part.write_text(json.dumps(asdict(described)), encoding="utf-8")
    part.replace(folder / "pool.json")


def read_pool(folder: Path) -> PreparedPool:
    told: dict[str, Any] = json.loads((folder / "pool.json").read_text(encoding="utf-8"))
    targets = tuple(Target(each["name"], tuple(each["columns"]), each["single"]) for each in told.pop("targets"))
    has = tuple(map(tuple, told.pop("has")))
    unreadable = tuple(map(tuple, told.pop("unreadable")))
    lists: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in told.items()}
    return PreparedPool(folder, Described(**lists, targets=targets, has=has, unreadable=unreadable))


def embeddings_file(folder: Path, embedder: str) -> Path:
    return folder / "embeddings" / f"{slug(embedder)}.npy"


def inputs_file(folder: Path, side: int) -> Path:
    return folder / f"inputs-{side}.npy"


def weak_scores_file(folder: Path) -> Path:
    return folder / "weak-scores.npy"


def spacings_file(folder: Path) -> Path:
    return folder / "spacings.npy"


def mask_file(folder: Path, row: int) -> Path:
    return folder / "masks" / f"{row:06d}.png"


def slug(text: str) -> str:
    """A file's name for a text; different texts of one experiment keep different names."""
    return re.sub(r"[^A-Za-z0-9._+-]+", "-", text).strip("-") or "x"


def targets_of(classes: Sequence[str], truth: Flags, positive: Sequence[str], task: Task) -> tuple[Target, ...]:
    """Each of `positive` alone; without any, all classes together."""
    if positive:
        return tuple(Target(name, (classes.index(name),), False) for name in positive)
    everything = tuple(range(len(classes)))
    if task == "masks":
        return tuple(Target(classes[each], (each,), False) for each in everything)
    single = bool(len(truth)) and bool((truth.sum(axis=1) == 1).all())
    return (Target(classes[0] if len(classes) == 1 else "all classes", everything, single),)
