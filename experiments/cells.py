"""What an experiment measures: one cell is one queue of one budget and what a head learnt from it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

# Of a cell whose queue does not depend on an embedder: random draws of a network.
NO_EMBEDDER = "-"


@dataclass(frozen=True)
class Cell:
    """pool, target: what is predicted of which images. embedder: that which the selector sees, "-" for none.

    selector: the arm's text. head: "linear", "vgg11", "unet-vgg11", with "@paper" where a fully labelled validation
    set chose checkpoint and threshold. repeat: of the split and the random seed, from 0; draw: of random queues within
    a repeat, from 0. metrics: by name, higher is better but for those in `metrics.LOWER_IS_BETTER`; a metric that
    is not defined is left out. seconds: wall time of "select", "train" and "judge"; core_seconds: of all three;
    memory: peak of the process in MiB. rows: the chosen images as rows of the pool, in rank order.
    """

    pool: str
    target: str
    embedder: str
    selector: str
    head: str
    budget: int
    repeat: int
    draw: int
    metrics: Mapping[str, float]
    seconds: Mapping[str, float]
    core_seconds: float
    memory: float
    rows: tuple[int, ...]


@dataclass(frozen=True)
class PoolFacts:
    """What every table of a pool has to say beside it.

    task: "classes" or "masks". n: images; groups: that are never split (patients, near duplicates); positives: images
    with the target (of several classes: their numbers in `classes`). train, test: their mean numbers of images.
    labels: the table's format in words. fixed_split: whether the table's own split was kept. unit: of distances between
    masks, "mm" or "pixels". weak_overlap: what the weak labels were learnt from, in words. grouped_by: what makes a
    group, in words. crossing: groups that the table's own split divides.
    """

    pool: str
    target: str
    task: str
    n: int
    groups: int
    positives: int
    classes: Mapping[str, int]
    train: int
    validation: int
    test: int
    labels: str
    fixed_split: bool
    primary: str
    unit: str = ""
    weak_overlap: str = ""
    grouped_by: str = ""
    crossing: int = 0

    @property
    def prevalence(self) -> float:
        return self.positives / self.n


@dataclass(frozen=True)
class EmbeddingCost:
    """What the embeddings of a pool took, measured on `images` of them. seconds, core_seconds: for each image.

    overlap: what is known of the embedder's pretraining and this kind of images, in words.
    """

    pool: str
    embedder: str
    dimension: int
    images: int
    seconds: float
    core_seconds: float
    memory: float
    overlap: str


@dataclass(frozen=True)
class Place:
    """The pool of one embedder in the plane. method: "t-SNE" or "PCA". x, y: of each row, 0 to 1.

    rows: the pool's rows shown; chosen: the rows of each selector's queue of `budget` (repeat 0), in rank order.
    """

    pool: str
    embedder: str
    method: str
    budget: int
    rows: tuple[int, ...]
    x: tuple[float, ...]
    y: tuple[float, ...]
    chosen: Mapping[str, tuple[int, ...]]


def to_json(cells: Iterable[Cell]) -> str:
    """One JSON object a line."""
    return "".join(json.dumps(asdict(cell), sort_keys=True) + "\n" for cell in cells)


def from_json(text: str) -> list[Cell]:
    """The inverse of `to_json`."""
    return [Cell(**{**row, "rows": tuple(row["rows"])}) for row in map(json.loads, text.splitlines())]
