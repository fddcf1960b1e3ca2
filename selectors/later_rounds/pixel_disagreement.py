"""Disagreement of a segmenter's masks under dropout, after Roy et al., "Bayesian QuickNAT", 1811.09800."""

from seedqueue.selectors.pool import Pool
from seedqueue.selectors.ranking import most_uncertain
from seedqueue.selectors.registry import register
from seedqueue.selectors.selection import Selection


@register(
    "pixel-disagreement",
    representation="unit",
    title="Pixel disagreement",
    summary="Where the segmenter's masks under dropout overlap least.",
    offered=False,
    greedy=True,
    needs=("pixel_disagreement",),
)
def pixel_disagreement(pool: Pool, budget: int, *, seed: int) -> Selection:
    """Take the rows whose masks under dropout overlap least: 1 - the mean Dice coefficient of two draws.

    pool.signals.pixel_disagreement: float (n,), of each image by
    `seedqueue.selectors.pixels.dropout_disagreement`. Ties: what covers most.

    cluster: the position in the queue; weight: the unlabelled rows nearest to this one. Time
    O(n log n + n budget d), memory O(n); what ties take: `take_by_uncertainty`.
    """
    assert pool.signals.pixel_disagreement is not None
    return most_uncertain(pool, pool.signals.pixel_disagreement, budget, seed)
