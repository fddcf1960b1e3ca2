"""One class of a segmented set as columns over the images, and figures of several such tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from seedqueue.models.metrics import bootstrap
from seedqueue.models.metrics.bootstrap import Doubles, Resamples
from seedqueue.models.metrics.figure import Figure
from seedqueue.models.metrics.masks import ImageFigures

Flags = npt.NDArray[np.bool_]
Average = Callable[[Doubles, Doubles], Doubles]


@dataclass(frozen=True)
class MaskTable:
    """One class: its figures image by image."""

    name: str
    images: Sequence[ImageFigures]

    @cached_property
    def with_target(self) -> Flags:
        return np.array([each.missed is not None for each in self.images], dtype=np.bool_)

    @cached_property
    def in_millimetres(self) -> Flags:
        return np.array([each.unit == "mm" for each in self.images], dtype=np.bool_)

    def column(self, name: str) -> Doubles:
        """A field of `ImageFigures`, or "no_overlap": float64 (n,), NaN where an image has none."""
        if name == "no_overlap":
            dsc = self.column("dsc")
            return np.where(np.isnan(dsc), np.nan, dsc == 0)
        found = [getattr(each, name) for each in self.images]
        return np.array([np.nan if each is None else float(each) for each in found], dtype=np.float64)


@dataclass(frozen=True)
class Question:
    """What is asked of the images. possible: those that can have the column, bool (n,) of a table.

    nothing: said where no table has such an image; lacking: said of a table that has some, but no value.
    """

    column: str
    average: Average
    possible: Callable[[MaskTable], Flags]
    nothing: str
    lacking: str = ""


def answer(question: Question, tables: Sequence[MaskTable], resamples: Resamples) -> Figure:
    """The mean over the tables that can have the figure, None where one of them lacks it."""
    kept = [table for table in tables if question.possible(table).any()]
    rows = [
        question.average(np.where(question.possible(table), table.column(question.column), np.nan), resamples.weights)
        for table in kept
    ]
    names = [table.name for table, row in zip(kept, rows, strict=True) if np.isnan(row[0])]
    missing = f"{', '.join(names)}: {question.lacking}" if names else question.nothing
    return resamples.figure(bootstrap.macro(rows), missing)
