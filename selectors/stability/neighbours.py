"""Who is near whom: near duplicates, and rows that are far from all others."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from seedqueue.selectors.allowance import ROUNDING
from seedqueue.selectors.linking import Pairs, alike, linked
from seedqueue.selectors.representation import EXACT_ROWS
from seedqueue.selectors.selection import Embeddings, Rows
from seedqueue.selectors.stability.ground import Ground
from seedqueue.selectors.stability.pool_figures import AtCosine, Group, NearDuplicates, Outlier, Outliers

NEIGHBOURS = 10

# Interquartile ranges beyond the third quartile: Tukey's "far out".
_FENCE = 3

# How many groups, names of each and outliers are listed.
_GROUPS, _NAMES, _OUTLIERS = 10, 12, 20

# Thresholds that are tried beside the one asked for.
_COSINES = (0.8, 0.9, 0.95, 0.98, 0.99)

Distances = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Nearest:
    """Distances and rows of each row's nearest others, nearest first: both (n, k), k = min(10, n - 1)."""

    distance: Distances
    row: Rows

    @property
    def radius(self) -> float:
        """The median distance to the nearest neighbour; 0 for a single row."""
        return float(np.median(self.distance[:, 0])) if self.distance.size else 0.0

    def above(self, cosine: float) -> int:
        """How many rows of length 1 have a neighbour of at least that cosine."""
        return int((self.distance[:, :1] ** 2 <= 2 * (1 - cosine + ROUNDING)).sum())


def nearest_neighbours(represented: Embeddings) -> Nearest:
    """The nearest neighbours of unit vectors, on their columns.

    O(n^2 d) time; scikit-learn keeps some MB at once.
    """
    from sklearn.neighbors import NearestNeighbors

    count = min(NEIGHBOURS, len(represented) - 1)
    if count < 1:
        return Nearest(np.empty((len(represented), 0)), np.empty((len(represented), 0), dtype=np.int64))
    return Nearest(*NearestNeighbors(n_neighbors=count, algorithm="brute").fit(represented).kneighbors())


def near_duplicates(
    ground: Ground, nearest: Nearest, threshold: float, names: Sequence[str], queue: Rows
) -> NearDuplicates:
    """Groups of rows with a cosine of at least the threshold, found exactly up to EXACT_ROWS.

    Beyond, a row with more than ten others that near is linked to the ten nearest alone, which still makes one group.
    """
    if len(ground) <= EXACT_ROWS:
        pairs = alike(ground.unit(np.arange(len(ground))), threshold)
    else:
        pairs = _near_pairs(ground, nearest.row, threshold)
    label = linked(len(ground), pairs)
    members = [np.flatnonzero(label == group) for group in np.flatnonzero(np.bincount(label) > 1)]
    members.sort(key=lambda rows: (-len(rows), rows[0]))
    chosen = ground.unit(queue)
    close = np.triu(chosen @ chosen.T >= threshold - ROUNDING, k=1)
    return NearDuplicates(
        threshold=threshold,
        groups=len(members),
        images=sum(map(len, members)),
        pairs_in_queue=int(close.sum()),
        largest=tuple(
            Group(len(rows), tuple(names[row] for row in rows[:_NAMES].tolist()), int(np.isin(rows, queue).sum()))
            for rows in members[:_GROUPS]
        ),
        elsewhere=tuple(AtCosine(cosine, nearest.above(cosine)) for cosine in _COSINES),
    )


def _near_pairs(ground: Ground, neighbours: Rows, threshold: float) -> Iterator[Pairs]:
    step = 1024
    for start in range(0, len(ground), step):
        rows = np.arange(start, min(start + step, len(ground)))
        unit = ground.unit(rows)
        for other in neighbours[rows].T:
            cosine = np.einsum("ij,ij->i", unit, ground.unit(other))
            near = cosine >= threshold - ROUNDING
            yield rows[near], other[near]


def outliers(distance: Distances, names: Sequence[str], queue: Rows) -> tuple[Outliers, Rows]:
    """The figures and all outlying rows, farthest first. distance: (n, k), of the nearest neighbours."""
    n, count = distance.shape
    far = distance[:, -1] if count else np.zeros(n)
    low, high = np.quantile(far, [0.25, 0.75])
    fence = float(high + _FENCE * (high - low))
    # Equal distances differ by rounding alone: that is no outlier.
    rows = np.flatnonzero(far > fence + 1e-6)
    rows = rows[np.argsort(-far[rows], kind="stable")]
    rank = {row: at for at, row in enumerate(queue.tolist(), start=1)}
    listed = [row for at, row in enumerate(rows.tolist()) if at < _OUTLIERS or row in rank]
    return Outliers(
        count=len(rows),
        in_queue=sum(row in rank for row in rows.tolist()),
        fence=fence,
        farthest=tuple(Outlier(row, names[row], float(far[row]), rank.get(row, 0)) for row in listed),
    ), rows
