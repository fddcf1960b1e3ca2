"""Entropy sampling: Settles, "Active Learning Literature Survey", 2009, equation 3."""

from seedqueue.selectors.pool import Pool
from seedqueue.selectors.ranking import most_uncertain
from seedqueue.selectors.registry import register
from seedqueue.selectors.selection import Selection
from seedqueue.selectors.uncertainty import shannon_entropy, where_uncertain


@register(
    "entropy",
    representation="unit",
    title="Entropy",
    summary="What the head is least sure of, over all classes.",
    offered=True,
    greedy=True,
    needs=("probabilities",),
)
def entropy(pool: Pool, budget: int, *, seed: int) -> Selection:
    """Take the rows of the largest predictive entropy, -sum over classes c of p_c ln p_c.

    pool.signals.probabilities: float (n, classes), each row summing to 1. Ties: what covers most.

    cluster: the position in the queue; weight: the unlabelled rows nearest to this one. Time
    O(n log n + n (classes + budget d)), memory O(n); what ties take: `take_by_uncertainty`.
    """
    assert pool.signals.probabilities is not None
    score = where_uncertain(shannon_entropy(pool.signals.probabilities), pool.signals.probabilities)
    return most_uncertain(pool, score, budget, seed)
