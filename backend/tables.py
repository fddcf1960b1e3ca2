"""LanceDB tables of the home."""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    import lancedb

FOLDER = "lancedb"


class Home:
    """The folder that survives everything: embeddings, sources, records."""

    def __init__(self, path: Path) -> None:
        # Not at the top: commands and web processes that need no table are spared its import.
        import lancedb

        self._folder = Path(path) / FOLDER
        self._folder.mkdir(parents=True, exist_ok=True)
        self._connection = lancedb.connect(self._folder)

    def table(self, name: str, schema: pa.Schema) -> lancedb.table.Table:
        """The table, made on first use.

        Two processes must not make it at once: LanceDB commits the second making as an overwrite of the
        first, with the rows that were added meanwhile.
        """
        found = self.existing(name)
        if found is not None:
            return found
        with (self._folder / "making.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            found = self.existing(name)  # made while we waited; an empty table is false, hence not `or`
            return self._connection.create_table(name, schema=schema) if found is None else found

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
