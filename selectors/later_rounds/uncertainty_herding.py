"""Uncertainty Herding: Bae, Oliveira & Sutherland, "One Active Learning Method for All Label Budgets", 2412.20644."""

import numpy as np

from seedqueue.selectors.first_round.maxherding import BANDWIDTH
from seedqueue.selectors.greedy import greedy_cover
from seedqueue.selectors.kernels import Gaussian
from seedqueue.selectors.pool import Pool
from seedqueue.selectors.registry import register
from seedqueue.selectors.selection import Embeddings, Selection
from seedqueue.selectors.uncertainty import ROUNDING, narrowness, where_uncertain
from seedqueue.selectors.weights import standing_for_nearest

# Rows nearer than this are the same but for rounding.
_SAME = 1e-3


@register(
    "uncertainty-herding",
    representation="unit",
    title="Uncertainty herding",
    summary=(
        "MaxHerding that covers what the head is unsure of: coverage while labels are few, uncertainty when they are "
        "many."
    ),
    offered=True,
    greedy=True,
    needs=("probabilities",),
)
def uncertainty_herding(pool: Pool, budget: int, *, seed: int) -> Selection:
    """Greedily maximise, with L the labelled rows and U = 1 - (p_1 - p_2) the uncertainty of each row,

        f(S) = sum over the pool's rows i of U_i max over j in S and L of exp(-||x_i - x_j||^2 / h^2).

    pool.embeddings: float32 (n, d), of length 1; pool.signals.probabilities: float (n, classes). The
    bandwidth h shrinks as labels come (`bandwidth`): with a small one each row covers itself alone and
    the choice is that of margin sampling. The paper's other adaptation, calibrating p by temperature,
    is the head's business. The greedy choice reaches at least 1 - 1/e of the best f. Beyond 10,000
    rows of some uncertainty f is estimated from 8,192. It ends where no row is left that adds to f:
    what remains is certain or stands beside a chosen one, and coverage alone fills the queue up.

    cluster: the position in the queue; weight: the unlabelled rows nearest to this one. Time O(m n d)
    for m rows of the estimate, memory O(n + m d).
    """
    assert pool.signals.probabilities is not None
    rows = greedy_cover(
        pool.embeddings,
        np.flatnonzero(pool.allowance.open),
        budget,
        kernel=Gaussian(bandwidth(pool.embeddings[pool.labelled])),
        covered=pool.labelled,
        take=pool.allowance.take,
        seed=seed,
        weights=where_uncertain(narrowness(pool.signals.probabilities), pool.signals.probabilities),
        least_gain=ROUNDING,
    )
    return standing_for_nearest(pool, rows)


def bandwidth(labelled: Embeddings) -> float:
    """MaxHerding's, or less where labelled rows (m, d) lie closer: their median distance to the nearest other one.

    The paper takes the smallest distance, which one near duplicate among the labelled brings to nothing.
    """
    if len(labelled) < 2:
        return BANDWIDTH
    from sklearn.neighbors import NearestNeighbors

    nearest = NearestNeighbors(n_neighbors=1).fit(labelled).kneighbors()[0]
    apart = nearest[nearest > _SAME]
    return min(BANDWIDTH, float(np.median(apart))) if len(apart) else BANDWIDTH
