"""Stored embeddings in the order that a selection wants them: keys first, then rows by row id.

That is as fast as a scan of the whole table, and it reads no more than was asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from seedqueue.backend.tables import columns
from seedqueue.selectors.selection import Rows
from seedqueue.selectors.source import Source

if TYPE_CHECKING:
    import lancedb

READ_BYTES = 16 * 2**20  # read at once: more is slower, since it no longer fits a processor's cache


class Stored(Source):
    """Stored vectors in the order of their hashes, read when they are asked for."""

    def __init__(self, tables: list[lancedb.table.Table], hashes: Sequence[str], dimension: int) -> None:
        """Find all of them. Raises `KeyError` for one that is not stored."""
        self._opened = tables
        self._dimension = dimension
        first = first_rows(hashes)
        unique = list(first)
        table, row_id = np.full(len(unique), -1, dtype=np.int8), np.zeros(len(unique), dtype=np.uint64)
        for number, one in enumerate(tables):
            ids, which = _locate(one, unique)
            new = table[which] < 0
            table[which[new]], row_id[which[new]] = number, ids[new]
        missing = np.flatnonzero(table < 0)
        if len(missing):
            text = f"{len(missing)} of {len(hashes)} embeddings are not stored, {unique[missing[0]]} first"
            raise KeyError(text)
        at = {sha256: position for position, sha256 in enumerate(unique)}
        position = np.fromiter((at[sha256] for sha256 in hashes), np.int64, len(hashes))
        self._table, self._row_id = table[position], row_id[position]

    @property
    def shape(self) -> tuple[int, int]:
        return (len(self._table), self._dimension)

    def take(self, rows: Rows) -> NDArray[np.float32]:
        vectors = np.empty((len(rows), self._dimension), dtype=np.float32)
        for number, table in enumerate(self._opened):
            here = np.flatnonzero(self._table[rows] == number)
            self._read(table, self._row_id[rows[here]], here, vectors)
        return vectors

    def _read(
        self, table: lancedb.table.Table, ids: NDArray[Any], targets: NDArray[Any], vectors: NDArray[np.float32]
    ) -> None:
        """Read rows by their ids, ascending and READ_BYTES at a time, into `vectors[targets]`."""
        wanted, place = np.unique(ids, return_inverse=True)
        step = max(1, READ_BYTES // (4 * self._dimension))
        for start in range(0, len(wanted), step):
            part = wanted[start : start + step]
            taken = table.take_row_ids(part.tolist()).select(["vector"]).with_row_id().to_arrow()
            flat = taken["vector"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
            ordered = np.argsort(taken["_rowid"].to_numpy())  # in whatever order they came
            mine = (place >= start) & (place < start + len(part))
            vectors[targets[mine]] = flat.reshape(-1, self._dimension)[ordered][place[mine] - start]


def _locate(table: lancedb.table.Table, hashes: list[str]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Row ids (m,), ascending, and which of `hashes` each row holds (m,): one row a key."""
    stored = columns(table, ["sha256"])
    which = pc.index_in(stored["sha256"], value_set=pa.array(hashes, pa.string()))
    ids = stored["_rowid"].filter(which.is_valid()).to_numpy()
    which, one = np.unique(which.drop_null().to_numpy(), return_index=True)
    ascending = np.argsort(ids[one])
    return ids[one][ascending], which[ascending]


def first_rows(hashes: Sequence[str]) -> dict[str, int]:
    """The first row of each hash, in the order of rows."""
    first: dict[str, int] = {}
    for row, sha256 in enumerate(hashes):
        first.setdefault(sha256, row)
    return first
