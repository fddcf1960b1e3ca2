"""Thresholds for yes-or-no decisions, to be chosen on out-of-fold scores: that is the caller's part.

An image is called positive where its score is at least the threshold. Candidates are the midpoints between
neighbouring distinct scores: calling all images positive, or none, is no decision. Of equally good candidates the
one in the widest gap is taken, which new images are least likely to fall into; of equal gaps the highest.
"""

import numpy as np
import numpy.typing as npt

from seedqueue.models.errors import UnequalLengths

# Where the scores say nothing: one class only, or all of them equal.
FALLBACK = 0.5

Ints = npt.NDArray[np.int64]


def youden(scores: npt.NDArray[np.floating], targets: npt.NDArray[np.bool_]) -> float:
    """The threshold of the largest sensitivity + specificity - 1 (Youden 1950): the paper's choice.

    scores: float (n,), higher is more likely positive; targets: bool (n,). 0.5 where there is no choice: one
    class only, all scores equal, no image. Raises `UnequalLengths`.
    """
    found = _outcomes(scores, targets)
    if found is None:
        return FALLBACK
    ends, true, false = found
    positives, negatives = int(np.sum(targets)), int(np.sum(~targets))
    # Times positives and negatives it is a whole number: ties are exact.
    return _best(ends, (true * negatives - false * positives).astype(np.float64))


def best_f1(scores: npt.NDArray[np.floating], targets: npt.NDArray[np.bool_]) -> float:
    """The threshold of the largest F1; Youden's does not maximise it. Arguments and errors as `youden`."""
    found = _outcomes(scores, targets)
    if found is None:
        return FALLBACK
    ends, true, false = found
    return _best(ends, 2 * true / (true + false + int(np.sum(targets))))


def _outcomes(
    scores: npt.NDArray[np.floating], targets: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.float64], Ints, Ints] | None:
    """Distinct scores ascending (k,), and true and false positives above each gap between them (k - 1,)."""
    if len(scores) != len(targets):
        raise UnequalLengths("scores", len(scores), "targets", len(targets))
    distinct, member = np.unique(np.asarray(scores, dtype=np.float64), return_inverse=True)
    if len(distinct) < 2 or targets.all() or not targets.any():
        return None
    positive = np.bincount(member, weights=targets, minlength=len(distinct)).astype(np.int64)
    negative = np.bincount(member, weights=~targets, minlength=len(distinct)).astype(np.int64)
    return distinct, positive[::-1].cumsum()[::-1][1:], negative[::-1].cumsum()[::-1][1:]


def _best(distinct: npt.NDArray[np.float64], worth: npt.NDArray[np.float64]) -> float:
    below, above = distinct[:-1], distinct[1:]
    midpoint = below / 2 + above / 2
    # Between neighbouring floats there is none: the upper one itself divides them.
    midpoint = np.where(midpoint > below, midpoint, above)
    return float(midpoint[np.lexsort((midpoint, above - below, worth))[-1]])
