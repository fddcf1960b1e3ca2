"""How unsure a head is of each row, from its probabilities alone; larger is more uncertain."""

import numpy as np
import numpy.typing as npt

Probabilities = npt.NDArray[np.floating]
Scores = npt.NDArray[np.float64]

# Most heads compute in float32, where a probability near 1 is known to 6e-8 and a sum over classes to some
# times that, whatever dtype it comes in. What differs by less must not decide about an order, and less than
# this is no uncertainty: the embedding knows more about such rows than the head's last digits do.
ROUNDING = 1e-6


def shannon_entropy(probabilities: Probabilities) -> Scores:
    """-sum p ln p in nats, float64 (..., n) of probabilities (..., n, classes)."""
    from scipy.stats import entropy

    return np.asarray(entropy(np.asarray(probabilities, dtype=np.float64), axis=-1), dtype=np.float64)


def one_less_largest(probabilities: Probabilities) -> Scores:
    """1 - the largest probability, float64 (n,) of probabilities (n, classes)."""
    return np.asarray(1 - np.asarray(probabilities, dtype=np.float64).max(axis=-1))


def narrowness(probabilities: Probabilities) -> Scores:
    """1 - the margin between the two largest probabilities, float64 (n,), at least 0; 0 where there is one class only.

    Computed as (1 - p_1) + p_2, which is p_2 and more where p_1 has been rounded to 1.
    """
    given = np.asarray(probabilities, dtype=np.float64)
    if given.shape[-1] < 2:
        return np.zeros(given.shape[:-1])
    largest = np.partition(given, -2, axis=-1)
    return np.maximum((1 - largest[..., -1]) + largest[..., -2], 0)


def mutual_information(draws: Probabilities) -> Scores:
    """Entropy of the mean less the mean of the entropies, in nats: float64 (n,) of draws (draws, n, classes).

    What the draws disagree about, without what each of them finds hard (BALD).
    """
    shared = shannon_entropy(draws.mean(axis=0, dtype=np.float64))
    return np.asarray(shared - shannon_entropy(draws).mean(axis=0))


def certain(probabilities: Probabilities) -> npt.NDArray[np.bool_]:
    """Whether the head is certain of a row, bool (n,): all classes but one share less than half of `ROUNDING`.

    Asked apart from the score, since entropy makes 1e-6 of the smallest step that float32 has below 1.
    """
    return np.asarray(levels(one_less_largest(probabilities)) <= 0)


def where_uncertain(score: Scores, probabilities: Probabilities) -> Scores:
    """The score (n,), 0 for the rows that the head is certain of."""
    return np.where(certain(probabilities), 0.0, score)


def levels(uncertainty: npt.NDArray[np.floating]) -> Scores:
    """In steps of `ROUNDING`: whole numbers in float64, of the same shape. Equal ones are ties; 0 is certain."""
    return np.asarray(np.round(np.asarray(uncertainty, dtype=np.float64) / ROUNDING))
