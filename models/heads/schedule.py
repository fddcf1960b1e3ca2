"""The learning rate, as a function of what has happened: nothing of it needs to be kept."""

import math
from collections.abc import Sequence

_RISE = 0.15


def cosine(done: float) -> float:
    """The factor of the rate when this share of all steps is done: rising evenly, then falling to 0 as a cosine."""
    if done < _RISE:
        return 0.05 + 0.95 * done / _RISE
    return (1 + math.cos(math.pi * (done - _RISE) / (1 - _RISE))) / 2


def halved(scores: Sequence[float], patience: int) -> float:
    """The factor of the rate: half after every `patience` epochs in a row without a better score."""
    factor, best, waited = 1.0, -math.inf, 0
    for score in scores:
        better = score > best
        best, waited = (score, 0) if better else (best, waited + 1)
        if waited == patience:
            factor, waited = factor / 2, 0
    return factor


def best_epoch(scores: Sequence[float]) -> int:
    """Counted from 1, the first of the best score; 0 without scores. A score of NaN is never the best."""
    best, found = -math.inf, 0
    for epoch, score in enumerate(scores, start=1):
        if score > best:
            best, found = score, epoch
    return found


def bad_epochs(scores: Sequence[float]) -> int:
    """How many epochs ago the best score was."""
    return len(scores) - best_epoch(scores)
