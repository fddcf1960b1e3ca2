"""What goes into a selector and what comes out of it, checked once for all of them."""

import operator

import numpy as np
import numpy.typing as npt

from seedqueue.selectors.errors import (
    BrokenSelector,
    BudgetExceedsPool,
    InvalidBudget,
    InvalidEmbeddings,
    InvalidLabelledRows,
)
from seedqueue.selectors.selection import Embeddings, Rows, Selection


def checked_embeddings(embeddings: npt.ArrayLike) -> Embeddings:
    """The embeddings as a read-only float32 (n, d); copied only where the type demands it.

    Raises InvalidEmbeddings.
    """
    given = np.asarray(embeddings)
    if given.ndim != 2:
        raise InvalidEmbeddings(f"{given.ndim} dimensions")
    if given.dtype.kind not in "fiu":
        raise InvalidEmbeddings(f"values of type {given.dtype}")
    with np.errstate(over="ignore"):  # what overflows becomes infinite and is named below
        matrix = np.ascontiguousarray(given, dtype=np.float32)
    if matrix.shape[1] == 0:
        raise InvalidEmbeddings("no columns")
    bad = np.flatnonzero(~np.isfinite(matrix).all(axis=1))
    if len(bad):
        raise InvalidEmbeddings(f"NaN or infinite values in {len(bad)} rows, the first is row {bad[0]}")
    readonly = matrix.view()
    readonly.flags.writeable = False
    return readonly


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


def check_promise(name: str, selection: Selection, budget: int, labelled: Rows, n: int) -> None:
    """Raise BrokenSelector unless the selection is what Selection promises, for a pool of n rows."""
    rows = selection.rows
    if any(part.shape != (budget,) or part.dtype != np.int64 for part in (rows, selection.cluster, selection.weight)):
        raise BrokenSelector(name, f"not three int64 columns of {budget}")
    if rows.min() < 0 or rows.max() >= n or len(np.unique(rows)) != budget:
        raise BrokenSelector(name, "rows repeat or lie outside the matrix")
    if np.isin(rows, labelled).any():
        raise BrokenSelector(name, "a labelled row was chosen")
    if selection.weight.min() < 1 or selection.weight.sum() > n - len(labelled):
        raise BrokenSelector(name, "weights below 1, or more than the unlabelled rows together")
