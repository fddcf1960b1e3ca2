"""Labelled pools made ready on disk, with drawn embeddings: no images are read but where a network is trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from seedqueue.experiments.cells import Cell
from seedqueue.experiments.facts import facts_of
from seedqueue.experiments.grid import Grid, PoolSpec
from seedqueue.experiments.measuring import Means, Measuring
from seedqueue.experiments.prepared import (
    Described,
    PreparedPool,
    embeddings_file,
    inputs_file,
    mask_file,
    read_pool,
    spacings_file,
    targets_of,
    weak_scores_file,
    write_described,
)
from seedqueue.experiments.study import Study
from seedqueue.experiments.units import units_of

MEANS = Means(threads=1, imagenet={})
NAME = "drawn"


def grid(**other: Any) -> Grid:
    """A small grid over one pool; its one embedder is named "cloud"."""
    told: dict[str, Any] = {
        "title": "Drawn",
        "question": "?",
        "pools": (PoolSpec(NAME, "images", "labels.csv"),),
        "embedders": ("cloud",),
        "selectors": ("uniform", "kmeans"),
        "budgets": (10, 20),
        "repeats": 2,
        "draws": 2,
    }
    return Grid(**{**told, **other}).check()


def write_pool(
    folder: Path,
    vectors: Mapping[str, NDArray[np.floating]],
    truth: NDArray[np.bool_],
    *,
    classes: Sequence[str] = ("lesion",),
    groups: Sequence[int] | None = None,
    splits: Sequence[str] | None = None,
    weak: NDArray[np.bool_] | None = None,
    **other: Any,
) -> PreparedPool:
    """vectors: (n, d) by embedder; truth: bool (n, classes). Without groups each image is one of its own."""
    (folder / "embeddings").mkdir(parents=True, exist_ok=True)
    for name, rows in vectors.items():
        np.save(embeddings_file(folder, name), rows.astype(np.float32))
    if weak is not None:
        np.save(weak_scores_file(folder), weak)
    n = len(truth)
    described = Described(
        name=NAME,
        task="classes",
        files=tuple(f"{row}.png" for row in range(n)),
        classes=tuple(classes),
        has=tuple(tuple(np.flatnonzero(row).tolist()) for row in truth),
        targets=targets_of(classes, truth, (), "classes"),
        groups=tuple(range(n) if groups is None else groups),
        splits=tuple([""] * n if splits is None else splits),
        labels="drawn",
        content="0",
    )
    write_described(folder, replace(described, **other))
    return read_pool(folder)


def cloud(n: int = 120, d: int = 8, seed: int = 0, prevalence: float = 0.4) -> tuple[NDArray[np.float32], Any]:
    """Embeddings (n, d), and truth (n, 1) which a line through them tells, but for some noise."""
    rng = np.random.default_rng(seed)
    vectors = rng.standard_normal((n, d), dtype=np.float32)
    score = vectors[:, 0] + 0.3 * rng.standard_normal(n)
    return vectors, (score > np.quantile(score, 1 - prevalence))[:, None]


def cloud_pool(folder: Path, n: int = 120, **other: Any) -> PreparedPool:
    vectors, truth = cloud(n)
    return write_pool(folder, {"cloud": vectors}, truth, **other)


def write_phantoms(folder: Path, truth: NDArray[np.bool_], side: int) -> None:
    """Network inputs of a pool in `folder`: noise with a bright square where truth (n, 1) holds, and its masks."""
    rng = np.random.default_rng(0)
    inputs = rng.integers(0, 60, (len(truth), 3, side, side), dtype=np.uint8)
    (folder / "masks").mkdir(exist_ok=True)
    for row, there in enumerate(truth[:, 0].tolist()):
        mask = np.zeros((side, side), dtype=np.bool_)
        if there:
            mask[side // 4 : side // 2, side // 4 : side // 2] = True
            inputs[row][:, mask] = 220
        Image.fromarray(mask).save(mask_file(folder, row))
    np.save(inputs_file(folder, side), inputs)
    np.save(spacings_file(folder), np.full((len(truth), 2), np.nan))


def measured(asked: Grid, pool: PreparedPool) -> list[Cell]:
    """All units of the grid, in this process."""
    return [cell for unit in units_of(asked, [pool]) for cell in Measuring(asked, pool, unit, MEANS).cells()]


def study(asked: Grid, pool: PreparedPool) -> Study:
    return Study(asked, measured(asked, pool), facts_of(pool, asked))
