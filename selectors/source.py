"""Where a selector's embeddings come from: a matrix in memory, or a store that is read in blocks.

A million embeddings of 1024 numbers take 4 GB. Nothing here ever asks for all of them at once.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from seedqueue.selectors.errors import InvalidEmbeddings
from seedqueue.selectors.selection import Embeddings, Rows

# Values read at once: 64 MiB of float32, which are 2**14 rows of 1024; of narrower rows there are no more.
BLOCK_CELLS = 2**24
BLOCK_ROWS = 2**14


class Source(ABC):
    """n embeddings of d numbers."""

    @property
    @abstractmethod
    def shape(self) -> tuple[int, int]:
        """(n, d)."""

    @abstractmethod
    def take(self, rows: Rows) -> Embeddings:
        """The embeddings of these rows in this order, float32 (len(rows), d)."""


class Matrix(Source):
    """A source in memory: float32 (n, d), never written to, copied only where the type demands it.

    Raises InvalidEmbeddings for what is no matrix of numbers.
    """

    def __init__(self, embeddings: npt.ArrayLike) -> None:
        given = np.asarray(embeddings)
        if given.ndim != 2:
            raise InvalidEmbeddings(f"{given.ndim} dimensions")
        if given.dtype.kind not in "fiu":
            raise InvalidEmbeddings(f"values of type {given.dtype}")
        if given.shape[1] == 0:
            raise InvalidEmbeddings("no columns")
        with np.errstate(over="ignore"):  # what overflows becomes infinite and is named by `blocks`
            matrix = np.ascontiguousarray(given, dtype=np.float32)
        self._matrix = matrix.view()
        self._matrix.flags.writeable = False

    @property
    def shape(self) -> tuple[int, int]:
        return (len(self._matrix), self._matrix.shape[1])

    def take(self, rows: Rows) -> Embeddings:
        return self._matrix[rows]


class Reordered(Source):
    """A source in another order: row i is row order[i] of the other."""

    def __init__(self, source: Source, order: Rows) -> None:
        self._source = source
        self._order = order

    @property
    def shape(self) -> tuple[int, int]:
        return (len(self._order), self._source.shape[1])

    def take(self, rows: Rows) -> Embeddings:
        return self._source.take(self._order[rows])


def blocks(source: Source) -> Iterator[tuple[slice, Embeddings]]:
    """All rows in order, a block at a time: (slice, float32 (rows, d))."""
    n, d = source.shape
    step = max(1, min(BLOCK_ROWS, BLOCK_CELLS // d))
    for start in range(0, n, step):
        part = slice(start, min(start + step, n))
        yield part, source.take(np.arange(part.start, part.stop))


def check_finite(source: Source) -> None:
    """Raise InvalidEmbeddings where a value is NaN or infinite, naming the first row."""
    bad = [part.start + np.flatnonzero(~np.isfinite(block).all(axis=1)) for part, block in blocks(source)]
    rows = np.concatenate(bad) if bad else np.empty(0)
    if len(rows):
        raise InvalidEmbeddings(f"NaN or infinite values in {len(rows)} rows, the first is row {rows[0]}")
