"""The selectors by name. One new file in this folder is one new selector.

Every module of the folder is imported at the first use, then the entry points of the group
`seedqueue.selectors`, so that another package can bring its own. The folder holds no
__init__.py: it would shadow the standard library's `selectors`.
"""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Protocol

import numpy.typing as npt
from threadpoolctl import threadpool_limits

from seedqueue.selectors.checks import check_promise, checked_budget, checked_embeddings, checked_labelled
from seedqueue.selectors.errors import UnknownSelector
from seedqueue.selectors.representation import Representation, represent
from seedqueue.selectors.selection import Embeddings, Rows, Selection

ENTRY_POINTS = "seedqueue.selectors"


class SelectorFunction(Protocol):
    """What a selector's author writes; the arguments come checked and represented.

    embeddings: float32 (n, d), finite, in the entry's representation, not to be written to.
    budget: 1 <= budget <= n - len(labelled).
    labelled: int64, sorted, distinct.
    seed: the random seed; the same arguments give the same selection.
    """

    def __call__(self, embeddings: Embeddings, budget: int, *, labelled: Rows, seed: int) -> Selection: ...


@dataclass(frozen=True)
class SelectorEntry:
    """One registered selector.

    offered: shown in menus; the others are for comparison and only the experiments list them.
    greedy: `select(60)[:40]` equals `select(40)`: a prefix of the queue is the smaller queue.
    """

    name: str
    title: str
    summary: str
    representation: Representation
    offered: bool
    greedy: bool
    function: SelectorFunction


_entries: dict[str, SelectorEntry] = {}


def register(
    name: str,
    *,
    representation: Representation,
    title: str,
    summary: str,
    offered: bool,
    greedy: bool = False,
) -> Callable[[SelectorFunction], SelectorFunction]:
    """Decorate a selector to list it under `name`.

    Raises ValueError when another function holds the name already.
    """

    def add(function: SelectorFunction) -> SelectorFunction:
        if name in _entries and _entries[name].function is not function:
            raise ValueError(f"two selectors are named {name!r}: rename one")
        _entries[name] = SelectorEntry(name, title, summary, representation, offered, greedy, function)
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


def select(
    name: str,
    embeddings: npt.ArrayLike,
    budget: int,
    *,
    labelled: npt.ArrayLike = (),
    seed: int = 0,
) -> Selection:
    """Choose `budget` rows with the selector `name`.

    embeddings: (n, d), finite; taken as float32 and never written to. labelled: rows that have
    an annotation already, in any order; they are covered ground and never chosen. Extending a
    queue is selecting with the queue's rows among the labelled, and appending.

    Returns exactly `budget` distinct, unlabelled rows. The result depends on the order of the
    rows: sort them by content first where tasks come in any order.

    Raises UnknownSelector, InvalidBudget, BudgetExceedsPool, InvalidEmbeddings,
    InvalidLabelledRows; BrokenSelector when the selector breaks its promise.
    """
    entry = get(name)
    matrix = checked_embeddings(embeddings)
    covered = checked_labelled(labelled, len(matrix))
    count = checked_budget(budget, available=len(matrix) - len(covered))
    # One thread: sums over threads round differently, and the queue must not depend on the
    # machine's core count. It is also the faster choice on shared cores.
    with threadpool_limits(limits=1):
        represented = represent(matrix, entry.representation)
        selection = entry.function(represented, count, labelled=covered, seed=seed)
    check_promise(name, selection, count, covered, len(matrix))
    return selection


@cache
def _discover() -> None:
    import_folder(Path(__file__).parent, __name__.rpartition(".")[0])
    import_plugins()


def import_folder(folder: Path, package: str) -> None:
    """Import every module of a folder as a member of `package`; each registers itself."""
    for module in pkgutil.iter_modules([str(folder)]):
        importlib.import_module(f"{package}.{module.name}")


def import_plugins() -> None:
    """Import what other installed packages declare in the entry-point group."""
    for plugin in entry_points(group=ENTRY_POINTS):
        plugin.load()
