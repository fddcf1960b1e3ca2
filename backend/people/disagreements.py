"""The tasks on which annotators disagree, the worst first: a queue for adjudication. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from seedqueue.backend.agreement import Rated, dices
from seedqueue.backend.label_config import Labelling
from seedqueue.backend.people.class_names import in_words
from seedqueue.backend.people.readings import ReadTask

LEAST_DICE = 0.7  # two masks of one thing that overlap less are worth a second look


@dataclass(frozen=True)
class Disagreement:
    """One task. said: what was said, in words; agreement: in [0, 1], of the worst question."""

    task: int
    said: str
    agreement: float


def disagreements_of(
    tasks: Sequence[ReadTask], labelling: Labelling, least_dice: float = LEAST_DICE
) -> list[Disagreement]:
    """The worst first. Tasks with a ground truth are settled and not among them.

    Of a choice any two different answers are a disagreement, of several choices any class that not all have; of masks
    a pair whose Dice coefficient of a class is below `least_dice`.
    """
    found = []
    for task in tasks:
        if not task.settled:
            worst = [one for one in (_classes(task, labelling), _masks(task, labelling, least_dice)) if one]
            if worst:
                low = min(one.agreement for one in worst)
                found.append(Disagreement(task.task, "; ".join(one.said for one in worst), low))
    return sorted(found, key=lambda one: (one.agreement, one.task))


def _classes(task: ReadTask, labelling: Labelling) -> Disagreement | None:
    """How often two annotators give the same answer, over the pairs; of several choices, of the most divided class."""
    said = [one.classes for one in task.rated if one.classes is not None]
    if len(set(said)) < 2:
        return None
    names = [in_words(one, labelling.classes) for one in said]
    words = ", ".join(f"{count} x {name}" for name, count in Counter(names).most_common())
    if labelling.classification_kind == "single":
        return Disagreement(task.task, words, _same(said))
    return Disagreement(task.task, words, min(_same(of_class) for of_class in zip(*said, strict=True)))


def _same(answers: Sequence[object]) -> float:
    return float(np.mean([one == other for one, other in combinations(answers, 2)]))


def _masks(task: ReadTask, labelling: Labelling, least: float) -> Disagreement | None:
    low = {label: value for label in labelling.mask_classes if (value := _lowest(task.rated, label)) < least}
    if not low:
        return None
    words = ", ".join(f"{label}: DSC {value:.2f}" for label, value in low.items())
    return Disagreement(task.task, words, min(low.values()))


def _lowest(rated: Sequence[Rated], label: str) -> float:
    return min(dices([rated], label), default=1.0)
