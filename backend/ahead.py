"""Loading overlapped with computing: while a batch is worked on, threads load the next."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Loaded = TypeVar("Loaded")

FETCHES = 16  # threads that wait for images at once
BATCH = 32
AHEAD = 2


def ahead(threads: ThreadPoolExecutor, load: Callable[[Item], Loaded], items: Sequence[Item]) -> Iterator[list[Loaded]]:
    """Batches of 32 loaded items in order; two further batches are being loaded while the caller has one."""
    loading: deque[Iterator[Loaded]] = deque()
    for start in range(0, len(items), BATCH):
        loading.append(threads.map(load, items[start : start + BATCH]))
        if len(loading) > AHEAD:
            yield list(loading.popleft())
    for last in loading:
        yield list(last)
