"""The home in one file: a tar of its tables as Arrow streams, with a manifest of their hashes.

Taken while all runs: each table is read at one version. Records come first and what they name after them, since
weights and embeddings are written before the rows that name them: whatever a copied row names is in the copy too.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pyarrow as pa

from seedqueue.backend.errors import SeedqueueError
from seedqueue.backend.layout import LAYOUT, TABLE
from seedqueue.backend.tables import Home

FIRST = ("records", "maps", "sources")  # they name what is in the others
MANIFEST = "manifest.json"
BATCH_ROWS = 4096
READ_BYTES = 2**20


class HomeNotEmpty(SeedqueueError):
    status = 409

    def __init__(self, home: object, tables: list[str]) -> None:
        super().__init__(
            f"The home {home} holds {len(tables)} tables already ({', '.join(tables[:3])} ...): a backup is restored "
            "into an empty one. Set SEEDQUEUE_HOME to a new place."
        )


class BackupUnusable(SeedqueueError):
    status = 422

    def __init__(self, file: Path, reason: str) -> None:
        super().__init__(f"The backup {file} cannot be restored: {reason}. Nothing was written; take another one.")


def back_up(home: Home, file: Path) -> dict[str, Any]:
    """Write all tables to `file`, which appears only once it is whole; the manifest. Raises `FileExistsError`."""
    if file.exists():
        raise FileExistsError(file)
    names = [name for name in home.names() if name != TABLE]
    ordered = [name for name in FIRST if name in names] + [name for name in names if name not in FIRST]
    told: dict[str, Any] = {}
    partial = file.with_name(f"{file.name}.part")
    try:
        partial.touch(mode=0o600)  # it holds who labelled what
        with tarfile.open(partial, "w") as archive:
            for name in ordered:
                with tempfile.TemporaryFile(dir=file.parent) as stream:
                    told[name] = _write(home, name, stream)
                    stream.seek(0)
                    entry = tarfile.TarInfo(f"{name}.arrows")
                    entry.size = told[name]["bytes"]
                    archive.addfile(entry, stream)
            at = datetime.now(UTC).isoformat(timespec="seconds")
            manifest = {"layout": LAYOUT, "seedqueue": version("seedqueue"), "made": at, "tables": told}
            content = json.dumps(manifest, indent=1).encode()
            entry = tarfile.TarInfo(MANIFEST)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)
    return manifest


def restore(home: Home, file: Path) -> dict[str, Any]:
    """Fill an empty home from a backup, once all of it was found whole; the manifest.

    Raises `HomeNotEmpty`, `BackupUnusable`.
    """
    if present := home.names():
        raise HomeNotEmpty(home.place, present)
    with _opened(file) as archive:
        try:
            manifest = _checked(archive, file)
        except (ValueError, KeyError, TypeError, AttributeError) as error:  # the manifest says no sense
            raise BackupUnusable(file, f"its manifest is damaged ({type(error).__name__}: {error})") from error
        home.begin_restoring()
        # Records last: before them nothing counts.
        for name in sorted(manifest["tables"], key=lambda one: (one in FIRST, one == "records")):
            with pa.ipc.open_stream(_entry(archive, name)) as stream:
                table = home.table(name, stream.schema)
                for batch in stream:
                    with home.writing():
                        table.add(pa.Table.from_batches([batch]))
    home.end_restoring()
    home.compact()
    return manifest


def _write(home: Home, name: str, sink: Any) -> dict[str, Any]:
    """One table at the version that it has now; how many rows and bytes, and their SHA-256."""
    table, rows = home.existing(name), 0
    if table is None:
        raise BackupUnusable(Path(name), "the table went away meanwhile")
    hashing = _Hashing(sink)
    with pa.ipc.new_stream(hashing, table.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as stream:
        for batch in table.search().limit(table.count_rows() or 1).to_batches(BATCH_ROWS):
            stream.write_batch(batch.select(table.schema.names))
            rows += batch.num_rows
    return {"rows": rows, "bytes": hashing.written, "sha256": hashing.digest.hexdigest()}


class _Hashing(io.RawIOBase):
    """Passes on what is written, and hashes it."""

    def __init__(self, sink: Any) -> None:
        self.sink, self.digest, self.written = sink, hashlib.sha256(), 0

    def writable(self) -> bool:
        return True

    def write(self, content: Any) -> int:
        block = bytes(content)
        self.sink.write(block)
        self.digest.update(block)
        self.written += len(block)
        return len(block)


@contextmanager
def _opened(file: Path) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(file, "r:") as archive:
            yield archive
    except (tarfile.TarError, EOFError, FileNotFoundError) as error:
        raise BackupUnusable(file, f"it is no backup, or not a whole one ({error})") from error


def _checked(archive: tarfile.TarFile, file: Path) -> dict[str, Any]:
    """The manifest, all that it names found whole. Raises `BackupUnusable`."""
    if MANIFEST not in archive.getnames():
        raise BackupUnusable(file, "its manifest is missing: it was cut short")
    told = archive.extractfile(MANIFEST)
    assert told is not None
    manifest: dict[str, Any] = json.load(told)
    if manifest["layout"] != LAYOUT:
        raise BackupUnusable(file, f"it has layout {manifest['layout']}, this seedqueue knows {LAYOUT}")
    for name, stated in manifest["tables"].items():
        digest, stream = hashlib.sha256(), _entry(archive, name)
        while block := stream.read(READ_BYTES):
            digest.update(block)
        if digest.hexdigest() != stated["sha256"]:
            raise BackupUnusable(file, f"its table {name!r} is damaged")
    return manifest


def _entry(archive: tarfile.TarFile, name: str) -> Any:
    found = archive.extractfile(f"{name}.arrows")
    assert found is not None
    return found
