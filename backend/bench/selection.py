"""`seedqueue bench select`: every first-round selector beside the K-means and selectors of other libraries.

Each in a child process on one thread, by processor time; what was chosen is judged here, alike for all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from seedqueue.backend.bench import million
from seedqueue.backend.bench.choosers import ACTIVEML
from seedqueue.backend.bench.contestant import Result, Task
from seedqueue.backend.bench.contestant import run as run_child
from seedqueue.backend.bench.rows import Choice
from seedqueue.backend.bench.synthetic import features
from seedqueue.backend.errors import InvalidRequest
from seedqueue.models.errors import ExtraMissing
from seedqueue.selectors import registry
from seedqueue.selectors.coverage import covered_by, gap_to
from seedqueue.selectors.representation import fit_scaler, represent
from seedqueue.selectors.selection import Embeddings
from seedqueue.selectors.source import Matrix

SIZES = (1_000, 10_000, 100_000)

# Up to so many rows scikit-activeml is asked: it holds the distances of all pairs.
ACTIVEML_ROWS = 2_000

# Up to so many rows scikit-learn's default is asked, and each clustering thrice.
DEFAULT_ROWS, SEEDS = 10_000, 3

Say = Callable[[str], None]


def run(
    sizes: Sequence[int], budget: int, embeddings: Path | None, folder: Path, say: Say, *, streamed: bool = False
) -> list[Choice]:
    """All rows. embeddings: real ones as np.save writes them, (n, d). folder: an empty one for the matrices.

    streamed: a million rows as well. Raises ExtraMissing, InvalidRequest, ContestantFailed.
    """
    for package, module in (("faiss-cpu", "faiss"), ("scikit-activeml", "skactiveml")):
        if find_spec(module) is None:
            raise ExtraMissing("bench select", package, "bench")
    given = None if embeddings is None else _opened(embeddings)
    for n in sizes:
        if given is not None and n > len(given):
            raise InvalidRequest(f"--rows is {n}, and {embeddings} holds {len(given)}.")
        if budget > n:
            raise InvalidRequest(f"--budget is {budget}; give at most the {n} of --rows.")
    rows: list[Choice] = []
    for n in sizes:
        matrix = features(n) if given is None else np.asarray(given[:n], dtype=np.float32)
        rows += _one_size(matrix, budget, folder, say)
    return [*rows, _streamed(folder, say)] if streamed else rows


def _opened(file: Path) -> Embeddings:
    try:
        found: Embeddings = np.load(file, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise InvalidRequest(f"--embeddings {file} cannot be read ({error}); give what np.save wrote.") from error
    if not isinstance(found, np.ndarray) or found.ndim != 2 or found.dtype.kind != "f":
        raise InvalidRequest(f"--embeddings {file} holds no matrix of real numbers.")
    return found


def _one_size(matrix: Embeddings, budget: int, folder: Path, say: Say) -> list[Choice]:
    n = len(matrix)
    raw, unit = folder / "raw.npy", folder / "unit.npy"
    np.save(raw, matrix)
    vectors = unit_vectors(matrix)
    np.save(unit, vectors)
    rows, inertia = [], {}
    for kind, name in _contestants(n):
        say(f"{n:,} rows: {name} ({kind}) ...")
        file, seeds = (raw, 1) if kind == "select" else (unit, SEEDS if kind == "clusters" and n <= DEFAULT_ROWS else 1)
        result = run_child(Task(kind, name, str(file), budget, seeds))
        inertia[name] = result.inertia
        rows.append(_judged(vectors, Choice(n, budget, kind, name), result))
    reference = inertia.get("scikit-learn KMeans") or inertia["scikit-learn MiniBatchKMeans"]
    assert reference is not None
    rows = [replace(r, inertia=r.inertia / reference) if r.inertia is not None else r for r in rows]
    return [*rows, *_left_out(n, budget)]


def unit_vectors(matrix: Embeddings) -> Embeddings:
    """Standardised and of length 1, all columns, as our selectors see a pool of up to 10,000."""
    source = Matrix(matrix)
    return represent(source, fit_scaler(source), "unit")


def _contestants(n: int) -> list[tuple[str, str]]:
    """(kind, name) of those that are asked about n rows."""
    clusterings = ["ours", "scikit-learn MiniBatchKMeans", "faiss Kmeans"]
    clusterings.append("scikit-learn KMeans" if n <= DEFAULT_ROWS else "ours, 64 components")
    found = [("select", entry.name) for entry in registry.entries() if entry.first_round]
    found += [("clusters", name) for name in clusterings]
    return found + [("activeml", name) for name in ACTIVEML if n <= ACTIVEML_ROWS]


def _left_out(n: int, budget: int) -> list[Choice]:
    rows = []
    if n > DEFAULT_ROWS:
        note = f"not run beyond {DEFAULT_ROWS:,} rows: slow; inertia is against MiniBatchKMeans"
        rows.append(Choice(n, budget, "clusters", "scikit-learn KMeans", note=note))
    if n > ACTIVEML_ROWS:
        note = f"not run beyond {ACTIVEML_ROWS:,} rows: it holds the distances of all pairs"
        rows.append(Choice(n, budget, "activeml", ", ".join(ACTIVEML), note=note))
    return rows


def _judged(unit: Embeddings, row: Choice, result: Result) -> Choice:
    chosen = unit[np.asarray(result.rows)]
    return replace(
        row,
        core_seconds=round(result.core_seconds, 4),
        memory_mb=round(result.memory_mb, 1),
        inertia=result.inertia,
        coverage=float(covered_by(unit, chosen).mean()),
        gap=float(np.sqrt(gap_to(unit, chosen).max())),
    )


def _streamed(folder: Path, say: Say) -> Choice:
    say(f"{million.ROWS:,} rows from a file, {million.BUDGET:,} of them: minutes ...")
    found = million.run(folder, million.ROWS, million.BUDGET)
    parts = ", ".join(f"{name} {seconds:.0f}" for name, seconds in found.parts.items())
    note = f"{found.minutes:.1f} min by the clock; memory is the whole process; core-seconds: {parts}"
    return Choice(
        million.ROWS,
        million.BUDGET,
        "select",
        "kmeans",
        round(found.core_seconds, 1),
        round(found.memory_mb),
        note=note,
    )
