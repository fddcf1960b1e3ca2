"""The newest map of each project, in the home."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from seedqueue.backend.pool_map import PoolMap
from seedqueue.backend.tables import Home, quoted

SCHEMA = pa.schema(
    [
        ("instance", pa.string()),
        ("project", pa.int64()),
        ("run", pa.int64()),
        ("fingerprint", pa.string()),
        ("made", pa.string()),
        ("method", pa.string()),
        ("pool", pa.int64()),
        ("body", pa.large_binary()),
    ]
)


@dataclass(frozen=True)
class Maps:
    """Maps of one Label Studio instance. It can be drawn again at any time: only the newest is kept."""

    home: Home
    instance: str

    def save(self, project: int, drawn: PoolMap) -> None:
        """Added first, then the older ones are dropped: a reader always finds one."""
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, drawn.table.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as stream:
            stream.write_table(drawn.table)
        row = {
            "instance": self.instance,
            "project": project,
            "run": drawn.run,
            "fingerprint": drawn.fingerprint,
            "made": drawn.made,
            "method": drawn.method,
            "pool": drawn.pool,
            "body": sink.getvalue().to_pybytes(),
        }
        with self.home.writing():
            table = self.home.table("maps", SCHEMA)
            table.add(pa.Table.from_pylist([row], schema=SCHEMA))
            table.delete(f"{self._of(project)} AND made < {quoted(drawn.made)}")

    def newest(self, project: int) -> PoolMap | None:
        table = self.home.existing("maps")
        if table is None:
            return None
        rows = table.search().where(self._of(project)).limit(table.count_rows() or 1).to_arrow().to_pylist()
        if not rows:
            return None
        row = max(rows, key=lambda one: str(one["made"]))
        with pa.ipc.open_stream(row["body"]) as stream:
            return PoolMap(row["run"], row["fingerprint"], row["made"], row["method"], row["pool"], stream.read_all())

    def _of(self, project: int) -> str:
        return f"instance = {quoted(self.instance)} AND project = {project}"
