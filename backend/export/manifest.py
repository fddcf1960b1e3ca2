"""The manifest: what is in an export, by its hash, and what it was made from. No time of now is in it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from seedqueue.backend.export.folder import MADE_BY, MANIFEST

FORMAT = 1


def hashes(folder: Path) -> dict[str, str]:
    """{name in the folder: SHA-256} of every file, by name."""
    files = sorted((one.relative_to(folder).as_posix(), one) for one in folder.rglob("*") if one.is_file())
    found: dict[str, str] = {}
    for name, file in files:
        with file.open("rb") as opened:
            found[name] = hashlib.file_digest(opened, "sha256").hexdigest()
    return found


def write_manifest(folder: Path, owner: Mapping[str, Any], told: Mapping[str, Any]) -> str:
    """Write it behind all other files; its own SHA-256.

    owner: the Label Studio and the project. told: choices, classes, counts. The fingerprint is the SHA-256 of the lines
    "hash  name", as sha256sum writes and checks them.
    """
    files = hashes(folder)
    lines = "".join(f"{sha256}  {name}\n" for name, sha256 in files.items())
    content = {
        "made_by": MADE_BY,
        "format": FORMAT,
        "version": version("seedqueue"),
        **owner,
        **told,
        "fingerprint": hashlib.sha256(lines.encode(errors="backslashreplace")).hexdigest(),
        "files": files,
    }
    written = as_bytes(content)
    (folder / MANIFEST).write_bytes(written)
    return hashlib.sha256(written).hexdigest()


def as_bytes(content: Any, indent: int | None = 1) -> bytes:
    """JSON as it is written everywhere here: never NaN, which is no JSON; half characters as escapes."""
    text = json.dumps(content, ensure_ascii=False, indent=indent, allow_nan=False)
    return f"{text}\n".encode(errors="backslashreplace")
