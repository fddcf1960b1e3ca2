"""Weights of heads in the home, named by their hash: written before the row that names them, never changed."""

from __future__ import annotations

import hashlib

import pyarrow as pa

from seedqueue.backend.learning_errors import WeightsOfVersionLost
from seedqueue.backend.tables import Home, quoted

TABLE = "heads"
PART_BYTES = 8 * 2**20  # a row of a table is no place for half a gigabyte

SCHEMA = pa.schema([("blob", pa.string()), ("part", pa.int64()), ("content", pa.large_binary())])


class Blobs:
    """Content by its SHA-256, in a table of the home: a folder and an object store alike."""

    def __init__(self, home: Home) -> None:
        self._home = home

    def put(self, content: bytes) -> str:
        """Store it in one append, so that it is there wholly or not at all; its SHA-256."""
        sha256 = hashlib.sha256(content).hexdigest()
        if not self._holds(sha256):
            parts = [content[start : start + PART_BYTES] for start in range(0, max(1, len(content)), PART_BYTES)]
            rows = {"blob": [sha256] * len(parts), "part": list(range(len(parts))), "content": parts}
            with self._home.writing():
                self._home.table(TABLE, SCHEMA).add(pa.Table.from_pydict(rows, schema=SCHEMA))
        return sha256

    def get(self, sha256: str) -> bytes:
        """The content. Raises `WeightsOfVersionLost` where it is not there or damaged."""
        table = self._home.existing(TABLE)
        found: dict[int, bytes] = {}
        if table is not None:
            query = table.search().where(f"blob = {quoted(sha256)}").limit(table.count_rows() or 1)
            found = {row["part"]: row["content"] for row in query.to_arrow().to_pylist()}
        content = b"".join(found[part] for part in sorted(found))
        if not found or hashlib.sha256(content).hexdigest() != sha256:
            raise WeightsOfVersionLost(sha256)
        return content

    def _holds(self, sha256: str) -> bool:
        table = self._home.existing(TABLE)
        return table is not None and bool(table.count_rows(f"blob = {quoted(sha256)}"))
