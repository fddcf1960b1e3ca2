"""A million embeddings that nobody holds in memory: `kmeans` on a file of float16, in a process of its own."""

from __future__ import annotations

import cProfile
import json
import pstats
import sys
import time
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from seedqueue.backend.bench.contestant import child
from seedqueue.backend.bench.synthetic import DIMENSIONS, write_float16
from seedqueue.models.memory import peak_mb, resident_mb
from seedqueue.selectors.choosing import select
from seedqueue.selectors.selection import Embeddings, Rows
from seedqueue.selectors.source import Source

ROWS, BUDGET = 1_000_000, 1000

# Whose time is told apart, all that they call included.
PARTS = ("check_finite", "fit_scaler", "represent", "kmeans_clusters", "nearest_to_centroid", "coverage_order")


@dataclass(frozen=True)
class Streamed:
    """core_seconds of each part, and all told; memory_mb: the peak of the whole process."""

    core_seconds: float
    minutes: float
    memory_mb: float
    before_mb: float
    parts: dict[str, float]


class Float16File(Source):
    """Rows of float16 in a plain file, read when they are asked for: a memory map would count as resident."""

    def __init__(self, file: Path, columns: int) -> None:
        self._file = file
        self._columns = columns

    @property
    def shape(self) -> tuple[int, int]:
        return self._file.stat().st_size // (2 * self._columns), self._columns

    def take(self, rows: Rows) -> Embeddings:
        """float32 (m, columns); each run of neighbours is read at once."""
        found = np.empty((len(rows), self._columns), dtype=np.float32)
        starts = np.flatnonzero(np.diff(rows, prepend=-2) != 1).tolist()
        with self._file.open("rb", buffering=0) as file:
            for start, end in pairwise([*starts, len(rows)]):
                file.seek(int(rows[start]) * 2 * self._columns)
                count = (end - start) * self._columns
                found[start:end] = np.fromfile(file, dtype=np.float16, count=count).reshape(-1, self._columns)
        return found


def run(folder: Path, rows: int, budget: int) -> Streamed:
    """Draw the file in `folder`, choose from it in a child process; raises ContestantFailed."""
    file = folder / "million.float16"
    write_float16(file, rows)
    try:
        return Streamed(**json.loads(child("seedqueue.backend.bench.million", f"{budget}:{file}", "a million rows")))
    finally:
        file.unlink()


def measure(file: Path, budget: int) -> Streamed:
    """In this process, one thread. The profiler, of processor time, sees a few thousand calls: it costs nothing."""
    profile = cProfile.Profile(time.process_time)
    before, clock, began = resident_mb(), time.monotonic(), time.process_time()
    profile.runcall(select, "kmeans", Float16File(file, DIMENSIONS), budget)
    spent, minutes = time.process_time() - began, (time.monotonic() - clock) / 60
    # The type stubs do not know `stats`: (file, line, function) to (calls, primitive calls, own, cumulative, callers).
    stats = vars(pstats.Stats(profile))["stats"]
    parts = {
        name: round(sum(entry[3] for key, entry in stats.items() if key[2] == name and "selectors" in key[0]), 1)
        for name in PARTS
    }
    return Streamed(spent, minutes, peak_mb(), before, parts)


if __name__ == "__main__":
    asked, _, path = sys.argv[1].partition(":")
    print(json.dumps(asdict(measure(Path(path), int(asked)))))
