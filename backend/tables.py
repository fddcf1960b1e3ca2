"""LanceDB tables of the home."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    import lancedb

FOLDER = "lancedb"


class Home:
    """The folder (or object store) that survives everything: embeddings, sources, records."""

    def __init__(self, path: Path | str) -> None:
        # Not at the top: a worker forks RQ's scheduler first, and LanceDB does not survive a fork.
        import lancedb

        self._connection = lancedb.connect(f"{str(path).rstrip('/')}/{FOLDER}")

    def table(self, name: str, schema: pa.Schema) -> lancedb.table.Table:
        """The table, made on first use; two processes that make it at once get the same one."""
        return self._connection.create_table(name, schema=schema, exist_ok=True)

    def existing(self, name: str) -> lancedb.table.Table | None:
        """The table, or None where nobody has written it yet."""
        try:
            return self._connection.open_table(name)
        except ValueError:
            return None

    def compact(self) -> None:
        """Merge the small fragments that every append and merge leaves, and forget versions of a week ago."""
        for name in self._connection.list_tables().tables:
            self._connection.open_table(name).optimize()


def quoted(text: str) -> str:
    """A string literal of LanceDB's filter language."""
    return "'" + text.replace("'", "''") + "'"
