"""What is told about agreement: figures with intervals, by pair, class and person. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from seedqueue.backend.label_config import Labelling
from seedqueue.backend.milestones import Measured
from seedqueue.backend.people.answers import class_answers
from seedqueue.backend.people.careless import Apart, apart
from seedqueue.backend.people.compared import Compared, Measure
from seedqueue.backend.people.kappas import Doubles
from seedqueue.backend.people.overlaid import mask_answers
from seedqueue.backend.people.readings import ReadTask
from seedqueue.models.metrics.bootstrap import Resamples, resample

BOOTSTRAPS = 2000


@dataclass(frozen=True)
class Pair:
    """Two annotators, by number. overall: a figure for each measure; by_class: of single classes, as in `Figures`."""

    one: int
    other: int
    tasks: int
    overall: tuple[Measured, ...]
    by_class: tuple[Measured, ...]


@dataclass(frozen=True)
class Person:
    """One annotator against the majority of the others, without this one's own answers."""

    annotator: int
    tasks: int
    overall: tuple[Measured, ...]


@dataclass(frozen=True)
class Figures:
    """Each `overall` has one figure a measure, named "kappa" or "DSC"; `by_class`, one a class and measure.

    Over all annotators kappa is Fleiss', of two, and of each pair, Cohen's. apart: who is how far from the others.
    """

    overall: tuple[Measured, ...]
    by_class: tuple[Measured, ...]
    pairs: tuple[Pair, ...]
    people: tuple[Person, ...]
    apart: tuple[tuple[Measure, Apart], ...]


def measures_of(tasks: Sequence[ReadTask], annotators: Sequence[str], labelling: Labelling) -> list[Compared]:
    """What the label config lets people agree on: classes, masks, or both."""
    found: list[Compared] = []
    if labelling.classification_kind is not None:
        found.append(class_answers(tasks, annotators, labelling.classes, labelling.classification_kind))
    if labelling.mask_classes:
        found.append(mask_answers(tasks, annotators, labelling.mask_classes))
    return found


def figures_of(tasks: Sequence[ReadTask], annotators: Sequence[str], labelling: Labelling, seed: int = 0) -> Figures:
    """Of the tasks that several have read; each figure with a 95 % bootstrap interval over patients."""
    groups = np.unique([task.group for task in tasks], return_inverse=True)[1].astype(np.int64)
    resamples, measures = resample(groups, BOOTSTRAPS, seed), measures_of(tasks, annotators, labelling)
    told = [_Told(one, resamples) for one in measures]
    either = np.logical_or.reduce([one.read for one in measures])
    both = {pair: int(either[:, pair].all(axis=1).sum()) for pair in combinations(range(len(annotators)), 2)}
    return Figures(
        tuple(one.overall() for one in told),
        tuple(figure for one in told for figure in one.by_class()),
        tuple(
            Pair(
                *pair,
                tasks=count,
                overall=tuple(one.of_pair(*pair) for one in told),
                by_class=tuple(figure for one in told for figure in one.of_pair_by_class(*pair)),
            )
            for pair, count in both.items()
            if count
        ),
        tuple(
            Person(number, int(either[:, number].sum()), tuple(one.with_others(number) for one in told))
            for number in range(len(annotators))
        ),
        tuple(found for one in told for found in one.apart(comparisons=len(annotators) * len(told))),
    )


@dataclass(frozen=True)
class _Told:
    """The figures of one measure, on resamples that all share."""

    of: Compared
    resamples: Resamples

    def overall(self) -> Measured:
        return self._figure(self.of.name, self.of.overall(self._weights), range(self.of.read.shape[1]))

    def by_class(self) -> list[Measured]:
        everybody = range(self.of.read.shape[1])
        values = [self.of.of_class(number, self._weights) for number in range(len(self.of.classes))]
        return [self._figure(name, one, everybody) for name, one in zip(self._names, values, strict=True)]

    def of_pair(self, one: int, other: int) -> Measured:
        return self._figure(self.of.name, self.of.of_pair(one, other, self._weights), (one, other))

    def of_pair_by_class(self, one: int, other: int) -> list[Measured]:
        numbers = range(len(self.of.classes))
        values = [self.of.of_pair_by_class(one, other, number, self._weights) for number in numbers]
        return [self._figure(name, each, (one, other)) for name, each in zip(self._names, values, strict=True)]

    def with_others(self, one: int) -> Measured:
        found = self.resamples.figure(self.of.with_others(one, self._weights), "")
        tasks = int(((self.of.read.sum(axis=1) > 1) & self.of.read[:, one]).sum())
        return Measured(self.of.name, found.value, found.low, found.high, tasks)

    def apart(self, comparisons: int) -> list[tuple[Measure, Apart]]:
        read = self.of.read
        pairs = {
            (one, other): self.of.of_pair(one, other, self._weights)
            for one, other in combinations(range(read.shape[1]), 2)
            if (read[:, one] & read[:, other]).any()
        }
        common = read.sum(axis=1) > 1
        patients = {one: self.resamples.holders(common & read[:, one]) for one in range(read.shape[1])}
        return [(self.of.name, found) for found in apart(pairs, patients, comparisons)]

    def _figure(self, name: str, values: Doubles, annotators: Sequence[int]) -> Measured:
        """Its n: the tasks that two of these annotators have answered."""
        found = self.resamples.figure(values, "")
        tasks = int((self.of.read[:, annotators].sum(axis=1) > 1).sum())
        return Measured(name, found.value, found.low, found.high, tasks)

    @property
    def _names(self) -> list[str]:
        return [f"{name} ({self.of.name})" for name in self.of.classes]

    @property
    def _weights(self) -> Doubles:
        return self.resamples.weights
