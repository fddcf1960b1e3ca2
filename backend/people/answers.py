"""Readings as tables of answers: to a choice among all classes, or of each class whether it is there. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from seedqueue.backend.label_config import ClassificationKind
from seedqueue.backend.people.compared import Flags, Measure
from seedqueue.backend.people.kappas import NOBODY, Answers, Doubles, cohen, fleiss
from seedqueue.backend.people.readings import ReadTask
from seedqueue.models.metrics.bootstrap import macro


@dataclass(frozen=True)
class ClassAnswers:
    """What was answered about the classes; a `Compared`.

    single: the number of the class that was chosen, int64 (tasks, annotators), where one is chosen, else None.
    each: of every class 1 for yes and 0 for no, int64 (tasks, annotators); `NOBODY` where somebody gave no answer.
    """

    classes: tuple[str, ...]
    single: Answers | None
    each: tuple[Answers, ...]
    name: Measure = "kappa"

    @property
    def read(self) -> Flags:
        return np.asarray(self.each[0] != NOBODY)

    def overall(self, weights: Doubles) -> Doubles:
        """Fleiss' kappa, of two annotators Cohen's; where several classes apply the mean over them."""
        return macro_of([_together(of, weights) for of in self._questions])

    def of_class(self, number: int, weights: Doubles) -> Doubles:
        return _together(self.each[number], weights)

    def of_pair(self, one: int, other: int, weights: Doubles) -> Doubles:
        """Cohen's kappa of two annotators; where several classes apply the mean over them."""
        return macro_of([cohen(of[:, one], of[:, other], weights) for of in self._questions])

    def of_pair_by_class(self, one: int, other: int, number: int, weights: Doubles) -> Doubles:
        return cohen(self.each[number][:, one], self.each[number][:, other], weights)

    def with_others(self, one: int, weights: Doubles) -> Doubles:
        """Cohen's kappa of one annotator and the majority of the others."""
        return macro_of([cohen(of[:, one], majority(of, one), weights) for of in self._questions])

    @property
    def _questions(self) -> tuple[Answers, ...]:
        return self.each if self.single is None else (self.single,)


def class_answers(
    tasks: Sequence[ReadTask], annotators: Sequence[str], classes: Sequence[str], kind: ClassificationKind
) -> ClassAnswers:
    """The answers to a classification of `classes`, of which there is one at least."""
    at = {annotator: number for number, annotator in enumerate(annotators)}
    table = np.full((len(classes), len(tasks), len(annotators)), NOBODY, dtype=np.int64)
    for row, task in enumerate(tasks):
        for one in task.rated:
            if one.classes is not None:
                table[:, row, at[one.annotator]] = one.classes
    single = np.where(table[0] == NOBODY, NOBODY, table.argmax(axis=0)) if kind == "single" else None
    return ClassAnswers(tuple(classes), single, tuple(table))


def _together(answers: Answers, weights: Doubles) -> Doubles:
    if answers.shape[1] == 2:
        return cohen(answers[:, 0], answers[:, 1], weights)
    return fleiss(answers, weights)


def majority(answers: Answers, without: int) -> Answers:
    """What most of the others answered, int64 (tasks,); `NOBODY` where none did or they are divided."""
    others = np.delete(answers, without, axis=1)
    known = np.unique(others[others != NOBODY])
    if not len(known):
        return np.full(len(others), NOBODY, dtype=np.int64)
    counts = (others[:, :, None] == known).sum(axis=1)
    most = counts.max(axis=1)
    clear = (most > 0) & ((counts == most[:, None]).sum(axis=1) == 1)
    return np.where(clear, known[counts.argmax(axis=1)], NOBODY)


def macro_of(rows: Sequence[Doubles]) -> Doubles:
    """The mean over what is defined on the set itself; a class that nobody ever saw has no kappa."""
    kept = [row for row in rows if not np.isnan(row[0])]
    return macro(kept) if kept else np.full_like(rows[0], np.nan)
