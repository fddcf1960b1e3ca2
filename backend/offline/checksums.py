"""A folder's SHA256SUMS, as sha256sum writes it."""

from __future__ import annotations

import hashlib
from pathlib import Path

NAME = "SHA256SUMS"


def write(folder: Path) -> int:
    """List every file below the folder but the list itself, sorted by name; the number of files."""
    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    lines = [f"{sha256(folder / name)}  {name}\n" for name in files if name != NAME]
    (folder / NAME).write_text("".join(lines), encoding="utf-8", newline="\n")
    return len(lines)


def sha256(path: Path) -> str:
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
