"""Out-of-fold probabilities of the labelled images: a training signal, never a performance.

The labels of a queue have the queue's prevalence, not the pool's (EVALUATION.md, "Two honest sources of a
number"). What these are good for: a threshold, a temperature, a label that looks wrong.
"""

from collections.abc import Callable
from typing import Protocol

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]
Targets = npt.NDArray[np.bool_]


class Classifier(Protocol):
    """A trained head."""

    def probabilities(self, embeddings: Floats, /) -> Floats:
        """float32 (n, classes) of embeddings float32 (n, d)."""
        ...


def out_of_fold(
    fit: Callable[[Rows], Classifier],
    embeddings: Floats,
    targets: Targets,
    groups: Rows,
    folds: int = 5,
    seed: int = 0,
) -> Floats | None:
    """Each row's probabilities by a head that was trained without its group: float32 (n, classes).

    fit: trains a head on the rows it is given, int64, ascending. embeddings: float32 (n, d); targets:
    bool (n, classes); groups: int64 (n,), never split. None where there are fewer than two groups.
    A training signal: not to be reported as performance.
    """
    fold = fold_of_each(targets, groups, folds, seed)
    if fold is None:
        return None
    found = np.empty(targets.shape, dtype=np.float32)
    for number in np.unique(fold):
        held_out = fold == number
        found[held_out] = fit(np.flatnonzero(~held_out)).probabilities(embeddings[held_out])
    return found


def fold_of_each(targets: Targets, groups: Rows, folds: int = 5, seed: int = 0) -> Rows | None:
    """The fold of each row, int64 (n,), from 0; None where there are fewer than two groups.

    Iterative stratification (Sechidis, Tsoumakas & Vlahavas 2011) of groups: the class that the fewest
    groups have is dealt out first, each group to the fold with the fewest rows of that class,
    then the fewest rows; groups without any class come last. It takes several classes a row, and a
    class with fewer groups than folds, which scikit-learn's StratifiedGroupKFold does not. As many
    folds as groups where those are fewer; none is empty.
    """
    if folds < 2:
        raise ValueError(f"{folds} folds leave nothing to train on: give at least 2")
    names, group = np.unique(groups, return_inverse=True)
    if len(names) < 2:
        return None
    held = np.zeros((len(names), targets.shape[1]), dtype=np.int64)
    np.add.at(held, group, targets)
    size = np.bincount(group)
    # Larger groups first, while there is still room to even them out; equal ones in random order.
    shuffled = np.random.default_rng(seed).permutation(len(names))
    order = shuffled[np.argsort(-size[shuffled], kind="stable")]
    return _dealt(held[order], size[order], folds)[np.argsort(order)][group]


def _dealt(held: Rows, size: Rows, folds: int) -> Rows:
    """The fold of each group, int64 (groups,). held: rows of each class, int64 (groups, classes); size: of all."""
    fold = np.full(len(size), -1, dtype=np.int64)
    rows, of_class = np.zeros(folds, dtype=np.int64), np.zeros((folds, held.shape[1]), dtype=np.int64)
    while (left := fold < 0).any():
        having = (held[left] > 0).sum(axis=0)
        rarest = int(np.where(having > 0, having, len(size) + 1).argmin()) if having.any() else None
        for index in np.flatnonzero(left if rarest is None else left & (held[:, rarest] > 0)).tolist():
            already = rows if rarest is None else of_class[:, rarest]
            chosen = int(np.lexsort((rows, already))[0])
            fold[index] = chosen
            rows[chosen] += size[index]
            of_class[chosen] += held[index]
    return fold
