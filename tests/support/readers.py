"""Readings of several annotators, made by hand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from seedqueue.backend.agreement import Rated
from seedqueue.backend.label_config import Control, Labelling
from seedqueue.backend.people.readings import ReadTask
from seedqueue.backend.regions import Region

ONE = Labelling("image", (Control("finding", "image", "choices", ("yes", "no", "unsure"), False),))
SEVERAL = Labelling("image", (Control("finding", "image", "choices", ("a", "b", "c"), True),))
MASKS = Labelling("image", (Control("mask", "image", "rectangle", ("lung",), True),))


class Readers:
    """Makes readings of tasks, each of a group of its own."""

    one, several, masks = ONE, SEVERAL, MASKS

    def noisy(self, noise: Sequence[float], tasks: int, seed: int) -> list[ReadTask]:
        """Annotators "0", "1", ... who say something else than the truth so often, of two classes."""
        rng = np.random.default_rng(seed)
        truth = rng.integers(2, size=tasks)
        return self.chosen([np.where(rng.random(tasks) < share, 1 - truth, truth) for share in noise])

    def chosen(self, answers: Sequence[NDArray[np.int64] | Sequence[int]], classes: int = 3) -> list[ReadTask]:
        """answers: of each annotator the class of each task, -1 for none."""
        return [
            ReadTask(
                task,
                f"patient {task}",
                tuple(
                    Rated(str(who), tuple(one == answer for one in range(classes)), None)
                    for who, answer in enumerate(given)
                    if answer >= 0
                ),
            )
            for task, given in enumerate(zip(*answers, strict=True))
        ]

    def drawn(self, boxes: Sequence[Sequence[tuple[int, int] | None]]) -> list[ReadTask]:
        """boxes: of each annotator (left, right) in 0 .. 100 of each task; None: nothing drawn."""
        return [
            ReadTask(task, f"patient {task}", tuple(Rated(str(w), None, region(b)) for w, b in enumerate(given)))
            for task, given in enumerate(zip(*boxes, strict=True))
        ]


def region(box: tuple[int, int] | None) -> tuple[Region, ...]:
    if box is None:
        return ()
    left, right = map(float, box)
    return (Region("r", ("lung",), 100, 100, ((left, 0.0), (right, 0.0), (right, 100.0), (left, 100.0))),)
