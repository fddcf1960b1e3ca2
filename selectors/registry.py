"""The selectors by name. One new file in first_round/ or later_rounds/ is one new selector.

Every module of these folders is imported at the first use, then the entry points of the group
`seedqueue.selectors`, so that another package can bring its own. The folders hold no
__init__.py: `selectors/__init__.py` would shadow the standard library's `selectors`.
"""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Protocol

from seedqueue.selectors.errors import UnknownSelector
from seedqueue.selectors.pool import Pool
from seedqueue.selectors.representation import Representation
from seedqueue.selectors.selection import Selection
from seedqueue.selectors.signals import SignalName

ENTRY_POINTS = "seedqueue.selectors"
FOLDERS = ("first_round", "later_rounds")


class SelectorFunction(Protocol):
    """What a selector's author writes.

    pool: checked and represented; `pool.allowance.take(row)` is asked before each row.
    budget: at least 1, at most what may be chosen. Fewer rows may come back where the allowance
    refused the others: what is missing is filled up by what covers the pool best.
    seed: the random seed; the same arguments give the same selection.
    """

    def __call__(self, pool: Pool, budget: int, *, seed: int) -> Selection: ...


@dataclass(frozen=True)
class SelectorEntry:
    """One registered selector.

    offered: shown in menus; the others are for comparison and only experiments list them.
    greedy: `select(60)[:40]` equals `select(40)`: a prefix of the queue is the smaller queue.
    needs: what must be known of the rows beside their embeddings.
    """

    name: str
    title: str
    summary: str
    representation: Representation
    offered: bool
    greedy: bool
    needs: tuple[SignalName, ...]
    function: SelectorFunction

    @property
    def first_round(self) -> bool:
        """Whether it can choose a seed queue: it asks for no predictions of a trained head."""
        return set(self.needs) <= {"weak_labels"}


_entries: dict[str, SelectorEntry] = {}


def register(
    name: str,
    *,
    representation: Representation,
    title: str,
    summary: str,
    offered: bool,
    greedy: bool = False,
    needs: tuple[SignalName, ...] = (),
) -> Callable[[SelectorFunction], SelectorFunction]:
    """Decorate a selector to list it under `name`.

    Raises ValueError when another function holds the name already.
    """

    def add(function: SelectorFunction) -> SelectorFunction:
        if name in _entries and _entries[name].function is not function:
            raise ValueError(f"two selectors are named {name!r}: rename one")
        _entries[name] = SelectorEntry(name, title, summary, representation, offered, greedy, needs, function)
        return function

    return add


def names() -> tuple[str, ...]:
    """The registered names, sorted."""
    _discover()
    return tuple(sorted(_entries))


def entries() -> tuple[SelectorEntry, ...]:
    """The registered selectors, sorted by name."""
    return tuple(_entries[name] for name in names())


def get(name: str) -> SelectorEntry:
    """The entry of that name; raises UnknownSelector, which lists the known ones."""
    known = names()
    if name not in known:
        raise UnknownSelector(name, known)
    return _entries[name]


@cache
def _discover() -> None:
    here, package = Path(__file__).parent, __name__.rpartition(".")[0]
    for folder in FOLDERS:
        import_folder(here / folder, f"{package}.{folder}")
    import_plugins()


def import_folder(folder: Path, package: str) -> None:
    """Import every module of a folder as a member of `package`; each registers itself."""
    for module in pkgutil.iter_modules([str(folder)]):
        importlib.import_module(f"{package}.{module.name}")


def import_plugins() -> None:
    """Import what other installed packages declare in the entry-point group."""
    for plugin in entry_points(group=ENTRY_POINTS):
        plugin.load()
