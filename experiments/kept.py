"""What an experiment keeps beside its report: pools made ready, finished units: a killed run goes on from them."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from seedqueue.experiments.errors import WorkInUse
from seedqueue.experiments.grid import Grid, PoolSpec, grid_from
from seedqueue.experiments.prepared import PreparedPool, read_pool, slug
from seedqueue.experiments.units import Finished


class Kept:
    """The folder of what an experiment keeps. Several may share one: what they have in common is measured once."""

    def __init__(self, work: Path) -> None:
        self.work = work
        self.finished = Finished(self.work / "cells")

    def make(self) -> None:
        for folder in (self.work / "pools", self.finished.folder):
            folder.mkdir(parents=True, exist_ok=True)
        # Weights of a report's evidence, not of the repository that it may lie in.
        (self.work / ".gitignore").write_text("*\n", encoding="utf-8")

    def pool_folder(self, spec: PoolSpec, grid: Grid) -> Path:
        """By name and everything else that a pool is made from; the first embedder tells near duplicates."""
        told = [asdict(spec), grid.embedders_of(spec.name)[:1], grid.heads, grid.side]
        digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:8]
        return self.work / "pools" / f"{slug(spec.name)}-{digest}"

    @contextmanager
    def alone(self, run: str) -> Iterator[None]:
        """Two commands of one grid would take each other's jobs away. Raises `WorkInUse`."""
        with (self.work / f"{run}.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise WorkInUse(self.work) from error
            yield

    def keep(self, run: str, grid: Grid) -> None:
        """What workers read, as a whole or not at all."""
        file = self._grid_file(run)
        part = file.with_name(f".{file.name}.{os.getpid()}.part")
        part.write_text(json.dumps(asdict(grid)), encoding="utf-8")
        part.replace(file)

    def grid(self, run: str) -> Grid:
        file = self._grid_file(run)
        return grid_from(json.loads(file.read_text(encoding="utf-8")), file)

    def _grid_file(self, run: str) -> Path:
        return self.work / f"grid-{run}.json"

    def pools(self, grid: Grid) -> list[PreparedPool]:
        return [read_pool(self.pool_folder(spec, grid)) for spec in grid.pools]
