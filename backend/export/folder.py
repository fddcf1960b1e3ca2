"""A folder that is written beside its name and put in place when it is whole."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from seedqueue.backend.errors import FolderUnusable
from seedqueue.backend.export.errors import NoRoom, NotOurExport

MANIFEST = "manifest.json"
MADE_BY = "seedqueue"
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def replaced(out: Path, owner: dict[str, Any]) -> Iterator[Path]:
    """A new folder to write to; it takes the place of `out` at the end, and goes away where there was an error.

    owner: what the manifest of an export that may be replaced says, {"label_studio": ..., "project": ...}. Raises
    `NotOurExport`, `NoRoom`, `FolderUnusable`.
    """
    place = out.resolve()
    part, old = (place.with_name(f".{place.name}.{kind}") for kind in (f"{os.getpid()}.part", "old"))
    with _named(out):
        place.parent.mkdir(parents=True, exist_ok=True)
        if old.exists() and not place.exists():  # an export was killed between its two last steps
            old.rename(place)
        _check(place, owner)
        shutil.rmtree(part, ignore_errors=True)  # of an export that was killed: in a container numbers come again
        part.mkdir()
    try:
        with _named(out):
            yield part
            _check(place, owner)
            _swap(part, place, old)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def check(out: Path, owner: dict[str, Any]) -> None:
    """What `replaced` would refuse, before anything is read. Raises `NotOurExport`, `FolderUnusable`."""
    with _named(out):
        _check(out.resolve(), owner)


def _swap(part: Path, place: Path, old: Path) -> None:
    shutil.rmtree(old, ignore_errors=True)
    if place.exists():
        place.rename(old)
    try:
        part.rename(place)
    except OSError:
        if old.exists():
            old.rename(place)
        raise
    shutil.rmtree(old, ignore_errors=True)


@contextmanager
def _named(out: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        if error.errno in _FULL:
            raise NoRoom(out, reason) from error
        raise FolderUnusable(out, reason) from error


def _check(place: Path, owner: dict[str, Any]) -> None:
    """Raises `NotOurExport` where something else stands there."""
    if not place.exists():
        return
    if not place.is_dir():
        raise NotOurExport(place, "it is a file")
    there = {one.relative_to(place).as_posix() for one in place.rglob("*") if not one.is_dir()}
    if not there:
        return
    try:
        manifest = json.loads((place / MANIFEST).read_bytes())
        said = {name: manifest.get(name) for name in ("made_by", *owner)}
        ours = {MANIFEST, *manifest["files"]}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise NotOurExport(place, "it holds no export of ours") from error
    if said != {"made_by": MADE_BY, **owner}:
        raise NotOurExport(place, f"it holds the export of project {said.get('project')}")
    if foreign := sorted(there - ours):
        raise NotOurExport(place, f"it also holds {foreign[0]}, which is not of the export")
