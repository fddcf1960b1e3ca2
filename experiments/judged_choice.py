"""What can be said of a queue without any head: coverage, diversity, how many of the rare kind it holds."""

from __future__ import annotations

import numpy as np

from seedqueue.experiments.prepared import Flags, Floats, Rows
from seedqueue.selectors.coverage import covered_by


def choice_metrics(unit: Floats, positive: Flags, rows: Rows) -> dict[str, float]:
    """unit: the training part at unit length, float32 (n, d); positive: bool (n,); rows: the queue's, of that part.

    coverage: the mean cosine of all to the nearest chosen one. diversity: the mean of 1 - cosine over pairs of chosen
    ones. positive_share: the share of `positive` among the chosen.
    """
    chosen = unit[rows]
    count = len(rows)
    total = float(np.square(chosen.sum(axis=0, dtype=np.float64)).sum()) - float(np.square(chosen, dtype=float).sum())
    return {
        "coverage": float(covered_by(unit, chosen).mean()),
        "diversity": 1.0 - total / (count * (count - 1)),
        "positive_share": float(positive[rows].mean()),
    }
