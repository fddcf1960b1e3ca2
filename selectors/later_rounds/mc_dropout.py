"""BALD under dropout: Gal, Islam & Ghahramani, "Deep Bayesian Active Learning with Image Data", 1703.02910."""

from seedqueue.selectors.pool import Pool
from seedqueue.selectors.ranking import most_uncertain
from seedqueue.selectors.registry import register
from seedqueue.selectors.selection import Selection
from seedqueue.selectors.uncertainty import mutual_information


@register(
    "mc-dropout",
    representation="unit",
    title="MC dropout (BALD)",
    summary="What the head's draws under dropout disagree about most.",
    offered=False,
    greedy=True,
    needs=("dropout_probabilities",),
)
def mc_dropout(pool: Pool, budget: int, *, seed: int) -> Selection:
    """Take the rows of the largest mutual information, H(mean of the draws) - mean of H(each draw).

    pool.signals.dropout_probabilities: float (draws, n, classes). H is the entropy in nats. Ties: what covers most.

    cluster: the position in the queue; weight: the unlabelled rows nearest to this one. Time
    O(n log n + n (draws classes + budget d)), memory O(n); what ties take: `take_by_uncertainty`.
    """
    assert pool.signals.dropout_probabilities is not None
    return most_uncertain(pool, mutual_information(pool.signals.dropout_probabilities), budget, seed)
