"""Disagreement of a segmenter's masks under dropout, after Roy et al., "Bayesian QuickNAT", 1811.09800."""

from seedqueue.selectors.pool import Pool
from seedqueue.selectors.registry import register
from seedqueue.selectors.selection import Selection
from seedqueue.selectors.uncertainty import most_uncertain


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
    `seedqueue.selectors.pixels.dropout_disagreement`. Ties: the lowest row.

    cluster: the position in the queue; weight: the unlabelled rows nearest to this one. Time
    O(n log n + n budget d), memory O(n). The random seed changes nothing.
    """
    assert pool.signals.pixel_disagreement is not None
    return most_uncertain(pool, pool.signals.pixel_disagreement, budget)
