"""One unit measured from beginning to end: split, choose, train, judge."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from seedqueue.experiments import arms
from seedqueue.experiments.cells import NO_EMBEDDER, Cell
from seedqueue.experiments.choosing import Choice
from seedqueue.experiments.clock import Clock
from seedqueue.experiments.grid import Grid
from seedqueue.experiments.linear_cells import LinearTask, Queues, of_choice, queues
from seedqueue.experiments.network_cells import NetworkTask
from seedqueue.experiments.prepared import PreparedPool, Rows, Target
from seedqueue.experiments.units import Unit
from seedqueue.experiments.views import View, view_of, weak_labels
from seedqueue.models.heads.networks import Kind
from seedqueue.models.memory import peak_mb
from seedqueue.selectors.signals import Signals


@dataclass(frozen=True)
class Means:
    """What a machine measures with. imagenet: the checked file of a network's first weights, where there is one."""

    threads: int
    imagenet: dict[Kind, Path]


@dataclass(frozen=True, eq=False)
class Measuring:
    """One unit under way."""

    grid: Grid
    pool: PreparedPool
    unit: Unit
    means: Means

    @cached_property
    def arm(self) -> arms.Arm:
        return arms.parse(self.unit.arm)

    @cached_property
    def view(self) -> View:
        """What the selector sees."""
        return view_of(self.pool, self.unit.embedder, self.grid, self.unit.repeat)

    @cached_property
    def seed(self) -> int:
        """Of all that is random in this unit; two draws of a repeat have different ones, two arms the same."""
        numbers = (self.grid.random_seed, self.unit.repeat, self.unit.draw)
        return int(np.random.default_rng(numbers).integers(2**31))

    @cached_property
    def training_seed(self) -> int:
        """Of a head: the same in every arm and draw of a repeat, so that arms differ by their labels alone."""
        return int(np.random.default_rng((self.grid.random_seed, self.unit.repeat, 0, 1)).integers(2**31))

    def cells(self) -> Iterator[Cell]:
        """Of every target and budget. Raises `PoolUnusable`, and what a selector raises."""
        shared = None if self._asks_the_head else self._queues(None)
        for target in self.pool.described.targets:
            linear = self._linear(target) if self.unit.head == "linear" else None
            chosen = shared or self._queues(linear)
            for budget in self.unit.budgets:
                yield from self._cell(target, budget, chosen, linear)

    @property
    def _asks_the_head(self) -> bool:
        return self.arm.then not in (None, arms.REFERENCE)

    def _queues(self, linear: LinearTask | None) -> Queues:
        scores = self.pool.weak_scores() if "weak_labels" in self.arm.needs else None
        signals = Signals(weak_labels=None if scores is None else weak_labels(scores, self.view.split.train))
        choice = Choice(self.view.train, signals, self.seed, linear.predict if linear else None)
        return queues(choice, self.arm, self.unit.budgets)

    def _linear(self, target: Target) -> LinearTask:
        seen = view_of(self.pool, self.grid.features or self.unit.embedder, self.grid, self.unit.repeat)
        return LinearTask(self.pool, target, seen, self.training_seed)

    def _cell(self, target: Target, budget: int, chosen: Queues, linear: LinearTask | None) -> Iterator[Cell]:
        rows = chosen.by_budget[budget]
        own: Rows = self.view.split.train[rows]
        clock = Clock()
        if linear is not None:
            found = linear.metrics(own, clock, self.grid.protocol)
        else:
            found = self._network(target).metrics(own, clock)
        said = of_choice(self.pool, target, self.view, rows)
        if self.unit.embedder == NO_EMBEDDER:
            said = {name: value for name, value in said.items() if name == "positive_share"}
        for column, metrics in found.items():
            yield Cell(
                pool=self.pool.name,
                target=target.name,
                embedder=self.unit.embedder,
                selector=self.unit.arm,
                head=self.unit.head + column,
                budget=budget,
                repeat=self.unit.repeat,
                draw=self.unit.draw,
                metrics={**metrics, **said},
                seconds={**clock.seconds, "select": chosen.seconds[budget]},
                core_seconds=clock.core_seconds + chosen.core_seconds[budget],
                memory=round(peak_mb(), 1),
                rows=tuple(own.tolist()),
            )

    def _network(self, target: Target) -> NetworkTask:
        kind: Kind = "unet-vgg11" if self.unit.head == "unet-vgg11" else "vgg11"
        imagenet = None if self.grid.random_weights else self.means.imagenet.get(kind)
        seed, threads = self.training_seed, self.means.threads
        return NetworkTask(self.grid, self.pool, target, self.view.split, imagenet, seed, threads)
