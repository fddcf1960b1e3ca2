"""A folder of labelled images as `bench gains` takes it: embeddings, the target, what may not be split."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seedqueue.backend.errors import InvalidRequest
from seedqueue.backend.folder_pool import FolderPool
from seedqueue.backend.image_table import Row
from seedqueue.backend.records import Choices
from seedqueue.backend.rules import signals_for, unsplit
from seedqueue.models.findings import Findings
from seedqueue.selectors.selection import Embeddings, Rows
from seedqueue.selectors.source import Matrix

# Between several labels of one image, as NIH's and many exports have them.
SEPARATOR = "|"

# Fewer positive or negative images make no curve worth a table.
FEWEST = 10


@dataclass(frozen=True)
class Target:
    """What is to be predicted: whether a column of the table holds a value, alone or among several."""

    column: str
    value: str

    @classmethod
    def parse(cls, text: str) -> Target:
        """`COLUMN=VALUE`. Raises `InvalidRequest`."""
        column, found, value = (part.strip() for part in text.partition("="))
        if not (column and found and value):
            raise InvalidRequest(f"The target is {text!r}; give COLUMN=VALUE, as label=malignant.")
        return cls(column, value)

    def labels(self, fields: Sequence[Row]) -> tuple[Rows, NDArray[np.bool_]]:
        """The images that the table tells of, as rows, and whether each is positive. Raises `InvalidRequest`."""
        cells = [fields_of_one.get(self.column, "") for fields_of_one in fields]
        known = np.flatnonzero([bool(cell) for cell in cells])
        values = [[value.strip() for value in cells[row].split(SEPARATOR)] for row in known.tolist()]
        positive = np.array([self.value in several for several in values], dtype=bool)
        if min(positive.sum(), len(positive) - positive.sum()) < FEWEST:
            there = ", ".join(sorted({value for several in values for value in several})[:20]) or "nothing"
            raise InvalidRequest(
                f"{positive.sum()} of {len(positive)} images have {self.value!r} in the column {self.column!r}, which "
                f"holds {there}; at least {FEWEST} with it and {FEWEST} without are needed."
            )
        return known, positive


@dataclass(frozen=True, eq=False)
class LabelledPool:
    """The images that the table tells of. embeddings: (n, d); positive: bool (n,); groups: int64 (n,), never split."""

    embeddings: Embeddings
    positive: NDArray[np.bool_]
    groups: Rows
    weak_labels: NDArray[np.bool_] | None

    @property
    def described(self) -> str:
        """What every table of these images has to say beside it."""
        n, positive = len(self.positive), int(self.positive.sum())
        return f"{n} images in {len(np.unique(self.groups))} groups, {positive} positive ({positive / n:.1%})"


def labelled_pool(
    pool: FolderPool, table: Path, target: Target, choices: Choices, findings: Callable[[], Findings | None]
) -> LabelledPool:
    """What the table tells of the pool. Raises `TableUnusable`, `InvalidRequest`, `NoGroups`, `NoWeakLabels`."""
    fields = pool.fields(table)
    known, positive = target.labels(fields)
    told = [fields[row] for row in known.tolist()]
    embeddings = pool.embeddings[known]
    signals = signals_for(replace(choices, selector="weak-label"), told, Matrix(embeddings), findings)
    groups = unsplit(embeddings, told, choices.group_field, choices.near_duplicate)
    return LabelledPool(embeddings, positive, groups, signals.weak_labels)
