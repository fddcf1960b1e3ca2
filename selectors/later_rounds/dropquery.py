"""DropQuery: Gupte et al., "Revisiting Active Learning in the Era of Vision Foundation Models", 2401.14555."""

import numpy as np
import numpy.typing as npt

from seedqueue.selectors.clusters import in_coverage_order, medoids
from seedqueue.selectors.pool import Pool
from seedqueue.selectors.ranking import take_by_uncertainty
from seedqueue.selectors.registry import register
from seedqueue.selectors.selection import Rows, Selection
from seedqueue.selectors.weights import standing_for_nearest

# A row is uncertain where more than this share of the draws contradicts the prediction.
DISAGREEMENT = 0.5


@register(
    "dropquery",
    representation="unit",
    title="DropQuery",
    summary="K-means medoids of the rows whose prediction does not withstand dropout.",
    offered=False,
    needs=("probabilities", "dropout_probabilities"),
)
def dropquery(pool: Pool, budget: int, *, seed: int) -> Selection:
    """Choose the medoids of k = budget K-means clusters among the rows whose class changes under dropout.

    pool.embeddings: float32 (n, d), of length 1; pool.signals.probabilities: float (n, classes), without
    dropout; dropout_probabilities: float (draws, n, classes). Rows of which more than half of the draws
    predict another class are clustered; where they are fewer than the budget, those that come next in
    disagreement too (ties: what covers most). The order is that of facility location, so that a prefix
    is a good smaller queue.

    cluster: the K-means label; weight: the unlabelled rows nearest to this one, certain ones too. Time
    O(draws n classes + n budget d) and O(m k d) for each of K-means' iterations on m uncertain rows;
    memory O(n draws + m d).
    """
    assert pool.signals.probabilities is not None
    assert pool.signals.dropout_probabilities is not None
    share = disagreement(pool.signals.probabilities, pool.signals.dropout_probabilities)
    uncertain = np.flatnonzero(pool.allowance.open & (share > DISAGREEMENT))
    if len(uncertain) < budget:
        uncertain = np.sort(take_by_uncertainty(pool, share, budget, take=lambda row: True, seed=seed))
    nothing: Rows = np.empty(0, dtype=np.int64)
    chosen = in_coverage_order(pool, medoids(pool, uncertain, nothing, budget, seed), seed)
    return Selection(chosen.rows, chosen.cluster, standing_for_nearest(pool, chosen.rows).weight)


def disagreement(probabilities: npt.NDArray[np.floating], draws: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """The share of the draws (draws, n, classes) whose class is not that of the probabilities (n, classes): (n,)."""
    return np.asarray((draws.argmax(axis=-1) != probabilities.argmax(axis=-1)).mean(axis=0), dtype=np.float64)
