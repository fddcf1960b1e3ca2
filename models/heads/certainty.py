"""A head's probabilities as the selectors of later rounds take them: a distribution for each image."""

import numpy as np
import numpy.typing as npt

from seedqueue.models.heads.regression import Kind

Real = npt.NDArray[np.floating]


def as_distribution(probabilities: Real, kind: Kind, like: Real | None = None) -> Real:
    """Rows that sum to 1: (n, k) of probabilities (n, classes), or (draws, n, k) of (draws, n, classes).

    single: as they are. multi: p and 1 - p of each image's most uncertain label, the one nearest to 1/2, since
    an image is as uncertain as its most uncertain label; k = 2. Of draws the label is the same in each:
    the one whose mean over them is nearest to 1/2. Ties: the first label. The dtype stays.

    like: probabilities (n, classes) or draws that choose the label instead. Where a selector compares
    draws with predictions (DropQuery), both have to be of one label: give the draws `like=probabilities`.
    """
    if kind == "single":
        return probabilities
    choosing = probabilities if like is None else like
    mean = choosing.mean(axis=0, dtype=np.float64) if choosing.ndim == 3 else choosing
    label = np.abs(np.asarray(mean, dtype=np.float64) - 0.5).argmin(axis=-1)
    chosen = probabilities[..., np.arange(len(label)), label]
    return np.stack([chosen, 1 - chosen], axis=-1)
