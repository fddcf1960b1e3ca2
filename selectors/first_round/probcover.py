"""ProbCover: Yehuda et al., "Active Learning Through a Covering Lens", 2205.11320."""

import numpy as np

from seedqueue.selectors.clusters import kmeans_clusters
from seedqueue.selectors.greedy import drawn_rows, greedy_cover
from seedqueue.selectors.kernels import Ball, pair_blocks, squared_distances
from seedqueue.selectors.pool import Pool
from seedqueue.selectors.registry import register
from seedqueue.selectors.selection import Embeddings, Selection
from seedqueue.selectors.weights import standing_for_nearest

PURITY = 0.95

# The paper has as many pseudo-labels as classes, which nobody knows here. A number that did not
# depend on the budget was needed: a longer queue begins with the shorter one.
PSEUDO_LABELS = 20

# Rows of a larger pool whose balls decide about the radius.
_RADIUS_ROWS = 2048


@register(
    "probcover",
    representation="unit",
    title="ProbCover",
    summary="Balls of one radius that cover most of what is uncovered; the radius is found from pseudo-labels.",
    offered=False,
    greedy=True,
)
def probcover(pool: Pool, budget: int, *, seed: int) -> Selection:
    """Take, again and again, the row within whose radius delta most uncovered rows lie.

    pool.embeddings: float32 (n, d), of length 1. delta is the largest radius at which at least 95 %
    of the balls hold one K-means pseudo-label only. Rows within delta of a labelled one are covered.
    Where everything is covered the rest comes in the order of rows.

    cluster: the position in the queue; weight: the unlabelled rows nearest to this one. Time O(m n d)
    for the m rows that are counted, all up to 10,000 and 8,192 beyond; memory O(n + m d).
    """
    radius = pure_radius(pool.embeddings, min(PSEUDO_LABELS, len(pool)), seed)
    rows = greedy_cover(
        pool.embeddings,
        np.flatnonzero(pool.allowance.open),
        budget,
        kernel=Ball(radius),
        covered=pool.labelled,
        take=pool.allowance.take,
        seed=seed,
    )
    return standing_for_nearest(pool, rows)


def pure_radius(embeddings: Embeddings, pseudo_labels: int, seed: int) -> float:
    """The largest delta at which 95 % of the rows have only rows of their own pseudo-label within delta.

    A row's ball is pure below the distance to the nearest row of another label, so delta is just
    below the quantile of these distances. Without a second label: the largest distance there is.
    """
    label = kmeans_clusters(embeddings, pseudo_labels, seed).label
    sample = drawn_rows(np.arange(len(embeddings)), _RADIUS_ROWS, seed)
    nearest = np.full(len(sample), np.inf, dtype=np.float32)
    ground, own = embeddings[sample], label[sample]
    for part, squared in pair_blocks(embeddings, ground, squared_distances):
        np.putmask(squared, label[part][:, None] == own, np.inf)
        nearest = np.minimum(nearest, squared.min(axis=0))
    impure_from = np.sort(np.sqrt(nearest))
    allowed = int((1 - PURITY) * len(sample))  # so many balls may be impure
    radius = float(impure_from[allowed])
    return np.nextafter(radius, 0) if np.isfinite(radius) else 2.0
