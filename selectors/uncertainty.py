"""How unsure a head is of each row, from its probabilities alone; larger is more uncertain."""

from itertools import islice

import numpy as np
import numpy.typing as npt

from seedqueue.selectors.pool import Pool
from seedqueue.selectors.selection import Rows, Selection
from seedqueue.selectors.weights import standing_for_nearest

Probabilities = npt.NDArray[np.floating]
Scores = npt.NDArray[np.float64]

# Beyond this many digits probabilities differ by rounding, which must not decide about an order.
_DIGITS = 12


def shannon_entropy(probabilities: Probabilities) -> Scores:
    """-sum p ln p in nats, float64 (..., n) of probabilities (..., n, classes)."""
    from scipy.stats import entropy

    return np.asarray(entropy(np.asarray(probabilities, dtype=np.float64), axis=-1), dtype=np.float64)


def one_less_largest(probabilities: Probabilities) -> Scores:
    """1 - the largest probability, float64 (n,) of probabilities (n, classes)."""
    return np.asarray(1 - np.asarray(probabilities, dtype=np.float64).max(axis=-1))


def narrowness(probabilities: Probabilities) -> Scores:
    """1 - the margin between the two largest probabilities, float64 (n,); 0 where there is one class only."""
    given = np.asarray(probabilities, dtype=np.float64)
    if given.shape[-1] < 2:
        return np.zeros(given.shape[:-1])
    largest = np.partition(given, -2, axis=-1)
    return np.asarray(1 - (largest[..., -1] - largest[..., -2]))


def mutual_information(draws: Probabilities) -> Scores:
    """Entropy of the mean less the mean of the entropies, in nats: float64 (n,) of draws (draws, n, classes).

    What the draws disagree about, without what each of them finds hard (BALD).
    """
    shared = shannon_entropy(draws.mean(axis=0, dtype=np.float64))
    return np.asarray(shared - shannon_entropy(draws).mean(axis=0))


def most_uncertain(pool: Pool, uncertainty: npt.NDArray[np.floating], budget: int) -> Selection:
    """Take the rows from the most uncertain on; ties: the lowest row. uncertainty: (n,)."""
    ranked = by_uncertainty(uncertainty).tolist()
    rows = list(islice((row for row in ranked if pool.allowance.take(row)), budget))
    return standing_for_nearest(pool, np.asarray(rows, dtype=np.int64))


def by_uncertainty(uncertainty: npt.NDArray[np.floating]) -> Rows:
    """All rows, the most uncertain first; ties: the lowest row."""
    return np.argsort(-np.round(uncertainty, _DIGITS), kind="stable").astype(np.int64)
