"""Which rows may be chosen: not the labelled ones, few of one patient, no image twice.

The same rules for every selector, which asks before it takes a row.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from seedqueue.selectors.errors import InvalidRules
from seedqueue.selectors.selection import Embeddings, Rows

Mask = npt.NDArray[np.bool_]

# A vector's cosine to itself, in float32, may be this much less than 1.
ROUNDING = 1e-5


@dataclass(frozen=True, eq=False)
class Rules:
    """What may stand together in a queue.

    groups: int64 (n,), the group (patient, study) of each row, -1 where there is none; None: no groups.
    per_group: at most so many rows of a group are chosen, those labelled already included.
    near_duplicate: a row whose cosine to a chosen or labelled one is at least this, on unit vectors,
        is not chosen while others are left; None: no such rule.
    """

    groups: Rows | None = None
    per_group: int = 1
    near_duplicate: float | None = None

    def at(self, order: Rows) -> "Rules":
        """The same rules for the pool in another order."""
        return self if self.groups is None else replace(self, groups=self.groups[order])

    def check(self, n: int) -> None:
        """Raise InvalidRules unless they suit a pool of n rows."""
        if self.groups is not None and (self.groups.shape != (n,) or self.groups.dtype.kind not in "iu"):
            raise InvalidRules(f"groups of shape {self.groups.shape} and type {self.groups.dtype} for {n} rows")
        if self.per_group < 1:
            raise InvalidRules(f"at most {self.per_group} of a group")
        if self.near_duplicate is not None and not 0 < self.near_duplicate <= 1:
            raise InvalidRules(f"near duplicates from a cosine of {self.near_duplicate}")

    def available(self, labelled: Rows, n: int) -> int:
        """How many unlabelled rows can be chosen together."""
        if self.groups is None:
            return n - len(labelled)
        _, group = np.unique(self.groups, return_inverse=True)
        unlabelled = np.ones(n, dtype=bool)
        unlabelled[labelled] = False
        alone = unlabelled & (self.groups < 0)
        size = np.bincount(group[unlabelled & (self.groups >= 0)], minlength=n)
        used = np.bincount(group[labelled], minlength=n)
        return int(alone.sum() + np.minimum(size, np.maximum(self.per_group - used, 0)).sum())


class Allowance:
    """The rules at work in one selection."""

    def __init__(self, n: int, labelled: Rows, rules: Rules, unit: Callable[[Rows], Embeddings]) -> None:
        """unit(rows): these rows as unit vectors (m, d), all of their columns."""
        self._rules = rules
        self._unit = unit
        self._labelled = labelled
        self._group = np.full(n, -1) if rules.groups is None else rules.groups
        self._taken: list[int] = []
        self._near = rules.near_duplicate
        self._vectors = [unit(labelled)] if self._near is not None and len(labelled) else []
        self._open = np.ones(n, dtype=bool)
        self._open[labelled] = False
        group, count = np.unique(self._group[labelled], return_counts=True)
        self._in_group = dict(zip(group[group >= 0].tolist(), count[group >= 0].tolist(), strict=True))
        self._close_full_groups()

    @property
    def open(self) -> Mask:
        """Which rows may still be chosen, bool (n,), as far as is known: `take` has the last word."""
        return self._open

    @property
    def taken(self) -> Rows:
        """The rows taken so far, in order, int64."""
        return np.asarray(self._taken, dtype=np.int64)

    def take(self, row: int) -> bool:
        """Take a row if it may be chosen; either way it is not open any more."""
        if not self._open[row]:
            return False
        self._open[row] = False
        if self._near is not None:
            vector = self._unit(np.array([row]))
            if any((known @ vector[0]).max() >= self._near - ROUNDING for known in self._vectors):
                return False
            self._remember(vector)
        self._taken.append(row)
        self._count(row)
        return True

    def first(self, rows: Rows) -> int | None:
        """Take the first of `rows` that may be chosen; None where none may."""
        return next((row for row in rows[self._open[rows]].tolist() if self.take(row)), None)

    def lift_near_duplicates(self) -> None:
        """Open again what was refused as a near duplicate: nothing else is left."""
        self._near = None
        self._open[:] = True
        self._open[np.concatenate([self._labelled, self.taken])] = False
        self._close_full_groups()

    def _close_full_groups(self) -> None:
        full = [group for group, count in self._in_group.items() if count >= self._rules.per_group]
        self._open[np.isin(self._group, full)] = False

    def _count(self, row: int) -> None:
        group = int(self._group[row])
        if group < 0:
            return
        self._in_group[group] = self._in_group.get(group, 0) + 1
        if self._in_group[group] >= self._rules.per_group:
            self._open[self._group == group] = False

    def _remember(self, vector: Embeddings) -> None:
        """Chosen vectors lie together in blocks of up to 256: one product for each block."""
        if len(self._vectors) > 1 and len(self._vectors[-1]) < 256:
            self._vectors[-1] = np.concatenate([self._vectors[-1], vector])
        else:
            self._vectors.append(vector)
