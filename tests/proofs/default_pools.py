"""The labelled pools of docs/experiments/11-default.md, embedded once, and their splits."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seedqueue.backend.folder_pool import FolderPool, embed_folder
from seedqueue.backend.image_table import Row
from seedqueue.backend.rules import unsplit
from seedqueue.models import registry
from seedqueue.models.runtime import Runtime
from seedqueue.selectors.representation import fit_scaler, represent
from seedqueue.selectors.source import Matrix

DATA = Path(os.environ.get("SEEDQUEUE_TEST_DATA") or Path(__file__).resolve().parents[3] / "shared")
EMBEDDER = "imagenet:squeezenet1_1"
VIEWS = (EMBEDDER, "hog", "pixels")
NEAR_DUPLICATE = 0.9
BUDGETS = (20, 40, 60, 80, 100)
HELD_OUT = 0.35
MAX_PIXELS = 50_000_000

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Source:
    """One pool: where its images are, the column of the patient (empty for none), and what is to be predicted."""

    name: str
    images: str
    table: str
    group_field: str
    targets: tuple[str, ...]


# Every radiograph of cxr-lungs shows COVID-19, so its target is the projection, which is no finding.
POOLS = (
    Source("busi", "busi/images", "busi/labels.csv", "", ("label=malignant", "label=normal")),
    Source(
        "nih",
        "nih-cxr",
        "nih-cxr/labels.csv",
        "patient",
        ("label=Effusion", "label=Cardiomegaly", "label=Emphysema", "label=No Finding"),
    ),
    Source("lungs", "cxr-lungs/images", "cxr-lungs/labels.csv", "patient", ("view=AP Supine",)),
)


# Looked at once, after the choice: findings that as many images have as the rarest above, and other kinds.
OTHER_TARGETS = {
    "busi": ("label=benign",),
    "nih": (
        "label=Infiltration",
        "label=Atelectasis",
        "label=Nodule",
        "label=Consolidation",
        "label=Mass",
        "label=Pleural_Thickening",
        "label=Fibrosis",
        "label=Pneumothorax",
    ),
    "lungs": ("view=PA",),
}


@dataclass(frozen=True, eq=False)
class Labelled:
    """embeddings: by embedder, (n, d) each, `embedder` that of selectors and head; labels: by target, bool (n,).

    groups: int64 (n,), never split.
    """

    source: Source
    embeddings: dict[str, Floats]
    labels: dict[str, NDArray[np.bool_]]
    groups: Rows
    embedder: str
    targets: tuple[str, ...]

    @cached_property
    def positive(self) -> NDArray[np.bool_]:
        """(targets, n)."""
        return np.array([self.labels[target] for target in self.targets])

    def seen(self, embedder: str, targets: tuple[str, ...]) -> Labelled:
        """The same images, by another embedder or for other targets."""
        return replace(self, embedder=embedder, targets=targets)

    def splits(self, count: int) -> Iterator[Split]:
        """35 % of the groups held out."""
        from sklearn.model_selection import GroupShuffleSplit

        parts = GroupShuffleSplit(count, test_size=HELD_OUT, random_state=0).split(self.groups, groups=self.groups)
        for number, (train, test) in enumerate(parts):
            yield Split(self, number, train, test)


@dataclass(frozen=True, eq=False)
class Split:
    """What one split shows: the training part to a selector, both parts to the head."""

    pool: Labelled
    number: int
    train: Rows
    test: Rows

    def __len__(self) -> int:
        return len(self.train)

    @cached_property
    def embeddings(self) -> Floats:
        return self.pool.embeddings[self.pool.embedder][self.train]

    @cached_property
    def unit(self) -> Floats:
        return self.view()

    def view(self, components: int | None = None, embedder: str = "") -> Floats:
        """The training part as unit vectors, as selectors see it; by another embedder if asked."""
        source = Matrix(self.pool.embeddings[embedder or self.pool.embedder][self.train])
        return represent(source, fit_scaler(source), "unit", components)

    @cached_property
    def cosine(self) -> Floats:
        return np.asarray(self.unit @ self.unit.T, dtype=np.float32)

    @cached_property
    def _shown(self) -> tuple[Floats, Floats]:
        scaler = fit_scaler(Matrix(self.embeddings))
        held_out = self.pool.embeddings[self.pool.embedder][self.test]
        return scaler.apply(self.embeddings, "standardised"), scaler.apply(held_out, "standardised")

    def auprc(self, rows: Rows) -> NDArray[np.float64]:
        """(targets,): of a linear head that learnt from these rows of the training part."""
        return np.array([self._auprc(rows, positive) for positive in self.pool.positive])

    def _auprc(self, rows: Rows, positive: NDArray[np.bool_]) -> float:
        from sklearn.linear_model import LogisticRegression
        from sklearn.metrics import average_precision_score

        train, test = self._shown
        labels, score = positive[self.train][rows], np.zeros(len(test))
        if labels.any() and not labels.all():
            score = LogisticRegression(C=0.1, max_iter=2000).fit(train[rows], labels).decision_function(test)
        return float(average_precision_score(positive[self.test], score))


def labelled(source: Source, cache: Path) -> Labelled:
    """The pool with its embeddings, which are kept in the folder `cache`."""
    kept = cache / f"{source.name}.npz"
    targets = source.targets + OTHER_TARGETS[source.name]
    if not kept.exists():
        found = {view: _embedded(source, view) for view in VIEWS}
        fields = found[EMBEDDER].fields(DATA / "data" / source.table)
        groups = unsplit(found[EMBEDDER].embeddings, fields, source.group_field, NEAR_DUPLICATE)
        labels = {target: _positive(target, fields) for target in targets}
        np.savez(kept, groups=groups, **labels, **{view: pool.embeddings for view, pool in found.items()})
    with np.load(kept) as arrays:
        views, labels = ({name: arrays[name] for name in names} for names in (VIEWS, targets))
        return Labelled(source, views, labels, arrays["groups"], EMBEDDER, source.targets)


def _embedded(source: Source, embedder: str) -> FolderPool:
    print(f"embedding {source.name} with {embedder} ...", file=sys.stderr)
    model = registry.create(embedder, DATA / "weights", Runtime(threads=1))
    images = DATA / "data" / source.images
    return embed_folder(images, 100, model, max_pixels=MAX_PIXELS, progress=lambda *_: None)


def _positive(target: str, fields: list[Row]) -> NDArray[np.bool_]:
    column, _, value = target.partition("=")
    cells = [row.get(column, "") for row in fields]
    assert all(cells), f"{target} is not known of all images"
    return np.array([value in cell.split("|") for cell in cells])
