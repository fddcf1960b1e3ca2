"""One contestant of `seedqueue bench select` in a process of its own: `python -m` this with a task as JSON.

So that no one's memory hides another's, and libraries that each bring OpenMP do not meet.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from seedqueue.backend.bench.choosers import chooser
from seedqueue.backend.errors import SeedqueueError
from seedqueue.backend.settings import child_environment
from seedqueue.models.memory import forget_peak, peak_mb, resident_mb
from seedqueue.selectors.coverage import gap_to, nearest_row

# Rows of the round that is not counted, in which libraries are imported; what only large pools need is named.
_WARM_ROWS, _WARM_BUDGET = 200, 5
_LIBRARIES = ("sklearn.cluster", "sklearn.decomposition", "scipy.sparse")


class ContestantFailed(SeedqueueError):
    """A process of the benchmark ended without a result."""

    status = 500

    def __init__(self, who: str, code: int, said: str) -> None:
        last = said.strip().splitlines()[-1] if said.strip() else "it said nothing"
        super().__init__(f"{who} ended with code {code}: {last}. Give fewer --rows if memory was short.")


@dataclass(frozen=True)
class Task:
    """kind: see `chooser`. file: a float32 matrix (n, d) as np.save writes it. seeds: random seeds 0, 1 ..."""

    kind: str
    name: str
    file: str
    budget: int
    seeds: int = 1


@dataclass(frozen=True)
class Result:
    """rows: the chosen ones of random seed 0. core_seconds and inertia: the means over the random seeds.

    memory_mb: the peak above the matrix and the imported libraries. inertia: the sum of squared distances
    to the nearest centroid, None without centroids.
    """

    rows: list[int]
    core_seconds: float
    memory_mb: float
    inertia: float | None


def run(task: Task) -> Result:
    """In a child process, on one thread; raises ContestantFailed."""
    return Result(**json.loads(child("seedqueue.backend.bench.contestant", json.dumps(asdict(task)), task.name)))


def child(module: str, argument: str, who: str) -> str:
    """What a module says in a process of its own, on one thread; raises ContestantFailed."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    command = [sys.executable, "-m", module, argument]
    done = subprocess.run(command, env=child_environment(**threads), capture_output=True, text=True, check=False)
    if done.returncode:
        raise ContestantFailed(who, done.returncode, done.stderr)
    return done.stdout.splitlines()[-1]


def measure(task: Task) -> Result:
    """In this process."""
    choose = chooser(task.kind, task.name)
    matrix = np.load(Path(task.file))
    for library in _LIBRARIES:
        import_module(library)
    choose(matrix[:_WARM_ROWS], min(_WARM_BUDGET, task.budget), 0)
    spent, outcomes = [], []
    with threadpool_limits(1):
        before = resident_mb()
        forget_peak()
        for seed in range(task.seeds):
            began = time.process_time()
            outcomes.append(choose(matrix, task.budget, seed))
            spent.append(time.process_time() - began)
        memory = peak_mb() - before
        first = outcomes[0]
        centroids = [outcome.centroids for outcome in outcomes if outcome.centroids is not None]
        inertia = [float(gap_to(matrix, each).sum(dtype=np.float64)) for each in centroids]
        rows = nearest_row(matrix, first.centroids) if first.centroids is not None else first.rows
    assert rows is not None
    mean = float(np.mean(inertia)) if inertia else None
    return Result(rows.tolist(), float(np.mean(spent)), max(memory, 0.0), mean)


if __name__ == "__main__":
    print(json.dumps(asdict(measure(Task(**json.loads(sys.argv[1]))))))
