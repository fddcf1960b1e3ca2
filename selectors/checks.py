"""What goes into a selector and what comes out of it, checked once for all of them."""

import operator

import numpy as np
import numpy.typing as npt

from seedqueue.selectors.allowance import Rules
from seedqueue.selectors.errors import (
    BrokenSelector,
    BudgetExceedsPool,
    InvalidBudget,
    InvalidLabelledRows,
)
from seedqueue.selectors.selection import Rows, Selection


def checked_labelled(labelled: npt.ArrayLike, n: int) -> Rows:
    """The labelled rows as sorted, distinct int64; raises InvalidLabelledRows."""
    given = np.asarray(labelled)
    if given.size == 0:
        return np.empty(0, dtype=np.int64)
    if given.ndim != 1 or given.dtype.kind not in "iu":
        raise InvalidLabelledRows(f"{given.ndim} dimensions of type {given.dtype}")
    if given.min() < 0 or given.max() >= n:
        raise InvalidLabelledRows(f"rows from {given.min()} to {given.max()} in a matrix of {n}")
    return np.unique(given.astype(np.int64))


def checked_budget(budget: int, available: int) -> int:
    """The budget as an int from 1 to `available`; raises InvalidBudget, BudgetExceedsPool."""
    if isinstance(budget, bool | np.bool_):
        raise InvalidBudget(budget)
    try:
        count = operator.index(budget)
    except TypeError as error:
        raise InvalidBudget(budget) from error
    if count < 1:
        raise InvalidBudget(budget)
    if count > available:
        raise BudgetExceedsPool(count, available)
    return count


def check_promise(name: str, selection: Selection, budget: int, labelled: Rows, n: int, rules: Rules) -> None:
    """Raise BrokenSelector unless the selection is what Selection promises, for a pool of n rows under the rules."""
    rows = selection.rows
    if any(part.shape != (budget,) or part.dtype != np.int64 for part in (rows, selection.cluster, selection.weight)):
        raise BrokenSelector(name, f"not three int64 columns of {budget}")
    if rows.min() < 0 or rows.max() >= n or len(np.unique(rows)) != budget:
        raise BrokenSelector(name, "rows repeat or lie outside the matrix")
    if np.isin(rows, labelled).any():
        raise BrokenSelector(name, "a labelled row was chosen")
    if selection.weight.min() < 1 or selection.weight.sum() > n - len(labelled):
        raise BrokenSelector(name, "weights below 1, or more than the unlabelled rows together")
    if rules.groups is not None:
        group, count = np.unique(rules.groups[np.concatenate([rows, labelled])], return_counts=True)
        crowded = group[(group >= 0) & (count > rules.per_group)]
        if np.isin(rules.groups[rows], crowded).any():
            raise BrokenSelector(name, f"more than {rules.per_group} rows of a group")
