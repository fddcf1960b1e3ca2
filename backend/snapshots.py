"""The pool of a run as it was listed, cut into shards: what its jobs work through."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from seedqueue.backend.pool import PoolTask
from seedqueue.backend.tables import Home, quoted

SCHEMA = pa.schema(
    [
        ("run", pa.string()),
        ("generation", pa.string()),
        ("shard", pa.int64()),
        ("task", pa.int64()),
        ("uri", pa.string()),
        ("labelled", pa.bool_()),
    ]
)
NO_SHARD = -1


@dataclass(frozen=True)
class Snapshots:
    """Pools of runs, named by instance, project and number."""

    home: Home
    instance: str

    def save(self, project: int, number: int, generation: str, pool: Sequence[PoolTask], shards: Sequence[int]) -> None:
        """Store a pool; `shards[i]` is the shard of `pool[i]`, `NO_SHARD` where its embedding is stored."""
        rows = pa.Table.from_pydict(
            {
                "run": [self._name(project, number)] * len(pool),
                "generation": [generation] * len(pool),
                "shard": list(shards),
                "task": [task.task for task in pool],
                "uri": [task.uri for task in pool],
                "labelled": [task.labelled for task in pool],
            },
            schema=SCHEMA,
        )
        with self.home.writing():
            self.home.table("pools", SCHEMA).add(rows)

    def pool(self, project: int, number: int, generation: str, shard: int | None = None) -> list[PoolTask]:
        """The whole pool of a run as one generation listed it, or one shard of it."""
        table = self.home.existing("pools")
        if table is None:
            return []
        where = f"run = {quoted(self._name(project, number))} AND generation = {quoted(generation)}"
        where += "" if shard is None else f" AND shard = {shard}"
        found = table.search().where(where).limit(table.count_rows() or 1)
        return [PoolTask(**row) for row in found.select(["task", "uri", "labelled"]).to_arrow().to_pylist()]

    def drop(self, project: int, number: int) -> None:
        """Forget a run's pool, all generations of it."""
        table = self.home.existing("pools")
        if table is not None:
            table.delete(f"run = {quoted(self._name(project, number))}")

    def _name(self, project: int, number: int) -> str:
        return f"{self.instance}|{project}|{number}"
