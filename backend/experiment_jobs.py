"""The job that measures a unit of an experiment: any worker that reaches the experiment's folder can take it."""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path

from seedqueue.backend import settings
from seedqueue.backend.context import Context
from seedqueue.backend.errors import KNOWN
from seedqueue.experiments.grid import Grid
from seedqueue.experiments.kept import Kept
from seedqueue.experiments.measuring import Means, Measuring
from seedqueue.experiments.prepared import PreparedPool
from seedqueue.experiments.units import Contexts, Unit
from seedqueue.models import weights
from seedqueue.models.heads import networks

# Under these names `seedqueue weights` knows the files that a network can begin from.
FETCHED_AS: dict[networks.Kind, str] = {"vgg11": "imagenet:vgg11", "unet-vgg11": "imagenet:vgg11_bn"}


# Of a network in training: numbers must not depend on how many a worker has, and units are measured side by side.
THREADS = 1


def measure(work: str, run: str, unit: str, context: str) -> None:
    """Measure a unit, given as JSON, and keep its cells; an error that would come again is kept in their place.

    run: names the grid in the folder `work`; a worker reads it and its pools once. context: what the unit's numbers
    depend on as the command sees it: a worker that holds an older pool reads it anew.
    """
    opened = _opened(work, run)
    told = json.loads(unit)
    asked = Unit(**{**told, "budgets": tuple(told["budgets"])})
    if opened.contexts.of(asked) != context:
        _opened.cache_clear()
        opened = _opened(work, run)
    finished = opened.kept.finished
    if finished.has(asked, context):
        return
    if opened.contexts.of(asked) != context:
        finished.fail(asked, context, "this worker sees another pool or runs another version than the command")
        return
    with Context(settings.load()) as machine:
        means = Means(THREADS, imagenet_files(machine, opened.grid))
        try:
            cells = list(Measuring(opened.grid, opened.pools[asked.pool], asked, means).cells())
        except KNOWN as error:
            finished.fail(asked, context, str(error))
            return
    finished.keep(asked, context, cells)


def unit_json(unit: Unit) -> str:
    return json.dumps(asdict(unit))


def imagenet_files(context: Context, grid: Grid) -> dict[networks.Kind, Path]:
    """The checked files that the grid's networks begin from. Raises `WeightsMissing`, `WeightsCorrupt`."""
    if grid.random_weights:
        return {}
    kinds: tuple[networks.Kind, ...] = ("vgg11", "unet-vgg11")
    return {
        kind: weights.require(context.settings.weights, networks.source(kind), FETCHED_AS[kind]).paths[
            networks.source(kind).files[0].name
        ]
        for kind in kinds
        if kind in grid.heads
    }


class _Opened:
    """An experiment as a worker holds it."""

    def __init__(self, work: Path, run: str) -> None:
        self.kept = Kept(work)
        self.grid = self.kept.grid(run)
        pools = self.kept.pools(self.grid)
        self.pools: dict[str, PreparedPool] = {pool.name: pool for pool in pools}
        self.contexts = Contexts(self.grid, pools)


@lru_cache(maxsize=1)
def _opened(work: str, run: str) -> _Opened:
    return _Opened(Path(work), run)
