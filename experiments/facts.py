"""What every table of a pool has to say beside it."""

from __future__ import annotations

import numpy as np

from seedqueue.experiments.cells import PoolFacts
from seedqueue.experiments.grid import Grid
from seedqueue.experiments.metrics import PRIMARY
from seedqueue.experiments.prepared import PreparedPool
from seedqueue.experiments.splits import crossing, has_own_split, split_of


def facts_of(pool: PreparedPool, grid: Grid) -> list[PoolFacts]:
    """One for each target. Sizes of the parts are means over the repeats."""
    splits = [split_of(pool, grid, repeat) for repeat in range(grid.repeats)]
    train, validation, test = (
        round(float(np.mean([len(getattr(split, part)) for split in splits])))
        for part in ("train", "validation", "test")
    )
    described = pool.described
    [spec] = [spec for spec in grid.pools if spec.name == pool.name]
    held = pool.truth.sum(axis=0).tolist()
    return [
        PoolFacts(
            pool=pool.name,
            target=target.name,
            task=described.task,
            n=len(pool),
            groups=len(set(described.groups)),
            positives=int(pool.truth[:, list(target.columns)].any(axis=1).sum()),
            classes={described.classes[column]: held[column] for column in target.columns},
            train=train,
            validation=validation,
            test=test,
            labels=described.labels,
            fixed_split=has_own_split(pool) or grid.fixed_split,
            primary=PRIMARY[described.task],
            unit=_unit(pool),
            weak_overlap=spec.weak_seen if spec.weak_labels else "",
            grouped_by=described.grouped_by,
            crossing=crossing(pool) if has_own_split(pool) else 0,
        )
        for target in described.targets
    ]


def _unit(pool: PreparedPool) -> str:
    """Of distances between masks: mm only where all images have a spacing."""
    if pool.described.task != "masks":
        return ""
    return "mm" if pool.in_millimetres else "pixels"
