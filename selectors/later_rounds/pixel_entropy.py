"""Pixel entropy of a segmenter: the mean over the predicted foreground."""

from seedqueue.selectors.pool import Pool
from seedqueue.selectors.ranking import most_uncertain
from seedqueue.selectors.registry import register
from seedqueue.selectors.selection import Selection


@register(
    "pixel-entropy",
    representation="unit",
    title="Pixel entropy",
    summary="Where the segmenter is least sure of what it marked.",
    offered=True,
    greedy=True,
    needs=("pixel_entropy",),
)
def pixel_entropy(pool: Pool, budget: int, *, seed: int) -> Selection:
    """Take the rows of the largest mean pixel entropy over the predicted foreground.

    pool.signals.pixel_entropy: float (n,), of each image by `seedqueue.selectors.pixels.foreground_entropy`.
    Ties: what covers most.

    cluster: the position in the queue; weight: the unlabelled rows nearest to this one. Time
    O(n log n + n budget d), memory O(n); what ties take: `take_by_uncertainty`.
    """
    assert pool.signals.pixel_entropy is not None
    return most_uncertain(pool, pool.signals.pixel_entropy, budget, seed)
