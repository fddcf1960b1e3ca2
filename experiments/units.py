"""The units of work of a grid: what one job measures, and whether that has been done."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedqueue.experiments import arms
from seedqueue.experiments.cells import NO_EMBEDDER, Cell, from_json, to_json
from seedqueue.experiments.errors import InvalidGrid, PoolUnusable
from seedqueue.experiments.grid import MASK_HEADS, Grid
from seedqueue.experiments.prepared import PreparedPool

# Raised whenever what is measured changes: cells of another number are measured anew.
FORMAT = 1

_DESCRIBED = ("name", "task", "files", "classes", "has", "targets", "groups", "splits", "labels", "content", "masks")
_PROTOCOL = (
    "protocol",
    "held_out",
    "validation",
    "features",
    "fixed_split",
    "side",
    "epochs",
    "random_seed",
    "random_weights",
)


@dataclass(frozen=True)
class Unit:
    """One job: all targets of a pool, one draw of an arm, the budgets given."""

    pool: str
    embedder: str
    arm: str
    head: str
    repeat: int
    draw: int
    budgets: tuple[int, ...]


def units_of(grid: Grid, pools: Sequence[PreparedPool]) -> list[Unit]:
    """Every unit of the grid, repeat by repeat, so that what is there at any time is a table of fewer repeats.

    The linear head measures all budgets of a queue at once; a network takes minutes for each. A network's random
    queues know no embedder and are measured once. Arms that need weak labels are left out where a pool has none.
    Raises `PoolUnusable` where no head suits a pool, `InvalidGrid` for a head that suits no pool.
    """
    suiting = {pool.name: _heads(grid, pool) for pool in pools}
    for pool in pools:
        if not suiting[pool.name]:
            told = f"none of the heads {', '.join(grid.heads)} is for {pool.described.task}"
            raise PoolUnusable(pool.name, told)
    for head in grid.heads:
        if not any(head in heads for heads in suiting.values()):
            raise InvalidGrid(
                "head", head, 'it suits no pool; ask for it alone, or give a pool its task, "classes" or "masks"'
            )
    found = []
    for repeat in range(grid.repeats):
        for pool in pools:
            for head in suiting[pool.name]:
                for embedder in grid.embedders_of(pool.name):
                    for arm in grid.arms:
                        if "weak_labels" not in arm.needs or pool.weak_scores() is not None:
                            found += _of_arm(grid, pool.name, head, embedder, arm, repeat)
    return list(dict.fromkeys(found))


def _heads(grid: Grid, pool: PreparedPool) -> list[str]:
    masks = pool.described.task == "masks"
    return [head for head in grid.heads if (head in MASK_HEADS) == masks]


def _of_arm(grid: Grid, pool: str, head: str, embedder: str, arm: arms.Arm, repeat: int) -> list[Unit]:
    draws = range(grid.draws if arm.random else 1)
    if head == "linear":
        return [Unit(pool, embedder, arm.text, head, repeat, draw, grid.budgets) for draw in draws]
    seen = NO_EMBEDDER if arm.random else embedder
    return [Unit(pool, seen, arm.text, head, repeat, draw, (budget,)) for budget in grid.budgets for draw in draws]


@dataclass(frozen=True)
class Finished:
    """The cells of a folder: a file for each finished unit, named by all that its numbers depend on."""

    folder: Path

    def file(self, unit: Unit, context: str) -> Path:
        """context: of `Contexts`."""
        told = json.dumps([FORMAT, context, asdict(unit)], sort_keys=True)
        return self.folder / f"{hashlib.sha256(told.encode()).hexdigest()[:24]}.jsonl"

    def has(self, unit: Unit, context: str) -> bool:
        return self.file(unit, context).exists()

    def keep(self, unit: Unit, context: str, cells: Iterable[Cell]) -> None:
        """As a whole or not at all."""
        file = self.file(unit, context)
        part = file.with_name(f".{file.name}.{os.getpid()}.part")
        part.write_text(to_json(cells), encoding="utf-8")
        part.replace(file)

    def fail(self, unit: Unit, context: str, message: str) -> None:
        """Why a unit cannot be measured; a later run tries it again."""
        self._failure(unit, context).write_text(message, encoding="utf-8")

    def failure(self, unit: Unit, context: str) -> str | None:
        file = self._failure(unit, context)
        return file.read_text(encoding="utf-8") if file.exists() else None

    def forget_failure(self, unit: Unit, context: str) -> None:
        self._failure(unit, context).unlink(missing_ok=True)

    def _failure(self, unit: Unit, context: str) -> Path:
        return self.file(unit, context).with_suffix(".failed")

    def cells(self, units: Iterable[Unit], contexts: Contexts) -> list[Cell]:
        """Those of the units, in their order."""
        files = (self.file(unit, contexts.of(unit)) for unit in units)
        return [cell for file in files if file.exists() for cell in from_json(file.read_text(encoding="utf-8"))]


class Contexts:
    """What the numbers of a unit depend on beside itself, in a word: its pool's content, embeddings, the protocol.

    Other arms, repeats and embedders are no part of it, so that a larger grid keeps what is measured.
    """

    def __init__(self, grid: Grid, pools: Sequence[PreparedPool]) -> None:
        self._grid = grid
        self._pools = {pool.name: pool for pool in pools}
        self._known: dict[tuple[str, str, bool], str] = {}

    def of(self, unit: Unit) -> str:
        key = unit.pool, unit.embedder, "weak_labels" in arms.parse(unit.arm).needs
        if key not in self._known:
            self._known[key] = self._context(self._pools[unit.pool], unit.embedder, weak=key[-1])
        return self._known[key]

    def _context(self, pool: PreparedPool, embedder: str, *, weak: bool) -> str:
        told = asdict(pool.described)
        described = {name: told[name] for name in _DESCRIBED}
        protocol = {name: getattr(self._grid, name) for name in _PROTOCOL}
        scores = pool.weak_scores() if weak else None
        seen = {name for name in (embedder, self._grid.features) if name not in (None, NO_EMBEDDER)}
        vectors = {str(name): _digest(pool.embeddings(str(name))) for name in sorted(map(str, seen))}
        parts = [described, protocol, None if scores is None else _digest(scores), vectors]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _digest(array: NDArray[Any]) -> str:
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()
