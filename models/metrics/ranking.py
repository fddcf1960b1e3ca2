"""Average precision (AUPRC) and AUROC under many weightings of the images at once.

Equal to scikit-learn's `average_precision_score` and `roc_auc_score` with `sample_weight`; one sort for all.
"""

import numpy as np
import numpy.typing as npt

from seedqueue.models.metrics.bootstrap import Doubles


def average_precision(scores: Doubles, targets: npt.NDArray[np.bool_], weights: Doubles) -> Doubles:
    """Sum over the thresholds of (recall gained) x precision: float64 (b,), without interpolation.

    scores: float (n,), higher is more likely positive; targets: bool (n,); weights: float64 (b, n). NaN
    where a weighting leaves no positive or no negative image.
    """
    true, false = _cumulated(scores, targets, weights)
    precision = np.divide(true, true + false, out=np.zeros_like(true), where=true + false > 0)
    gained = np.diff(true, axis=1, prepend=0)
    return _where_both((gained * precision).sum(axis=1), true[:, -1], false[:, -1], true[:, -1])


def auroc(scores: Doubles, targets: npt.NDArray[np.bool_], weights: Doubles) -> Doubles:
    """The area under the ROC curve by trapezia, equal scores counting one half. Arguments as above."""
    true, false = _cumulated(scores, targets, weights)
    before = np.hstack([np.zeros((len(true), 1)), true[:, :-1]])
    area = (np.diff(false, axis=1, prepend=0) * (before + true) / 2).sum(axis=1)
    return _where_both(area, true[:, -1], false[:, -1], true[:, -1] * false[:, -1])


def above_chance(precision: Doubles, prevalence: Doubles) -> Doubles:
    """(AP - prevalence) / (1 - prevalence): 0 by chance, 1 at best, so that pools can be compared."""
    return np.asarray((precision - prevalence) / np.where(prevalence < 1, 1 - prevalence, np.nan))


def _cumulated(scores: Doubles, targets: npt.NDArray[np.bool_], weights: Doubles) -> tuple[Doubles, Doubles]:
    """Weight of true and false positives at every distinct score as the threshold: (b, scores), highest first."""
    if not len(scores):
        return np.zeros((len(weights), 1)), np.zeros((len(weights), 1))
    order = np.argsort(-scores, kind="stable")
    last_of_equals = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)
    drawn, positive = weights[:, order], targets[order]
    true = np.cumsum(drawn * positive, axis=1)[:, last_of_equals]
    false = np.cumsum(drawn * ~positive, axis=1)[:, last_of_equals]
    return true, false


def _where_both(values: Doubles, positives: Doubles, negatives: Doubles, scale: Doubles) -> Doubles:
    both = (positives > 0) & (negatives > 0)
    found: Doubles = np.divide(values, scale, out=np.full(len(values), np.nan), where=both)
    return found
