"""What is told about agreement: figures with intervals, by pair, class and person. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np

from seedqueue.backend.label_config import Labelling
from seedqueue.backend.milestones import Measured
from seedqueue.backend.people.answers import ClassAnswers, class_answers, together
from seedqueue.backend.people.careless import Apart, apart
from seedqueue.backend.people.kappas import Doubles, cohen
from seedqueue.backend.people.overlaid import MaskAnswers, mask_answers
from seedqueue.backend.people.readings import ReadTask
from seedqueue.models.metrics.bootstrap import Resamples, resample

BOOTSTRAPS = 2000
Measure = Literal["kappa", "DSC"]


@dataclass(frozen=True)
class Pair:
    """Two annotators, by number. kappa: Cohen's over all classes; dice: the mean; by_class: of single classes."""

    one: int
    other: int
    tasks: int
    kappa: Measured | None
    dice: Measured | None
    by_class: tuple[Measured, ...]


@dataclass(frozen=True)
class Person:
    """One annotator against the majority of the others, who is not among them."""

    annotator: int
    tasks: int
    kappa: Measured | None
    dice: Measured | None


@dataclass(frozen=True)
class Figures:
    """kappa: of all annotators, Fleiss' (of two Cohen's). apart: (measure, who is how far from the others)."""

    kappa: Measured | None
    dice: Measured | None
    by_class: tuple[Measured, ...]
    pairs: tuple[Pair, ...]
    people: tuple[Person, ...]
    apart: tuple[tuple[Measure, Apart], ...]


def figures_of(tasks: Sequence[ReadTask], annotators: Sequence[str], labelling: Labelling, seed: int = 0) -> Figures:
    """All figures of the tasks that several have read, each with a 95 % bootstrap interval over patients."""
    counted = Counted.of(tasks, annotators, labelling, seed)
    return Figures(
        counted.figure("kappa", counted.classes.overall, counted.answered) if counted.classes else None,
        counted.figure("DSC", counted.masks.overall, counted.drawn) if counted.masks else None,
        tuple(counted.by_class()),
        tuple(counted.pairs()),
        tuple(counted.people()),
        tuple(counted.apart()),
    )


@dataclass(frozen=True)
class Counted:
    """The readings as tables, and the resamples of their tasks that all figures share."""

    annotators: int
    labelling: Labelling
    classes: ClassAnswers | None
    masks: MaskAnswers | None
    answered: np.ndarray[tuple[int, int], np.dtype[np.bool_]]
    drawn: np.ndarray[tuple[int, int], np.dtype[np.bool_]]
    resamples: Resamples

    @classmethod
    def of(cls, tasks: Sequence[ReadTask], annotators: Sequence[str], labelling: Labelling, seed: int) -> Counted:
        kind = labelling.classification_kind
        classes = class_answers(tasks, annotators, labelling.classes, kind) if kind else None
        masks = mask_answers(tasks, annotators, labelling.mask_classes) if labelling.mask_classes else None
        drawn = np.array(
            [[any(r.annotator == one and r.regions is not None for r in task.rated) for one in annotators] for task in tasks]
        )
        answered = classes.answered if classes else np.zeros_like(drawn)
        groups = np.unique([task.group for task in tasks], return_inverse=True)[1].astype(np.int64)
        return cls(len(annotators), labelling, classes, masks, answered, drawn, resample(groups, BOOTSTRAPS, seed))

    def figure(
        self, name: str, values: Callable[[Doubles], Doubles], read: np.ndarray[tuple[int, int], np.dtype[np.bool_]]
    ) -> Measured:
        """read: bool (tasks, annotators), who counts in this figure; its n is the tasks that two of them have."""
        return self.measured(name, values(self.resamples.weights), int((read.sum(axis=1) > 1).sum()))

    def measured(self, name: str, values: Doubles, tasks: int) -> Measured:
        found = self.resamples.figure(values, "not defined")
        return Measured(name, found.value, found.low, found.high, tasks)

    def by_class(self) -> list[Measured]:
        found = []
        if self.classes:
            for name, answers in zip(self.labelling.classes, self.classes.each, strict=True):
                found.append(self.figure(f"{name} (kappa)", lambda w, of=answers: together(of, w), self.answered))
        if self.masks:
            for number, name in enumerate(self.labelling.mask_classes):
                of_class = self.masks.of_class
                found.append(self.figure(f"{name} (DSC)", lambda w, n=number: of_class(n, w), self.drawn))
        return found

    def pairs(self) -> list[Pair]:
        """Those with tasks in common."""
        found = []
        for one, other in combinations(range(self.annotators), 2):
            both = [one, other]
            tasks = int((self.answered | self.drawn)[:, both].all(axis=1).sum())
            if tasks:
                kappa = self.classes and self.figure(
                    "kappa", lambda w, o=one, t=other: self.classes.of_pair(o, t, w), self.answered[:, both]
                )
                dice = self.masks and self.figure(
                    "DSC", lambda w, o=one, t=other: self.masks.of_pair(o, t, w), self.drawn[:, both]
                )
                found.append(Pair(one, other, tasks, kappa, dice, tuple(self._of_pair_by_class(one, other))))
        return found
