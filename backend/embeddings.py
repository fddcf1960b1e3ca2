"""Embeddings keyed by (embedder fingerprint, image hash), and where each image was found.

The same image is embedded once, ever; an unchanged URI is not even fetched again. Processes that store the
same key at once store it twice: readers take one row a key, and compaction drops the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from seedqueue.backend.fetch import stable_uri
from seedqueue.backend.half import in_float16
from seedqueue.backend.stored import Stored, first_rows
from seedqueue.backend.tables import Home, columns, quoted
from seedqueue.selectors.source import Matrix
from seedqueue.selectors.source import Source as VectorSource

if TYPE_CHECKING:
    import lancedb

IN_MEMORY = 2**30  # bytes of embeddings that a selection holds; of more it holds a few components each

SOURCES = pa.schema(
    [
        ("key", pa.string()),
        ("instance", pa.string()),
        ("project", pa.int64()),
        ("task", pa.int64()),
        ("uri", pa.string()),
        ("sha256", pa.string()),
        ("size", pa.int64()),
        ("etag", pa.string()),
    ]
)


@dataclass(frozen=True)
class Source:
    """Where an image was found: task and URI (without its signature), its hash, size in bytes, ETag."""

    instance: str
    project: int
    task: int
    uri: str
    sha256: str
    size: int
    etag: str

    @property
    def key(self) -> str:
        return f"{self.instance}|{self.project}|{self.task}|{self.uri}"


class Sources:
    """The mapping from (instance, project, task, URI) to the hash of the bytes that it gave."""

    def __init__(self, home: Home) -> None:
        self._home = home

    def add(self, sources: Iterable[Source]) -> None:
        rows = [{"key": s.key, **asdict(s)} for s in sources]
        if not rows:
            return
        table = self._home.table("sources", SOURCES)
        merge = table.merge_insert("key").when_matched_update_all().when_not_matched_insert_all()
        with self._home.writing():
            merge.execute(pa.Table.from_pylist(rows, schema=SOURCES))

    def known(self, instance: str, project: int, tasks: Sequence[int] | None = None) -> dict[tuple[int, str], str]:
        """{(task, stable URI): sha256} of a project, or of some of its tasks."""
        table = self._home.existing("sources")
        if table is None or tasks == []:
            return {}
        some = "" if tasks is None else f" AND task IN ({', '.join(map(str, tasks))})"
        query = table.search().where(f"instance = {quoted(instance)} AND project = {project}{some}")
        found = query.select(["task", "uri", "sha256"]).limit(table.count_rows() or 1).to_arrow()
        rows = zip(*(found.column(name).to_pylist() for name in ("task", "uri", "sha256")), strict=True)
        return {(task, uri): sha256 for task, uri, sha256 in rows}


def source_key(task: int, uri: str) -> tuple[int, str]:
    """The key of `Sources.known` for a task's URI as task data holds it."""
    return task, stable_uri(uri)


class Embeddings:
    """The embeddings of one embedder, rows (sha256, vector): a table of float32 and one of float16.

    Both are named by the embedder's fingerprint. A key may stand in both where two processes stored it at
    once: the float32 vector counts.
    """

    def __init__(self, home: Home, fingerprint: str, dimension: int) -> None:
        self._home = home
        self._dimension = dimension
        name = f"embeddings-{fingerprint}"
        self._names: dict[np.dtype[Any], str] = {np.dtype(np.float32): name, np.dtype(np.float16): f"{name}-float16"}

    @classmethod
    def of_fingerprint(cls, home: Home, fingerprint: str) -> Embeddings:
        """To read what is stored, where no embedder is loaded that knows its dimension."""
        found = cls(home, fingerprint, 0)
        for table in found._tables():
            found._dimension = table.schema.field("vector").type.list_size
        return found

    def add(self, hashes: Sequence[str], vectors: NDArray[np.float32]) -> None:
        """Store vectors (n, d) under their hashes, in float16 where that suits all of them.

        Keys that are there already stay as they are. What is new is appended, not merged: that is
        several times as fast, and merging too stores a key twice that two processes bring at once.
        """
        rows = first_rows(hashes)
        for sha256 in self._stored_of(list(rows)):
            del rows[sha256]
        if not rows:
            return
        new = vectors if len(rows) == len(vectors) else vectors[list(rows.values())]
        exact = np.ascontiguousarray(new, dtype=np.float32)
        halved = in_float16(exact)
        kept: NDArray[Any] = exact if halved is None else halved
        column = pa.FixedSizeListArray.from_arrays(pa.array(kept.reshape(-1)), self._dimension)
        schema = pa.schema([("sha256", pa.string()), ("vector", column.type)])
        added = pa.Table.from_arrays([pa.array(list(rows)), column], schema=schema)
        with self._home.writing():
            self._home.table(self._names[kept.dtype], schema).add(added)

    def stored(self) -> set[str]:
        """The hashes of all stored images."""
        return {sha256 for table in self._tables() for sha256 in columns(table, ["sha256"])["sha256"].to_pylist()}

    def holds(self, hashes: Iterable[str]) -> set[str]:
        """Those of these images that are stored: a search by key, where `stored` lists all keys."""
        wanted, found = sorted(set(hashes)), set[str]()
        for table in self._tables() if wanted else []:
            query = table.search().where(f"sha256 IN ({', '.join(map(quoted, wanted))})").select(["sha256"])
            found.update(query.limit(len(table) or 1).to_arrow()["sha256"].to_pylist())
        return found

    def read(self, hashes: Sequence[str]) -> NDArray[np.float32]:
        """Vectors (n, d) float32 in the order of `hashes`. Raises `KeyError` for one that is not stored.

        Memory: the result, READ_BYTES and the hashes of all that is stored.
        """
        return Stored(self._tables(), hashes, self._dimension).take(np.arange(len(hashes)))

    def few(self, hashes: Iterable[str]) -> dict[str, NDArray[np.float32]]:
        """Those of some images, as far as they are stored: a search by key, where `read` lists all keys first."""
        wanted = sorted(set(hashes))
        where = f"sha256 IN ({', '.join(map(quoted, wanted))})"
        found: dict[str, NDArray[np.float32]] = {}
        for table in reversed(self._tables() if wanted else []):  # float32 counts where a key stands in both
            rows = table.search().where(where).limit(len(table) or 1).to_arrow()
            vectors = rows["vector"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
            parts = vectors.astype(np.float32).reshape(-1, self._dimension)
            found |= dict(zip(rows["sha256"].to_pylist(), parts, strict=True))
        return found

    def source(self, hashes: Sequence[str]) -> VectorSource:
        """The same for a selection: in memory up to IN_MEMORY bytes, read in blocks beyond."""
        stored = Stored(self._tables(), hashes, self._dimension)
        n, d = stored.shape
        return Matrix(stored.take(np.arange(n))) if 4 * n * d <= IN_MEMORY else stored

    def _tables(self) -> list[lancedb.table.Table]:
        """The tables that are there, float32 first."""
        return [table for table in map(self._home.existing, self._names.values()) if table is not None]

    def _stored_of(self, hashes: list[str]) -> set[str]:
        found = (columns(table, ["sha256"])["sha256"] for table in self._tables())
        wanted = pa.array(hashes, pa.string())
        return {sha256 for keys in found for sha256 in keys.filter(pc.is_in(keys, value_set=wanted)).to_pylist()}
