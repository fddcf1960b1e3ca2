"""Training, validation and test part of a pool: whole groups, drawn anew for each repeat, or the table's own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from seedqueue.experiments.errors import PoolUnusable
from seedqueue.experiments.grid import Grid
from seedqueue.experiments.prepared import PreparedPool, Rows


@dataclass(frozen=True, eq=False)
class Split:
    """Rows of the pool, ascending. validation: empty but in the protocol "paper"; no arm learns from it."""

    train: Rows
    validation: Rows
    test: Rows


def has_own_split(pool: PreparedPool) -> bool:
    """Whether the table says what is training and what is test."""
    return {"train", "test"} <= set(pool.described.splits)


def crossing(pool: PreparedPool) -> int:
    """How many groups the table's own split divides: their images stand in training and test part."""
    said = np.array(pool.described.splits)
    tested = set(pool.groups[said == "test"].tolist())
    return len(tested & set(pool.groups[(said == "train") | (said == "val")].tolist()))


def split_of(pool: PreparedPool, grid: Grid, repeat: int) -> Split:
    """The parts of a repeat; the same in every arm. Raises `PoolUnusable` where a part would hold no positive image."""
    number = 0 if grid.fixed_split or has_own_split(pool) else repeat
    if has_own_split(pool):
        said = np.array(pool.described.splits)
        test, rest = np.flatnonzero(said == "test"), np.flatnonzero((said == "train") | (said == "val"))
        validation = np.flatnonzero(said == "val")
    else:
        rest, test = _divided(pool, np.arange(len(pool)), grid.held_out, (grid.random_seed, number, 0))
        validation = rest[:0]
    if grid.protocol == "paper" and not len(validation):
        rest, validation = _divided(pool, rest, grid.validation, (grid.random_seed, number, 1))
    elif len(validation) and grid.protocol == "paper":
        rest = np.setdiff1d(rest, validation)
    else:
        validation = rest[:0]
    found = Split(rest, validation, test)
    _check(pool, grid, found)
    return found


def _divided(pool: PreparedPool, rows: Rows, share: float, seed: tuple[int, ...]) -> tuple[Rows, Rows]:
    from sklearn.model_selection import GroupShuffleSplit

    state = int(np.random.default_rng(seed).integers(2**31))
    groups = pool.groups[rows]
    if len(np.unique(groups)) < 2:
        raise PoolUnusable(pool.name, "all its images are of one group (patient, near duplicates): nothing to split")
    first, second = next(iter(GroupShuffleSplit(1, test_size=share, random_state=state).split(rows, groups=groups)))
    return rows[np.sort(first)], rows[np.sort(second)]


def _check(pool: PreparedPool, grid: Grid, split: Split) -> None:
    largest = max(grid.budgets)
    if largest > len(split.train):
        raise PoolUnusable(
            pool.name, f"a budget of {largest} exceeds the {len(split.train)} images of its training part"
        )
    for arm in grid.arms:
        if arm.pool is not None and not largest <= arm.pool <= len(split.train):
            raise PoolUnusable(
                pool.name,
                f"{arm.text} draws {arm.pool} images, for a budget of {largest}, from the {len(split.train)} of its "
                "training part",
            )
    parts = {"training": split.train, "test": split.test}
    if len(split.validation):
        parts["validation"] = split.validation
    for target in pool.described.targets:
        for column in target.columns:
            for name, rows in parts.items():
                held = pool.truth[rows, column]
                if not held.any() or (held.all() and pool.described.task == "classes"):
                    kind = "no" if not held.any() else "nothing but"
                    raise PoolUnusable(
                        pool.name,
                        f"a {name} part has {kind} images with {pool.described.classes[column]!r}: too few groups "
                        "(patients, near duplicates) have it",
                    )
