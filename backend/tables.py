"""LanceDB tables of the home: a folder, or an object store's URL."""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from seedqueue.backend import layout
from seedqueue.backend.errors import SeedqueueError

if TYPE_CHECKING:
    import lancedb

FOLDER = "lancedb"
KEYS = ("key", "sha256")  # a table whose first column is named so has one row a key
FRAGMENTS = 32  # so many files slow no reader down
KEPT = timedelta(days=1)  # no reader holds a version for longer; a busy home writes thousands of files a day
ATTEMPTS = 3
# How LanceDB tells of an object store that goes away in the middle of its work.
STORE_AWAY = ("generic s3 error", "generic gcs error", "generic microsoftazure error", "error sending request")
CACHE_BYTES = 16 * 2**20
# As the system says it; LanceDB passes its words on in errors of several kinds.
NOT_WRITABLE = (
    "no space left",
    "os error 28",
    "read-only file system",
    "os error 30",
    "permission denied",
    "os error 13",
    "quota exceeded",
    "os error 122",
)

Lock = Callable[[str], AbstractContextManager[None]]


class HomeUnreachable(SeedqueueError):
    status = 503

    def __init__(self, home: str, reason: str) -> None:
        super().__init__(
            f"The home {home} cannot be opened ({' '.join(reason.split())[:600]}). Set SEEDQUEUE_HOME to a bucket that "
            "exists, and credentials and address as its store wants them: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, "
            "AWS_REGION, AWS_ENDPOINT."
        )


class HomeNotWritable(SeedqueueError):
    """The disk is full, or the home may only be read. Passing: jobs wait for it."""

    status = 507

    def __init__(self, home: object, reason: str) -> None:
        super().__init__(
            f"Nothing can be written to the home {home} ({' '.join(reason.split())[-300:]}). Free some room there, or "
            "let this user write to it; what is under way goes on by itself then."
        )


class Home:
    """The place that survives everything: embeddings, sources, records."""

    def __init__(self, place: Path | str, lock: Lock | None = None) -> None:
        """Open a folder (`Path`) or an object store's URL (`str`).

        lock: by name, over all processes that may use this home; a folder brings its own where none is
        given. Raises `HomeUnreachable`.
        """
        # Not at the top: commands and web processes that need no table are spared its import.
        import lancedb

        self.place = place
        if isinstance(place, Path):
            folder = place / FOLDER
            with self.writing():
                folder.mkdir(parents=True, exist_ok=True)
            self._lock = lock or (lambda name: _file_lock(folder / "making.lock"))
            self._connection = lancedb.connect(folder, session=_session())
            self._check_layout()
            return
        if lock is None:
            raise ValueError(f"the home {place} is shared by machines: a lock over them must be given")
        self._lock = lock
        try:
            self._connection = lancedb.connect(f"{place}/{FOLDER}", session=_session())
        except (ValueError, RuntimeError) as error:
            raise HomeUnreachable(place, str(error)) from error
        self._check_layout()

    def _check_layout(self) -> None:
        """Migrate an older home; refuse a newer one. One without tables is new, one without the row of layout 1."""
        told = self.existing(layout.TABLE)
        found = 1 if told is None else int(told.to_arrow()["layout"].to_pylist()[-1])
        if found == layout.LAYOUT:
            return
        layout.steps(self.place, found)  # refuses before anything is locked
        with self._lock("migrating"):
            told = self.existing(layout.TABLE)
            found = 1 if told is None else int(told.to_arrow()["layout"].to_pylist()[-1])
            for step in layout.steps(self.place, found):
                layout.MIGRATIONS[step](self._connection)
            self._connection.create_table(layout.TABLE, data=layout.row(), mode="overwrite")

    def table(self, name: str, schema: pa.Schema) -> lancedb.table.Table:
        """The table, made on first use.

        Two processes must not make it at once: LanceDB commits the second making as an overwrite of the
        first, with the rows that were added meanwhile. It does so on an object store too. Raises
        `HomeLayoutDiffers` for one with other columns, `HomeNotWritable`.
        """
        found = self.existing(name)
        if found is not None:
            layout.check_schema(self.place, name, found.schema, schema)
            return found
        with self.writing(), self._lock(f"making-{name}"):
            found = self.existing(name)  # made while we waited; an empty table is false, hence not `or`
            if found is not None:
                return found
            if self.existing(layout.TABLE) is None:
                self._connection.create_table(layout.TABLE, data=layout.row())
            return self._connection.create_table(name, schema=schema)

    def begin_restoring(self) -> None:
        """A home that says a layout of its own until `end_restoring`: one that was filled in part is refused."""
        unfinished = layout.row().set_column(0, "layout", pa.array([layout.UNFINISHED], pa.int64()))
        with self.writing():
            self._connection.create_table(layout.TABLE, data=unfinished)

    def end_restoring(self) -> None:
        with self.writing():
            self._connection.create_table(layout.TABLE, data=layout.row(), mode="overwrite")

    def names(self) -> list[str]:
        """The tables that are there."""
        return sorted(self._connection.list_tables().tables)

    def existing(self, name: str) -> lancedb.table.Table | None:
        """The table as it is now, or None where nobody has written it yet. It stays at that version."""
        try:
            return self._connection.open_table(name)
        except ValueError as error:
            if is_away(error):  # which says nothing of what it holds
                raise HomeUnreachable(str(self.place), str(error)) from error
            # It stands in a cycle with the frames of our callers, which would keep what they read in memory.
            error.__traceback__ = None
            return None

    @contextmanager
    def writing(self) -> Iterator[None]:
        """What a full disk, or one that may only be read, says becomes `HomeNotWritable`."""
        try:
            yield
        except (OSError, RuntimeError, ValueError) as error:
            if any(sign in str(error).lower() for sign in NOT_WRITABLE):
                raise HomeNotWritable(self.place, str(error)) from error
            raise

    def compact(self) -> None:
        """Drop repeated keys, merge small fragments, and forget versions of a day ago.

        Readers go on meanwhile with the version they opened. Writers too: where one gets in our way again
        and again, the rest is left for the next time.
        """
        for name in self.names():
            if name == layout.TABLE:
                continue
            for _ in range(ATTEMPTS):
                try:
                    _compact(self._connection.open_table(name))
                    break
                except RuntimeError as error:
                    if not _overtaken(error):
                        raise


