"""What all processes of a test run share: made by the first that wants it, ended when the last is done."""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """One process at a time."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "alone.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def shared(folder: Path, start: Callable[[], None]) -> Iterator[None]:
    """A server for the length of the block, in a folder of its own; `start` runs in one process only.

    That process leaves the block when no other is in it: what it started may be ended then. A process that dies
    counts as having left.
    """
    ready = folder / "ready"
    with alone(folder):
        first = not ready.exists()
        if first:
            start()
            ready.touch()
        users = (folder / "users.lock").open("w")
        fcntl.flock(users, fcntl.LOCK_SH)
    try:
        yield
    finally:
        if first:
            with alone(folder):
                fcntl.flock(users, fcntl.LOCK_EX)
                ready.unlink()
        users.close()
