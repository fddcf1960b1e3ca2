"""Classification metrics of one test part, the mean over the target's classes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from seedqueue.experiments.prepared import Flags
from seedqueue.models.metrics.class_scores import values
from seedqueue.models.metrics.thresholds import best_f1, youden

Scores = NDArray[np.floating]
# Scores that a threshold may be chosen on, with their truth: out of fold, or a validation part's.
Tuning = tuple[Scores, Flags]

HALF = 0.5
_PLAIN = ("auprc", "auprc_above_chance", "auroc")


def class_metrics(scores: Scores, truth: Flags, tuning: Tuning | None, weights: NDArray[np.float64]) -> list[dict]:  # type: ignore[type-arg]
    """One dict of metrics for each row of weights (b, n), the first row being all ones.

    scores: (n, c) of the test part; truth: bool (n, c). tuning: (m, c) and bool (m, c); None where there is nothing to
    choose thresholds on: then what needs one is left out, as is F1 where a class has fewer than 20 positive images.
    """
    columns = range(truth.shape[1])
    found: dict[str, list[NDArray[np.float64]]] = {}
    for column in columns:
        p, y = np.asarray(scores[:, column], dtype=np.float64), truth[:, column]
        by_youden = values(p, y, _called(p, youden, tuning, column), weights)
        for name in _PLAIN:
            found.setdefault(name, []).append(by_youden[name])
        for name in ("sensitivity", "specificity"):
            found.setdefault(name, []).append(by_youden[name])
        found.setdefault("f1_youden", []).append(by_youden["f1"])
        found.setdefault("f1_half", []).append(values(p, y, p >= HALF, weights)["f1"])
        found.setdefault("f1_best", []).append(values(p, y, _called(p, best_f1, tuning, column), weights)["f1"])
    means = {name: np.mean(np.stack(each), axis=0) for name, each in found.items()}
    return [
        {name: float(each[at]) for name, each in means.items() if not np.isnan(each[at])} for at in range(len(weights))
    ]


def bootstrap_sd(drawn: Sequence[dict[str, float]], names: Sequence[str]) -> dict[str, float]:
    """`<name>_bootstrap_sd` over the resamples on which each is defined: the paper's SD."""
    told = {}
    for name in names:
        defined = [each[name] for each in drawn if name in each]
        if len(defined) > 1:
            told[f"{name}_bootstrap_sd"] = float(np.std(defined, ddof=1))
    return told


def _called(
    p: NDArray[np.float64], choose: Callable[[Scores, Flags], float], tuning: Tuning | None, column: int
) -> Flags | None:
    if tuning is None:
        return None
    scores, truth = tuning
    return np.asarray(p >= choose(scores[:, column], truth[:, column]), dtype=np.bool_)
