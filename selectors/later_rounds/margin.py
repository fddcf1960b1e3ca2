"""Margin sampling: Scheffer, Decomain & Wrobel 2001, in Settles, "Active Learning Literature Survey", 2009."""

from seedqueue.selectors.pool import Pool
from seedqueue.selectors.ranking import most_uncertain
from seedqueue.selectors.registry import register
from seedqueue.selectors.selection import Selection
from seedqueue.selectors.uncertainty import narrowness, where_uncertain


@register(
    "margin",
    representation="unit",
    title="Margin",
    summary="Where the head's two best classes are closest.",
    offered=True,
    greedy=True,
    needs=("probabilities",),
)
def margin(pool: Pool, budget: int, *, seed: int) -> Selection:
    """Take the rows of the smallest difference between the two largest probabilities, p_1 - p_2.

    pool.signals.probabilities: float (n, classes), each row summing to 1. Ties: what covers most.

    cluster: the position in the queue; weight: the unlabelled rows nearest to this one. Time
    O(n log n + n (classes + budget d)), memory O(n); what ties take: `take_by_uncertainty`.
    """
    assert pool.signals.probabilities is not None
    score = where_uncertain(narrowness(pool.signals.probabilities), pool.signals.probabilities)
    return most_uncertain(pool, score, budget, seed)
