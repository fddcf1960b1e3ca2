"""Margin sampling: Scheffer, Decomain & Wrobel 2001, in Settles, "Active Learning Literature Survey", 2009."""

from seedqueue.selectors.pool import Pool
from seedqueue.selectors.registry import register
from seedqueue.selectors.selection import Selection
from seedqueue.selectors.uncertainty import most_uncertain, narrowness


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

    pool.signals.probabilities: float (n, classes), each row summing to 1. Ties: the lowest row.

    cluster: the position in the queue; weight: the unlabelled rows nearest to this one. Time
    O(n log n + n (classes + budget d)), memory O(n). The random seed changes nothing.
    """
    assert pool.signals.probabilities is not None
    return most_uncertain(pool, narrowness(pool.signals.probabilities), budget)
