"""A pool as one embedder shows it on one split: what many units of a repeat share."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from threadpoolctl import threadpool_limits

from seedqueue.experiments.cells import NO_EMBEDDER
from seedqueue.experiments.grid import Grid
from seedqueue.experiments.prepared import Flags, Floats, PreparedPool, Rows
from seedqueue.experiments.splits import Split, split_of
from seedqueue.selectors.representation import Scaler, fit_scaler, to_unit_length
from seedqueue.selectors.source import Matrix

# A weak label holds of the images above this quantile of its scores.
SCORED = 0.9

# Columns for each row from which the basis pays.
WIDE = 2


@dataclass(frozen=True, eq=False)
class View:
    """embeddings: float32 (n, d) of the whole pool."""

    split: Split
    embeddings: Floats

    @cached_property
    def train(self) -> Floats:
        """float32 (m, d) of the training part: all that a selector may see."""
        return self.embeddings[self.split.train]

    @cached_property
    def scaler(self) -> Scaler:
        """Of the training part: no labels are needed for that, and no test image is seen."""
        return fit_scaler(Matrix(self.train))

    @cached_property
    def features(self) -> Floats:
        """What the linear head learns from: all rows standardised, float32 (n, k).

        Of wide embeddings their coordinates in an orthonormal basis of the training part, of as many columns as it
        has rows. The head's weights lie in that span (representer theorem), so that the optimum and every
        score are the same; with an image's pixels it saves 99 of 100 operations.
        """
        standardised = self.scaler.apply(self.embeddings, "standardised")
        if standardised.shape[1] <= WIDE * len(self.split.train):
            return standardised
        with threadpool_limits(limits=1):
            basis = np.linalg.qr(standardised[self.split.train].T)[0]
            return np.ascontiguousarray(standardised @ basis)

    @cached_property
    def unit(self) -> Floats:
        """The training part at unit length, in the basis of `features`: all angles and distances are the same."""
        return to_unit_length(self.features[self.split.train])


def weak_labels(scores: Floats, train: Rows) -> Flags:
    """bool (len(train), findings): yes and no as they are; of scores the highest tenth of the training part."""
    seen = scores[train]
    if np.isin(scores, (0, 1)).all():
        return np.asarray(seen, dtype=np.bool_)
    return np.asarray(seen > np.quantile(seen, SCORED, axis=0))


@lru_cache(maxsize=3)
def view_of(pool: PreparedPool, embedder: str, grid: Grid, repeat: int) -> View:
    """The last few are kept: units come repeat by repeat. Of "-" the embeddings are zeros, which tell how many."""
    if embedder == NO_EMBEDDER:
        return View(split_of(pool, grid, repeat), np.zeros((len(pool), 1), dtype=np.float32))
    return View(split_of(pool, grid, repeat), pool.embeddings(embedder))
