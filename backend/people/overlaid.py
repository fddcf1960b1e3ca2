"""Masks laid over one another: Dice of pairs and of each annotator with the others' majority. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from seedqueue.backend.agreement import dice, rasters
from seedqueue.backend.people.compared import Flags, Measure
from seedqueue.backend.people.kappas import Doubles
from seedqueue.backend.people.readings import ReadTask
from seedqueue.backend.regions import Mask


@dataclass(frozen=True)
class MaskAnswers:
    """How masks overlap; a `Compared`. Dice coefficients, NaN where neither marked anything or one has not drawn.

    read: bool (tasks, annotators), who has drawn, be it nothing. pairs: {(annotator, annotator): float64 (tasks,
    classes)}; others: {annotator: float64 (tasks, classes)}, with the pixels that at least half of the others mark,
    as a head learns them.
    """

    classes: tuple[str, ...]
    read: Flags
    pairs: Mapping[tuple[int, int], Doubles]
    others: Mapping[int, Doubles]
    name: Measure = "DSC"

    def overall(self, weights: Doubles) -> Doubles:
        return _mean(np.hstack(list(self.pairs.values())), weights)

    def of_class(self, number: int, weights: Doubles) -> Doubles:
        return _mean(np.stack([values[:, number] for values in self.pairs.values()], axis=1), weights)

    def of_pair(self, one: int, other: int, weights: Doubles) -> Doubles:
        return _mean(self.pairs[one, other], weights)

    def of_pair_by_class(self, one: int, other: int, number: int, weights: Doubles) -> Doubles:
        return _mean(self.pairs[one, other][:, [number]], weights)

    def with_others(self, one: int, weights: Doubles) -> Doubles:
        return _mean(self.others[one], weights)


def mask_answers(tasks: Sequence[ReadTask], annotators: Sequence[str], classes: Sequence[str]) -> MaskAnswers:
    """All coefficients of the tasks' masks. annotators: two at least."""
    at = {annotator: number for number, annotator in enumerate(annotators)}
    shape = (len(tasks), len(classes))
    pairs = {pair: np.full(shape, np.nan) for pair in combinations(range(len(annotators)), 2)}
    others = {number: np.full(shape, np.nan) for number in range(len(annotators))}
    read = np.zeros((len(tasks), len(annotators)), dtype=bool)
    for row, task in enumerate(tasks):
        drawn = {at[one.annotator]: one.regions for one in task.rated if one.regions is not None}
        who = sorted(drawn)
        read[row, who] = True
        for column, label in enumerate(classes):
            masks = dict(zip(who, rasters([drawn[one] for one in who], label), strict=False))
            for one, other in combinations(masks, 2):
                pairs[one, other][row, column] = _or_nan(dice(masks[one], masks[other]))
            for one in masks if len(masks) > 1 else ():
                rest = [mask for who_else, mask in masks.items() if who_else != one]
                others[one][row, column] = _or_nan(dice(masks[one], _half(rest)))
    return MaskAnswers(tuple(classes), read, pairs, others)


def _half(masks: Sequence[Mask]) -> Mask:
    return np.asarray(2 * np.sum(masks, axis=0, dtype=np.int64) >= len(masks))


def _or_nan(value: float | None) -> float:
    return float("nan") if value is None else value


def _mean(values: Doubles, weights: Doubles) -> Doubles:
    """The mean over tasks and columns of values (tasks, columns), float64 (r,) for weights (r, tasks)."""
    defined = ~np.isnan(values)
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Doubles = (weights @ np.where(defined, values, 0).sum(axis=1)) / (weights @ defined.sum(axis=1))
    return found
