"""k-center greedy: Sener & Savarese, "Active Learning for Convolutional Neural Networks", 1708.00489."""

from seedqueue.selectors.greedy import farthest_first
from seedqueue.selectors.pool import Pool
from seedqueue.selectors.registry import register
from seedqueue.selectors.selection import Selection
from seedqueue.selectors.weights import standing_for_nearest


@register(
    "kcenter",
    representation="unit",
    title="k-center",
    summary="Farthest first (Core-set): known to chase outliers, and among the worst in our tests.",
    offered=False,
    greedy=True,
)
def kcenter(pool: Pool, budget: int, *, seed: int) -> Selection:
    """Take, again and again, the row whose nearest chosen or labelled row is farthest.

    pool.embeddings: float32 (n, d), of length 1. Its largest gap, max over i of min over j of
    ||x_i - x_j||, is at most twice the best possible (Gonzalez 1985). The first row of an unlabelled
    pool is the one nearest to its mean. The random seed changes nothing.

    cluster: the position in the queue; weight: the unlabelled rows nearest to this one. Time
    O(n (budget + labelled) d), memory O(n).
    """
    return standing_for_nearest(pool, farthest_first(pool.embeddings, pool.labelled, budget, pool.allowance.take))
