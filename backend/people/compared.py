"""What agreement is measured of, whatever it is: classes by kappa, masks by Dice."""

from __future__ import annotations

from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from seedqueue.backend.people.kappas import Doubles

Flags = NDArray[np.bool_]
Measure = Literal["kappa", "DSC"]


class Compared(Protocol):
    """The answers of some annotators to some tasks, both by number.

    All figures come for many resamples at once: weights float64 (r, tasks) in, float64 (r,) out, NaN where a row of
    weights leaves the figure undefined.
    """

    @property
    def name(self) -> Measure: ...

    @property
    def classes(self) -> tuple[str, ...]: ...

    @property
    def read(self) -> Flags:
        """Who has answered what: bool (tasks, annotators)."""
        ...

    def overall(self, weights: Doubles, /) -> Doubles: ...

    def of_class(self, number: int, weights: Doubles, /) -> Doubles: ...

    def of_pair(self, one: int, other: int, weights: Doubles, /) -> Doubles: ...

    def of_pair_by_class(self, one: int, other: int, number: int, weights: Doubles, /) -> Doubles: ...

    def with_others(self, one: int, weights: Doubles, /) -> Doubles:
        """One annotator and the majority of the others."""
        ...
