"""A folder's SHA256SUMS, as sha256sum writes it and `installing` reads it."""

from __future__ import annotations

from pathlib import Path

from seedqueue.backend.offline.installing import SUMS, sha256


def write(folder: Path) -> int:
    """List every file below the folder but the list itself, sorted by name; the number of files."""
    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    lines = [f"{sha256(folder / name)}  {name}\n" for name in files if name != SUMS]
    (folder / SUMS).write_text("".join(lines), encoding="utf-8", newline="\n")
    return len(lines)
