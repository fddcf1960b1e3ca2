"""Cluster-Margin, after Citovsky et al., "Batch Active Learning at Scale", 2107.14263."""

from seedqueue.selectors.clusters import kmeans_clusters
from seedqueue.selectors.pool import Pool
from seedqueue.selectors.ranking import take_by_uncertainty
from seedqueue.selectors.registry import register
from seedqueue.selectors.selection import Selection
from seedqueue.selectors.uncertainty import narrowness, where_uncertain
from seedqueue.selectors.weights import standing_for_nearest


@register(
    "cluster-margin",
    representation="unit",
    title="Cluster-Margin",
    summary="The row of each K-means cluster that the head is least sure of.",
    offered=False,
    needs=("probabilities",),
)
def cluster_margin(pool: Pool, budget: int, *, seed: int) -> Selection:
    """From the smallest margin p_1 - p_2 on, take one row of every cluster that holds no labelled one.

    pool.embeddings: float32 (n, d), of length 1; pool.signals.probabilities: float (n, classes).
    K-means makes labelled + budget clusters. The paper clusters hierarchically and goes round the
    clusters from the smallest on; one row of each is METHODS.md's form. Ties: what covers most.

    cluster: the K-means label; weight: the unlabelled rows nearest to this one. Time O(n k d) for
    each of K-means' iterations, memory O(n d).
    """
    assert pool.signals.probabilities is not None
    label = kmeans_clusters(pool.embeddings, min(len(pool.labelled) + budget, len(pool)), seed).label
    used = set(label[pool.labelled].tolist())

    def take(row: int) -> bool:
        if label[row] in used or not pool.allowance.take(row):
            return False
        used.add(int(label[row]))
        return True

    score = where_uncertain(narrowness(pool.signals.probabilities), pool.signals.probabilities)
    rows = take_by_uncertainty(pool, score, budget, take=take, seed=seed)
    chosen = standing_for_nearest(pool, rows)
    return Selection(chosen.rows, label[chosen.rows], chosen.weight)
