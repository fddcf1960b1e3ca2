"""BADGE: Ash et al., "Deep Batch Active Learning by Diverse, Uncertain Gradient Lower Bounds", 1906.03671."""

import numpy as np
import numpy.typing as npt

from seedqueue.selectors.pool import Pool
from seedqueue.selectors.registry import register
from seedqueue.selectors.selection import Embeddings, Selection
from seedqueue.selectors.uncertainty import certain
from seedqueue.selectors.weights import standing_for_nearest

# Equal rows in float32 are apart by less than this share of their norms.
_ROUNDING = 1e-6

Doubles = npt.NDArray[np.float64]


@register(
    "badge",
    representation="unit",
    title="BADGE",
    summary="Uncertain and unlike one another at once: k-means++ on the head's gradients.",
    offered=True,
    greedy=True,
    needs=("probabilities",),
)
def badge(pool: Pool, budget: int, *, seed: int) -> Selection:
    """Draw rows by k-means++ on the gradients of a linear head's loss, were its own prediction the label.

    pool.embeddings: float32 (n, d), of length 1, x; pool.signals.probabilities: float (n, classes), p.
    The gradient embedding of a row is g = (p - onehot(argmax p)) outer x (the paper's equation 1), and
    ||g_i - g_j||^2 = ||g_i||^2 + ||g_j||^2 - 2 (a_i . a_j) (x_i . x_j) with a = p - onehot, so that g is
    never formed. The first row has the largest distance to the labelled rows' g, or the largest norm
    where there are none; each further one is drawn with a probability proportional to the squared
    distance to the nearest labelled or taken. Where the head is certain (`uncertainty.certain`) g is 0; once nothing
    is left that differs from the taken, coverage fills the queue up.

    cluster: the position in the queue; weight: the unlabelled rows nearest to this one. Time
    O(n (budget + labelled) (d + classes)), memory O(n classes).
    """
    assert pool.signals.probabilities is not None
    gradients = Gradients(pool.embeddings, pool.signals.probabilities)
    rng = np.random.default_rng(seed)
    gap = np.full(len(pool), np.inf)
    for row in pool.labelled.tolist():
        gap = np.minimum(gap, gradients.squared_distance(row))
    rows: list[int] = []
    while len(rows) < budget:
        known = gap if np.isfinite(gap[0]) else gradients.squared_norm
        chance = np.where(pool.allowance.open, known, 0.0)
        if not chance.any():
            break
        row = int(rng.choice(len(pool), p=chance / chance.sum()) if rows else chance.argmax())
        if pool.allowance.take(row):
            gap = np.minimum(gap, gradients.squared_distance(row))
            rows.append(row)
    return standing_for_nearest(pool, np.asarray(rows, dtype=np.int64))


class Gradients:
    """The gradient embeddings of a pool as factors: (n, classes) and (n, d)."""

    def __init__(self, embeddings: Embeddings, probabilities: npt.NDArray[np.floating]) -> None:
        self._x = embeddings
        self._a = np.array(probabilities, dtype=np.float64)
        self._a[np.arange(len(self._a)), self._a.argmax(axis=1)] -= 1
        self._a[certain(probabilities)] = 0
        self.squared_norm: Doubles = np.square(self._a).sum(axis=1) * np.square(embeddings, dtype=np.float64).sum(
            axis=1
        )

    def squared_distance(self, row: int) -> Doubles:
        """To the gradient embedding of `row`: float64 (n,), exactly 0 where it is but rounding."""
        common = (self._a @ self._a[row]) * (self._x @ self._x[row])
        norms = self.squared_norm + self.squared_norm[row]
        squared = norms - 2 * common
        return np.where(squared > _ROUNDING * norms, squared, 0.0)
