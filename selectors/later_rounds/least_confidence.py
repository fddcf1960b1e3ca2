"""Least confidence: Lewis & Gale, "A Sequential Algorithm for Training Text Classifiers", 1994."""

from seedqueue.selectors.pool import Pool
from seedqueue.selectors.ranking import most_uncertain
from seedqueue.selectors.registry import register
from seedqueue.selectors.selection import Selection
from seedqueue.selectors.uncertainty import one_less_largest


@register(
    "least-confidence",
    representation="unit",
    title="Least confidence",
    summary="Where the head's best class is least probable.",
    offered=False,
    greedy=True,
    needs=("probabilities",),
)
def least_confidence(pool: Pool, budget: int, *, seed: int) -> Selection:
    """Take the rows of the largest 1 - p_1, with p_1 the largest probability.

    pool.signals.probabilities: float (n, classes), each row summing to 1. Ties: what covers most.

    cluster: the position in the queue; weight: the unlabelled rows nearest to this one. Time
    O(n log n + n (classes + budget d)), memory O(n); what ties take: `take_by_uncertainty`.
    """
    assert pool.signals.probabilities is not None
    return most_uncertain(pool, one_less_largest(pool.signals.probabilities), budget, seed)
