"""Embeddings keyed by (embedder fingerprint, image hash), and where each image was found.

The same image is embedded once, ever; an unchanged URI is not even fetched again. Merges of the same
key from several processes at once can store it twice: readers take one row a key.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from seedqueue.backend.fetch import stable_uri
from seedqueue.backend.tables import Home, quoted

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
        merge.execute(pa.Table.from_pylist(rows, schema=SOURCES))

    def known(self, instance: str, project: int) -> dict[tuple[int, str], str]:
        """{(task, stable URI): sha256} of a project."""
        table = self._home.existing("sources")
        if table is None:
            return {}
        query = table.search().where(f"instance = {quoted(instance)} AND project = {project}")
        found = query.select(["task", "uri", "sha256"]).limit(table.count_rows()).to_arrow()
        columns = (found.column(name).to_pylist() for name in ("task", "uri", "sha256"))
        return {(task, uri): sha256 for task, uri, sha256 in zip(*columns, strict=True)}


def source_key(task: int, uri: str) -> tuple[int, str]:
    """The key of `Sources.known` for a task's URI as task data holds it."""
    return task, stable_uri(uri)


class Embeddings:
    """The embeddings of one embedder: one table named by its fingerprint, rows (sha256, vector)."""

    def __init__(self, home: Home, fingerprint: str, dimension: int) -> None:
        self._home = home
        self._name = f"embeddings-{fingerprint}"
        self._dimension = dimension
        self._schema = pa.schema([("sha256", pa.string()), ("vector", pa.list_(pa.float32(), dimension))])

    def add(self, hashes: Sequence[str], vectors: NDArray[np.float32]) -> None:
        """Store vectors (n, d) under their hashes; keys that are there already stay as they are."""
        if not hashes:
            return
        first = {sha256: row for row, sha256 in reversed(list(enumerate(hashes)))}
        flat = np.ascontiguousarray(vectors[list(first.values())], dtype=np.float32).reshape(-1)
        column = pa.FixedSizeListArray.from_arrays(pa.array(flat), self._dimension)
        rows = pa.Table.from_arrays([pa.array(list(first)), column], schema=self._schema)
        table = self._home.table(self._name, self._schema)
        table.merge_insert("sha256").when_not_matched_insert_all().execute(rows)

    def stored(self) -> set[str]:
        """The hashes of all stored images."""
        table = self._home.existing(self._name)
        if table is None:
            return set()
        found = table.search().select(["sha256"]).limit(table.count_rows() or 1).to_arrow()
        return set(found.column("sha256").to_pylist())

    def read(self, hashes: Sequence[str]) -> NDArray[np.float32]:
        """Vectors (n, d) float32 in the order of `hashes`. Raises `KeyError` for one that is not stored."""
        wanted: dict[str, list[int]] = {}
        for row, sha256 in enumerate(hashes):
            wanted.setdefault(sha256, []).append(row)
        vectors = np.empty((len(hashes), self._dimension), dtype=np.float32)
        table = self._home.table(self._name, self._schema)
        reader = table.search().limit(table.count_rows() or 1).to_batches(8192)
        for batch in reader:
            block = batch.column("vector").flatten().to_numpy(zero_copy_only=False)
            block = block.reshape(-1, self._dimension)
            for position, sha256 in enumerate(batch.column("sha256").to_pylist()):
                for row in wanted.pop(sha256, ()):  # one row a key: a repeat is skipped
                    vectors[row] = block[position]
        if wanted:
            raise KeyError(f"{len(wanted)} of {len(hashes)} embeddings are not stored, {next(iter(wanted))} first")
        return vectors
