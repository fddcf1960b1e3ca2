"""Who agrees less with the others than these among themselves. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from seedqueue.backend.people.answers import macro_of
from seedqueue.backend.people.kappas import Doubles

LEAST_ANNOTATORS = 3  # of two nobody can say which one is wrong
LEAST_SHARED = 10  # patients, which are what is resampled; an interval from fewer is no evidence
ALPHA = 0.05
_LEAST_DEFINED = 0.5


@dataclass(frozen=True)
class Apart:
    """One annotator's mean agreement with the others, and these others' among themselves.

    difference: the second less the first, with an interval that holds at 95 % for all annotators and measures
    together: nobody is to be told on by the chance of many looks.
    """

    annotator: int
    with_others: float
    among_others: float
    difference: float
    low: float
    high: float

    @property
    def flagged(self) -> bool:
        return self.low > 0


def apart(pairs: Mapping[tuple[int, int], Doubles], patients: Mapping[int, int], comparisons: int) -> list[Apart]:
    """Everybody of whom it can be said.

    pairs: the agreement of each pair that has tasks in common, float64 (1 + bootstraps,), all on the same resamples,
    the first the tasks' own. patients: of how many each has a task in common with somebody; a task is its own patient
    where none is known. comparisons: how many intervals are looked at in all.
    """
    defined = {pair: values for pair, values in pairs.items() if not np.isnan(values[0])}
    everybody = sorted({one for pair in defined for one in pair})
    found = []
    for one in everybody if len(everybody) >= LEAST_ANNOTATORS else ():
        mine = [values for pair, values in defined.items() if one in pair]
        theirs = [values for pair, values in defined.items() if one not in pair]
        if theirs and patients[one] >= LEAST_SHARED:
            compared = _compared(one, macro_of(mine), macro_of(theirs), ALPHA / max(comparisons, 1))
            found += [compared] if compared else []
    return found


def _compared(one: int, mine: Doubles, theirs: Doubles, alpha: float) -> Apart | None:
    difference = theirs - mine
    drawn = difference[1:][~np.isnan(difference[1:])]
    if len(drawn) < max(2, _LEAST_DEFINED * (len(difference) - 1)):
        return None
    low, high = np.quantile(drawn, [alpha / 2, 1 - alpha / 2])
    return Apart(one, float(mine[0]), float(theirs[0]), float(difference[0]), float(low), float(high))
