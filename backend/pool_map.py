"""The pool in the plane with all that is known of each task: what the page's map shows, and where reasons come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

SCHEMA = pa.schema(
    [
        ("task", pa.int64()),
        ("x", pa.float32()),
        ("y", pa.float32()),
        ("cluster", pa.int32()),
        ("closeness", pa.float32()),
        ("label", pa.string()),
        ("predicted", pa.string()),
        ("uncertainty", pa.float32()),
        ("round", pa.int32()),
        ("nearest_labelled", pa.int64()),
        ("nearest_cosine", pa.float32()),
    ]
)
PLACES = 4  # decimals that are told


@dataclass(frozen=True)
class Spot:
    """One task of the map; None: not known, or there is none.

    cluster: the rank of the chosen task that stands for it, 0 where nothing is chosen; closeness: their cosine.
    label: what its annotators said. predicted, uncertainty: by the head that serves. round: the run that queued it, 0
    for none. nearest_labelled: the labelled task most like it, with the cosine.
    """

    task: int
    x: float
    y: float
    cluster: int
    closeness: float | None
    label: str | None
    predicted: str | None
    uncertainty: float | None
    round: int
    nearest_labelled: int | None
    nearest_cosine: float | None


@dataclass(frozen=True, eq=False)
class PoolMap:
    """run: whose queue the clusters belong to. made: UTC, ISO 8601. method: "t-SNE" or "PCA". table: of `SCHEMA`.

    pool: how many images there are, which may be more than are shown.
    """

    run: int
    fingerprint: str
    made: str
    method: str
    pool: int
    table: pa.Table

    def as_fields(self) -> dict[str, Any]:
        """For JSON: a list a column, plurals for the first."""
        columns = {name: self.table.column(name).to_pylist() for name in SCHEMA.names}
        columns["tasks"] = columns.pop("task")
        for name in ("x", "y", "closeness", "uncertainty", "nearest_cosine"):
            columns[name] = [None if value is None else round(value, PLACES) for value in columns[name]]
        return {"run": self.run, "made": self.made, "method": self.method, "pool": self.pool, **columns}

    def spot(self, task: int) -> Spot | None:
        """All that is known of one task, None where its image is not on the map."""
        column = self.table.column("task").combine_chunks()
        at = column.index(pa.scalar(task, pa.int64())).as_py()
        return None if at < 0 else Spot(**self.table.slice(at, 1).to_pylist()[0])

    def nearest_labelled(self, tasks: Sequence[int]) -> Mapping[int, int]:
        """{task: the labelled task most like it}, as far as there is one."""
        wanted = set(tasks)
        pairs = zip(*(self.table.column(name).to_pylist() for name in ("task", "nearest_labelled")), strict=True)
        return {task: near for task, near in pairs if task in wanted and near is not None}
