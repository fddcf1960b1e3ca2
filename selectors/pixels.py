"""How unsure a segmenter is of one image, from its probability maps alone: what the head tells the selectors."""

import numpy as np
import numpy.typing as npt

Maps = npt.NDArray[np.floating]

# From this probability on a pixel counts as predicted foreground.
FOREGROUND = 0.5


def foreground_entropy(maps: Maps) -> float:
    """The mean binary entropy over the predicted foreground, in nats, 0 to ln 2.

    maps: (labels, h, w), each label's probability from 0 to 1. The mean is over the pixels of each
    label where it is predicted; where nothing is, over all pixels: a faint hint still counts.
    """
    from scipy.special import entr

    given = np.asarray(maps, dtype=np.float64)
    values = entr(given) + entr(1 - given)
    foreground = given >= FOREGROUND
    return float(values[foreground].mean() if foreground.any() else values.mean())


def dropout_disagreement(draws: Maps) -> float:
    """1 - the mean Dice coefficient between the masks of every two draws, 0 to 1.

    draws: (draws, labels, h, w), probabilities under dropout. Two empty masks agree fully; one draw
    agrees with itself. After Roy et al., "Bayesian QuickNAT", 1811.09800 (its Dice agreement).
    """
    masks = (np.asarray(draws) >= FOREGROUND).reshape(len(draws), -1).astype(np.float64)
    size = masks.sum(axis=1)
    both, sizes = masks @ masks.T, size[:, None] + size
    dice = np.divide(2 * both, sizes, out=np.ones_like(both), where=sizes > 0)
    pairs = np.triu_indices(len(draws), k=1)
    return float(1 - dice[pairs].mean()) if len(pairs[0]) else 0.0
