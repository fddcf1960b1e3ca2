"""Embeddings, or scores, that somebody else computed: an .npz, or a CSV by file name."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from seedqueue.experiments.datasets.labelled import LabelledImage, LabelTable
from seedqueue.experiments.datasets.matching import matched
from seedqueue.experiments.errors import VectorsUnusable
from seedqueue.experiments.prepared import Floats


def read_vectors(path: Path, names: Sequence[str]) -> Floats:
    """float32 (n, d) for the images of a folder, in the order of `names` (POSIX paths within it).

    .npz: arrays `files`, text (m,), and `embeddings`, numbers (m, d). CSV: a column `file`, every other column that
    holds numbers alone. A file is matched by its path, else by its
    name where that is the only one of its name. Raises `VectorsUnusable`, with how many
    images have none.
    """
    files, vectors = _npz(path) if path.suffix == ".npz" else _csv(path)
    if vectors.ndim != 2 or len(files) != len(vectors) or not vectors.shape[1]:
        raise VectorsUnusable(path, f"{len(files)} files and embeddings of shape {vectors.shape}: give a row for each")
    entries = [LabelledImage(file, None) for file in files]
    at = {entry: row for row, entry in enumerate(entries)}
    rows = [None if entry is None else at[entry] for entry in matched(LabelTable(tuple(entries), ""), names)]
    lacking = [name for name, row in zip(names, rows, strict=True) if row is None]
    if lacking:
        raise VectorsUnusable(path, f"{len(lacking)} of {len(names)} images have no row, {lacking[0]!r} first")
    found = vectors[np.array(rows, dtype=np.int64)]
    if not np.isfinite(found).all():
        raise VectorsUnusable(path, "it holds numbers that are NaN or infinite")
    return found


def _npz(path: Path) -> tuple[list[str], Floats]:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as opened:
            files = [str(name).replace("\\", "/") for name in opened["files"]]
            return files, np.asarray(opened["embeddings"], dtype=np.float32)
    except (OSError, ValueError, KeyError, TypeError, EOFError, BadZipFile) as error:
        raise VectorsUnusable(path, f"it is no .npz with the arrays `files` and `embeddings` ({error})") from error


def _csv(path: Path) -> tuple[list[str], Floats]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as opened:
            rows = list(csv.DictReader(opened))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise VectorsUnusable(path, f"it cannot be read ({error})") from error
    if not rows or "file" not in rows[0]:
        raise VectorsUnusable(path, "it has no rows with a column `file`")
    if any(row["file"] is None for row in rows):
        raise VectorsUnusable(path, "a line ends before its column `file`")
    names = [name for name in rows[0] if name not in ("file", None)]  # None: cells beyond the head's
    columns = [name for name in names if all(_number(row[name]) is not None for row in rows)]
    if not columns:
        raise VectorsUnusable(path, "it has no column of numbers beside `file`")
    vectors = np.array([[_number(row[name]) for name in columns] for row in rows], dtype=np.float32)
    return [row["file"].replace("\\", "/") for row in rows], vectors


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None
