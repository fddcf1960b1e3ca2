"""How far annotators of the same images agree: kappa for classes, Dice for masks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from seedqueue.backend.regions import Mask, Region, region_mask

LONGEST_SIDE = 256  # of the raster on which masks are compared


@dataclass(frozen=True)
class Rated:
    """What one annotator said of a task: one bool a class, or None; the regions drawn, or None."""

    annotator: str
    classes: tuple[bool, ...] | None
    regions: tuple[Region, ...] | None


@dataclass(frozen=True)
class Agreement:
    """Over the tasks with at least two annotators; None where a figure is not defined.

    A kappa is not defined where only one answer was ever given, a Dice coefficient where neither of
    a pair of annotators marked anything. kappa: over all classes at once where one is chosen, the mean over the
    classes where several are; kappas: a class against the rest. dice: the mean over pairs and classes.
    """

    tasks: int = 0
    annotators: int = 0
    kappa: float | None = None
    kappas: Mapping[str, float | None] = field(default_factory=dict)
    dice: float | None = None
    dices: Mapping[str, float | None] = field(default_factory=dict)


def agreement_of(
    tasks: Sequence[Sequence[Rated]], classes: Sequence[str], multiple: bool, mask_classes: Sequence[str]
) -> Agreement:
    """tasks: of each task what its annotators said, each annotator once."""
    shared = [rated for rated in tasks if len(rated) > 1]
    said = [{one.annotator: one.classes for one in rated if one.classes is not None} for rated in shared]
    said = [each for each in said if len(each) > 1]
    by_class = [[{who: int(values[c]) for who, values in each.items()} for each in said] for c in range(len(classes))]
    kappas = {name: kappa(answers) for name, answers in zip(classes, by_class, strict=True)}
    if multiple:
        overall = _mean([value for value in kappas.values() if value is not None])
    else:
        overall = kappa([{who: values.index(True) for who, values in each.items()} for each in said])
    found = {label: list(dices(shared, label)) for label in mask_classes}
    return Agreement(
        tasks=len(shared),
        annotators=len({one.annotator for rated in shared for one in rated}),
        kappa=overall,
        kappas=kappas,
        dice=_mean([value for values in found.values() for value in values]),
        dices={label: _mean(values) for label, values in found.items()},
    )


def kappa(answers: Sequence[Mapping[str, int]]) -> float | None:
    """Of each task the answer of each of its two or more annotators: Cohen's kappa where two annotators
    answered them all, else Fleiss'. None where there is one answer only."""
    if len({answer for each in answers for answer in each.values()}) < 2:
        return None
    annotators = sorted({who for each in answers for who in each})
    if len(annotators) == 2:
        from sklearn.metrics import cohen_kappa_score

        return float(cohen_kappa_score(*([each[who] for each in answers] for who in annotators)))
    counts = np.zeros((len(answers), 1 + max(answer for each in answers for answer in each.values())), dtype=np.int64)
    for row, each in zip(counts, answers, strict=True):
        np.add.at(row, list(each.values()), 1)
    return fleiss_kappa(counts)


def fleiss_kappa(counts: NDArray[np.int64]) -> float:
    """Fleiss, "Measuring nominal scale agreement among many raters", Psychological Bulletin 76 (1971).

    counts: (tasks, answers), how many annotators gave each answer, two or more a task and two or
    more answers in all. His P_i and p_j; where tasks have unequal numbers of annotators each P_i is of its own
    number, and p_j is the answer's share of all answers.
    """
    number = counts.sum(axis=1)
    agreed = (counts * (counts - 1)).sum(axis=1) / (number * (number - 1))
    share = counts.sum(axis=0) / number.sum()
    by_chance = float(np.square(share).sum())
    return (float(agreed.mean()) - by_chance) / (1 - by_chance)


def mean_dice(rated: Sequence[Rated], mask_classes: Sequence[str]) -> float | None:
    """Of one task, the mean over pairs and classes; None where nobody marked anything."""
    return _mean([value for label in mask_classes for value in dices([rated], label)])


def dices(tasks: Sequence[Sequence[Rated]], label: str) -> Iterator[float]:
    """The coefficient of each pair of annotators of a task, where one of them marked something."""
    for rated in tasks:
        drawn = [one.regions for one in rated if one.regions is not None]
        for one, other in combinations(rasters(drawn, label), 2):
            if (found := dice(one, other)) is not None:
                yield found


def dice(one: Mask, other: Mask) -> float | None:
    """2 |A and B| / (|A| + |B|); None where both are empty."""
    size = int(one.sum()) + int(other.sum())
    return 2 * int((one & other).sum()) / size if size else None


def rasters(annotations: Sequence[Sequence[Region]], label: str) -> list[Mask]:
    """The union of each annotator's regions of a class on one small raster; none where nobody marked any."""
    drawn = [[region for region in regions if label in region.labels] for regions in annotations]
    first = next((region for regions in drawn for region in regions), None)
    if first is None:
        return []
    scale = min(1.0, LONGEST_SIDE / max(first.width, first.height))
    height, width = max(1, round(first.height * scale)), max(1, round(first.width * scale))
    empty = np.zeros((height, width), dtype=bool)
    return [
        np.logical_or.reduce([empty, *(region_mask(region, height, width) for region in regions)]) for regions in drawn
    ]


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None