def is_away(error: Exception) -> bool:
    """Whether LanceDB tells that an object store does not answer."""
    return any(sign in str(error).lower() for sign in STORE_AWAY)


def _session() -> lancedb.Session:
    """With small caches: LanceDB's own keep every version of every table that was ever opened, up to gigabytes."""
    import lancedb

    return lancedb.Session(index_cache_size_bytes=CACHE_BYTES, metadata_cache_size_bytes=CACHE_BYTES)


def columns(table: lancedb.table.Table, names: Sequence[str]) -> pa.Table:
    """These columns of all rows, and `_rowid`."""
    return table.search().select(list(names)).with_row_id(True).limit(table.count_rows() or 1).to_arrow()


def quoted(text: str) -> str:
    """A string literal of LanceDB's filter language."""
    return "'" + text.replace("'", "''") + "'"


def _compact(table: lancedb.table.Table) -> None:
    key = table.schema.names[0]
    if key in KEYS and (surplus := _surplus(columns(table, [key]), key)):
        table.delete(f"_rowid IN ({', '.join(map(str, surplus))})")
    # Each time rewrites the whole table up to a million rows, and what it replaces stays for a day.
    if table.stats()["fragment_stats"]["num_fragments"] >= FRAGMENTS:
        table.optimize(cleanup_older_than=KEPT)


def _surplus(rows: pa.Table, key: str) -> list[int]:
    """The ids of all rows of a key but its newest.

    Row ids grow with time and are never used again. So what two compactions delete at once never adds up
    to all rows of a key, and an id that a rewrite has replaced meanwhile deletes nothing.
    """
    newest = rows.group_by(key).aggregate([("_rowid", "max")]).column("_rowid_max").to_numpy()
    surplus: list[int] = np.setdiff1d(rows.column("_rowid").to_numpy(), newest).tolist()
    return surplus


def _overtaken(error: RuntimeError) -> bool:
    """Whether LanceDB refused a commit since other processes committed first."""
    return any(sign in str(error).lower() for sign in ("commit conflict", "too many concurrent writers"))


@contextmanager
def _file_lock(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
