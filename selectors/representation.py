"""The explicit small stage in front of a selector: how embeddings are scaled and reduced before distances.

METHODS.md, "What real data said": the representation mattered more than the algorithm. Whether the
unit vectors were reduced to 32, 64 or 128 principal components made no difference beyond the
standard errors (docs/selectors.md), so pools of more than EXACT_ROWS are reduced: that is what makes
100,000 images a matter of seconds.
"""

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from seedqueue.selectors.selection import Embeddings, Rows
from seedqueue.selectors.source import Source, blocks

Representation = Literal["raw", "standardised", "unit"]
REPRESENTATIONS: tuple[Representation, ...] = get_args(Representation)

# Up to here nothing is approximated: all components, all rows count in every sum.
EXACT_ROWS = 10_000

# Principal components beyond EXACT_ROWS, unless others are asked for.
COMPONENTS = 64

# Columns up to which principal components come from the covariance, columns x columns.
_COVARIANCE_COLUMNS = 4096

# Rows that principal components are fitted to, a random part of larger pools: 80 MB of 1024 columns, 1 GB at most.
_FITTED_ROWS = 20_000
_FITTED_CELLS = 2**28

Vector = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Scaler:
    """Mean and standard deviation of each column over the pool, float64 (d,); 1 for a constant column."""

    mean: Vector
    deviation: Vector

    def apply(self, embeddings: Embeddings, representation: Representation) -> Embeddings:
        """Scale some rows, float32 (m, d) to float32 (m, d).

        raw: as they are. standardised: each column to mean 0 and standard deviation 1 over the
        pool; a constant column becomes 0. unit: standardised, then each row to length 1; a row of
        zeros stays one.
        """
        if representation == "raw":
            return embeddings
        scaled = self.centred(embeddings)
        scaled /= self.deviation.astype(np.float32)
        return scaled if representation == "standardised" else to_unit_length(scaled)

    def centred(self, embeddings: Embeddings) -> Embeddings:
        """The rows less the mean, float32 (m, d), as exact as in float64 and half the work: in two steps."""
        rounded = self.mean.astype(np.float32)
        result = embeddings - rounded
        result -= (self.mean - rounded).astype(np.float32)
        return result


def fit_scaler(source: Source) -> Scaler:
    """Mean and deviation of each column, in two passes over the source; memory: a block."""
    n, d = source.shape
    # In float64 the mean of up to 2**29 equal float32 values is exact, so a constant column has
    # a deviation of exactly 0 and becomes 0; in float32 its rounding error would be blown up.
    total, squares = np.zeros(d), np.zeros(d)
    for _, block in blocks(source):
        total += block.sum(axis=0, dtype=np.float64)
    mean = total / max(n, 1)
    scaler = Scaler(mean, np.ones(d))
    for _, block in blocks(source):
        centred = scaler.centred(block)
        squares += np.square(centred, dtype=np.float64).sum(axis=0)
    deviation = np.sqrt(squares / max(n, 1))
    deviation[deviation == 0] = 1.0
    return Scaler(mean, deviation)


def components_for(shape: tuple[int, int], asked: int | None) -> int | None:
    """How many principal components a pool (n, d) is reduced to; None: to none.

    asked: None for the default, which is none up to EXACT_ROWS and COMPONENTS beyond; 0 for none at any size.
    """
    n, d = shape
    wanted = asked if asked is not None else (COMPONENTS if n > EXACT_ROWS else 0)
    return wanted if 0 < wanted < min(n, d) else None


def represent(
    source: Source, scaler: Scaler, representation: Representation, components: int | None = None
) -> Embeddings:
    """All embeddings in the asked representation: float32 (n, d), or (n, components).

    components: principal components of the scaled embeddings (Pearson 1901), or None for all
    columns. Under "unit" what is left of each row is scaled to length 1 again, so that cosines
    stay cosines. The components of larger pools are fitted to 20,000 rows of theirs or 1 GB, drawn with a
    fixed random seed.

    O(n d) time, O(n d components) with components; memory: the result and a block.
    """
    n, d = source.shape
    reduced = None if components is None else _fit_components(source, scaler, representation, components)
    result = np.empty((n, d if components is None else components), dtype=np.float32)
    for part, block in blocks(source):
        scaled = scaler.apply(block, representation)
        result[part] = scaled if reduced is None else _project(reduced, scaled, representation)
    return result


def to_unit_length(rows: Embeddings) -> Embeddings:
    """Each row at length 1, float32 (m, d); a row of zeros stays one."""
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    length[length == 0] = 1.0
    return np.asarray(rows / length, dtype=np.float32)


def principal_components(rows: Embeddings, components: int) -> Any:
    """scikit-learn's PCA, fitted to rows (m, d).

    By the eigenvectors of their covariance, d x d; of more than 4,096 columns (an image's pixels) that would take
    gigabytes, and a randomised SVD with a fixed random seed (Halko et al. 2011) takes its place.
    """
    # Imported here: listing the selectors for a menu must not wait for scikit-learn.
    from sklearn.decomposition import PCA

    if rows.shape[1] <= _COVARIANCE_COLUMNS:
        return PCA(components, svd_solver="covariance_eigh").fit(rows)
    return PCA(components, svd_solver="randomized", random_state=0).fit(rows)


def _fit_components(source: Source, scaler: Scaler, representation: Representation, components: int) -> Any:
    n, d = source.shape
    drawn: Rows = np.arange(n)
    fitted = min(_FITTED_ROWS, _FITTED_CELLS // d)
    if n > fitted:
        drawn = np.sort(np.random.default_rng(0).choice(n, fitted, replace=False))
    return principal_components(scaler.apply(source.take(drawn), representation), components)


def _project(reduced: Any, scaled: Embeddings, representation: Representation) -> Embeddings:
    projected = np.asarray(reduced.transform(scaled), dtype=np.float32)
    return to_unit_length(projected) if representation == "unit" else projected
