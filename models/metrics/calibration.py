"""How far probabilities can be believed, and how they are carried over to another prevalence."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from seedqueue.models.errors import PrevalenceUnusable
from seedqueue.models.metrics.bootstrap import Doubles
from seedqueue.models.metrics.decisions import Flags, ratio

Kind = Literal["single", "multi"]
BINS = 10


@dataclass(frozen=True)
class ReliabilityBin:
    """The images whose probability lies in [low, high), the last bin including 1."""

    low: float
    high: float
    n: int
    mean_probability: float
    share_positive: float


def prior_shift(probabilities: Doubles, from_prevalence: Doubles, to_prevalence: Doubles, kind: Kind) -> Doubles:
    """Probabilities learnt at one prevalence as they would be at another: float64 (n, c).

    Saerens, Latinne & Decaestecker 2002, equation 2.4: a class's odds times the ratio of its prior
    odds. "single": p * to / from, normalised over the classes; "multi": each class against its own absence.
    Holds where the images of a class look the same in both sets. probabilities: float (n, c) in
    [0, 1]; the prevalences: float (c,). An order within a class is kept for "multi", not always for "single".

    Raises `PrevalenceUnusable` for a prevalence of 0, or of 1 in "multi": `smoothed_prevalence` gives none.
    """
    start, end = (np.asarray(each, dtype=np.float64) for each in (from_prevalence, to_prevalence))
    for prevalence in (start, end):
        for each, value in enumerate(prevalence.tolist()):
            if not (0 < value < 1 or (kind == "single" and value == 1)):
                raise PrevalenceUnusable(each, value)
    present = np.asarray(probabilities, dtype=np.float64) * (end / start)
    if kind == "single":
        return np.asarray(present / present.sum(axis=1, keepdims=True))
    absent = (1 - np.asarray(probabilities, dtype=np.float64)) * ((1 - end) / (1 - start))
    return np.asarray(present / (present + absent))


def smoothed_prevalence(targets: Flags, kind: Kind) -> Doubles:
    """float64 (c,) of targets bool (n, c), never 0, and below 1 in "multi": half an image is added to every outcome."""
    n, classes = targets.shape
    outcomes = classes if kind == "single" else 2
    return np.asarray((targets.sum(axis=0) + 0.5) / (n + 0.5 * outcomes), dtype=np.float64)


def reliability(probabilities: Doubles, targets: Flags, bins: int = BINS) -> tuple[ReliabilityBin, ...]:
    """The reliability diagram of one class: bins of equal width that hold an image. Both (n,)."""
    place = _bin(probabilities, bins)
    return tuple(
        ReliabilityBin(
            each / bins,
            (each + 1) / bins,
            int((place == each).sum()),
            float(probabilities[place == each].mean()),
            float(targets[place == each].mean()),
        )
        for each in np.unique(place).tolist()
    )


def expected_calibration_error(probabilities: Doubles, targets: Flags, weights: Doubles, bins: int = BINS) -> Doubles:
    """Mean distance of probability and share of positives over bins of equal width: float64 (b,).

    Naeini, Cooper & Hauskrecht 2015, of one class against the rest. Few images inflate it. probabilities,
    targets: (n,); weights: float64 (b, n).
    """
    inside = _bin(probabilities, bins)[:, None] == np.arange(bins)
    gaps = np.abs(weights @ (inside * (probabilities - targets)[:, None])).sum(axis=1)
    return ratio(gaps, weights.sum(axis=1))


def brier(probabilities: Doubles, targets: Flags, weights: Doubles) -> Doubles:
    """Mean squared distance of probability and target (Brier 1950), one class: float64 (b,). Arguments as above."""
    return ratio(weights @ np.square(probabilities - targets), weights.sum(axis=1))


def _bin(probabilities: Doubles, bins: int) -> npt.NDArray[np.int64]:
    return np.minimum((probabilities * bins).astype(np.int64), bins - 1)
