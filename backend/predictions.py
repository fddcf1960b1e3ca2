"""A head's predictions in a CSV table: what the selectors of later rounds go by."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seedqueue.backend.errors import TableUnusable
from seedqueue.backend.image_table import Row, matched, read_table
from seedqueue.selectors.signals import Signals

_SCORES = ("pixel_entropy", "pixel_disagreement")


def read_predictions(path: Path, names: Sequence[str]) -> Signals:
    """Signals of the images from a table with the columns `file` and one for each class.

    A class column holds a probability, or any number that is at least 0: rows are scaled to sum to 1.
    Several rows of one image are its predictions under dropout. The columns `pixel_entropy` and
    `pixel_disagreement` are taken as they are. Raises `TableUnusable`: every image needs as many rows as the others.
    """
    rows = matched(path, read_table(path), names)
    counts = {len(mine) for mine in rows}
    if len(counts) != 1:
        missing = next((name for name, mine in zip(names, rows, strict=True) if not mine), None)
        raise TableUnusable(path, f"{missing} has no row" if missing else f"images have {sorted(counts)} rows")
    classes = [name for name in rows[0][0] if name != "file" and name not in _SCORES]
    scores = {name: _column(path, rows, [name]).mean(axis=(0, 2)) for name in _SCORES if name in rows[0][0]}
    if not classes:
        return Signals(**scores)
    values = _column(path, rows, classes)
    total = values.sum(axis=-1, keepdims=True)
    if np.any(values < 0) or np.any(total == 0) or len(classes) < 2:
        raise TableUnusable(path, f"give two or more columns of probabilities; found {', '.join(classes)}")
    draws = values / total
    return Signals(
        probabilities=draws.mean(axis=0),
        dropout_probabilities=draws if len(draws) > 1 else None,
        **scores,
    )


def _column(path: Path, rows: Sequence[Sequence[Row]], columns: Sequence[str]) -> NDArray[np.float64]:
    """float64 (draws, n, columns)."""
    try:
        listed = [[[float(row[name]) for name in columns] for row in mine] for mine in rows]
    except (KeyError, ValueError) as error:
        raise TableUnusable(path, f"a value is no number ({error})") from error
    return np.asarray(listed, dtype=np.float64).swapaxes(0, 1)
