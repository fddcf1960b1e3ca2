"""Which layout a home has: read when it is opened, written when its first table is made, never guessed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import Any

import pyarrow as pa

from seedqueue.backend.errors import SeedqueueError

LAYOUT = 1
UNFINISHED = 0  # while a backup is being restored
TABLE = "layout"
SCHEMA = pa.schema([("layout", pa.int64()), ("seedqueue", pa.string())])

# From a layout to the next one: called with the LanceDB connection, once, under a lock. None is needed yet.
MIGRATIONS: Mapping[int, Callable[[Any], None]] = {}


class HomeLayoutDiffers(SeedqueueError):
    """The home was written by another version of seedqueue, in a form that this one cannot read for certain."""

    status = 500

    def __init__(self, home: object, found: str, known: str, mend: str) -> None:
        super().__init__(f"The home {home} has {found}; this seedqueue knows {known}. {mend}")


def row() -> pa.Table:
    """What a home says of itself."""
    return pa.Table.from_pylist([{"layout": LAYOUT, "seedqueue": version("seedqueue")}], schema=SCHEMA)


def steps(home: object, found: int, migrations: Mapping[int, Callable[[Any], None]] = MIGRATIONS) -> list[int]:
    """The layouts to migrate from, one after the other; none where the home is of this layout.

    Raises `HomeLayoutDiffers` for a newer one, and where a migration is missing.
    """
    known = f"layout {LAYOUT}"
    if found == UNFINISHED:
        raise HomeLayoutDiffers(home, "a restore that was cut short", known, "Restore into another, empty home.")
    if found > LAYOUT:
        mend = "Install the version that wrote it, or restore a backup that this one made."
        raise HomeLayoutDiffers(home, f"layout {found}", known, mend)
    needed = list(range(found, LAYOUT))
    if missing := [one for one in needed if one not in migrations]:
        mend = f"Nothing leads from layout {missing[0]} to it: start with a new home, or install the earlier version."
        raise HomeLayoutDiffers(home, f"layout {found}", known, mend)
    return needed


def check_schema(home: object, name: str, found: pa.Schema, expected: pa.Schema) -> None:
    """Refuse a table whose columns are others than this version writes. Raises `HomeLayoutDiffers`."""
    if found.equals(expected):
        return
    have, want = ({field.name: str(field.type) for field in schema} for schema in (found, expected))
    differing = sorted(column for column in have.keys() | want.keys() if have.get(column) != want.get(column))
    told = ", ".join(f"{column}: {have.get(column, 'absent')}" for column in differing)
    known = ", ".join(f"{column}: {want.get(column, 'none')}" for column in differing)
    mend = "Install the version that wrote it, or start with a new home."
    raise HomeLayoutDiffers(home, f"a table {name!r} with {told}", known, mend)
