"""How many new images are unlike anything that is labelled. Pure: vectors in, distances out.

An image is novel when it lies farther from the nearest labelled image than 95 % of the old images lie from theirs.
Old and new images are measured alike (never to themselves, nor to an image of their own patient), so that among new
images like the old ones 5 % are novel by construction.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seedqueue.models.metrics import bootstrap
from seedqueue.selectors.kernels import pair_blocks, squared_distances
from seedqueue.selectors.selection import Embeddings, Rows

QUANTILE = 0.95
EXPECTED = 1 - QUANTILE
# Old images whose distances make the yardstick: a random part of more.
REFERENCE_ROWS = 10_000
LEAST_REFERENCE = 20  # of fewer none lies beyond 95 %
_POINTS = 1024
_ROUNDING = 1e-6
_Z = 1.959964

Doubles = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Novelty:
    """rows: int64 (m,), the new rows that were measured; distance: float64 (m,), infinite where nothing is to compare.

    threshold: beyond it a row is novel. share with its 95 % interval. points: images that distances are to.
    """

    rows: Rows
    distance: Doubles
    threshold: float
    share: float
    low: float
    high: float
    points: int

    @property
    def novel(self) -> Rows:
        """The novel rows, the farthest first."""
        far = np.flatnonzero(self.distance > self.threshold + _ROUNDING)
        return self.rows[far[np.argsort(-self.distance[far], kind="stable")]]


def novelty(represented: Embeddings, old: Rows, new: Rows, points: Rows, groups: Rows, seed: int) -> Novelty | None:
    """None where fewer than 20 old images or no new ones can be measured.

    represented: float32 (n, d), all images alike. old, new: the rows of either part. points: the labelled rows.
    groups: int64 (n,), the patient of each row; a row without one has a number of its own.
    """
    measured = np.setdiff1d(new, points)
    if len(old) > REFERENCE_ROWS:
        old = np.sort(np.random.default_rng(seed).choice(old, REFERENCE_ROWS, replace=False))
    usual = distance_to_others(represented, old, points, groups)
    usual = usual[np.isfinite(usual)]
    if len(usual) < LEAST_REFERENCE or not len(measured):
        return None
    distance = distance_to_others(represented, measured, points, groups)
    threshold = float(np.quantile(usual, QUANTILE, method="higher"))
    novel = distance > threshold + _ROUNDING
    share, low, high = share_with_interval(novel, groups[measured], seed)
    return Novelty(measured, distance, threshold, share, low, high, len(points))


def distance_to_others(represented: Embeddings, rows: Rows, points: Rows, groups: Rows) -> Doubles:
    """Each row's Euclidean distance to the nearest point of another group: float64 (len(rows),), infinite without.

    O(rows x points x d) time; memory: the rows and 16 MiB.
    """
    gap = np.full(len(rows), np.inf, dtype=np.float32)
    seen = represented[rows]
    for start in range(0, len(points), _POINTS):
        some = points[start : start + _POINTS]
        for part, squared in pair_blocks(seen, represented[some], squared_distances):
            squared[groups[rows[part]][:, None] == groups[some]] = np.inf
            gap[part] = np.minimum(gap[part], squared.min(axis=1))
    return np.sqrt(gap.astype(np.float64))


def share_with_interval(marked: NDArray[np.bool_], groups: Rows, seed: int) -> tuple[float, float, float]:
    """The share of the marked rows with its 95 % interval: by a bootstrap over patients where some have several images.

    Else, and where no resample differs, Wilson's (1927) of as many images as there are patients.
    """
    share, count = float(marked.mean()), len(np.unique(groups))
    if count < len(marked):
        weighted = marked.astype(np.float64)
        found = bootstrap.interval(lambda w: (w @ weighted) / w.sum(axis=1), groups, seed=seed)
        if found.low is not None and found.high is not None:
            return share, found.low, found.high
    middle, reach = share + _Z**2 / (2 * count), _Z * np.sqrt(share * (1 - share) / count + _Z**2 / (4 * count**2))
    scale = 1 + _Z**2 / count
    return share, max(0.0, float((middle - reach) / scale)), min(1.0, float((middle + reach) / scale))
