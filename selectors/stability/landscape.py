"""A flat picture of the pool, with the queue on it."""

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from seedqueue.selectors.representation import principal_components
from seedqueue.selectors.selection import Embeddings, Rows
from seedqueue.selectors.stability.pool_figures import Map, MapPoint

Places = npt.NDArray[np.float64]

# Rows that t-SNE places in a few seconds; larger pools show a random part, always with the queue.
MOST_ROWS = 2_000

# Below so many rows t-SNE has no neighbourhood to keep.
LEAST_ROWS = 10

# Columns that t-SNE sees: the distances hardly change, and it takes half the time.
_COMPONENTS = 50


def landscape(represented: Embeddings, queue: Rows, labelled: Rows, rng: np.random.Generator) -> Map:
    """Place rows in the plane: t-SNE (van der Maaten & Hinton 2008), or two principal components.

    The latter where there are fewer than 10 rows, or more than 2,000 in the queue, or all rows are equal.
    represented: unit vectors of all rows.
    """
    rows = _shown(len(represented), queue, rng)
    place, method = laid_out(represented[rows])
    rank = {row: at for at, row in enumerate(queue.tolist(), start=1)}
    known = set(labelled.tolist())
    points = tuple(
        MapPoint(row, round(x, 4), round(y, 4), rank.get(row, 0), row in known)
        for row, (x, y) in zip(rows.tolist(), place.tolist(), strict=True)
    )
    return Map(method, len(points), points)


def laid_out(rows: Embeddings) -> tuple[Places, str]:
    """All rows in the plane, float64 (n, 2) from 0 to 1, and the method: t-SNE up to 2,000 rows, else PCA."""
    spread = len(rows) > 0 and bool(np.ptp(rows, axis=0).max() > 0)
    tsne = LEAST_ROWS <= len(rows) <= MOST_ROWS and spread
    # One thread: more of them round differently, and t-SNE's wait for one another: five times slower.
    with threadpool_limits(limits=1):
        return _scaled(_tsne(rows) if tsne else _plane(rows)), "t-SNE" if tsne else "PCA"


def _shown(n: int, queue: Rows, rng: np.random.Generator) -> Rows:
    if n <= MOST_ROWS:
        return np.arange(n)
    others = np.setdiff1d(np.arange(n), queue, assume_unique=True)
    drawn = rng.choice(others, max(0, MOST_ROWS - len(queue)), replace=False)
    return np.sort(np.concatenate([queue, drawn]))


def _tsne(rows: Embeddings) -> Places:
    from sklearn.manifold import TSNE

    n = len(rows)
    wanted = min(_COMPONENTS, *rows.shape)
    reduced = rows if wanted == rows.shape[1] else principal_components(rows, wanted).transform(rows)
    init = "pca" if reduced.shape[1] > 1 else "random"
    model = TSNE(init=init, random_state=0, perplexity=min(30.0, (n - 1) / 3), n_jobs=1)
    return np.asarray(model.fit_transform(np.ascontiguousarray(reduced, dtype=np.float32)), dtype=np.float64)


def _plane(rows: Embeddings) -> Places:
    """Two principal components (m, 2); zeros where there are fewer."""
    plane = np.zeros((len(rows), 2))
    count = min(2, *rows.shape)
    if len(rows) > 1 and np.ptp(rows, axis=0).max() > 0:
        plane[:, :count] = principal_components(rows, count).transform(rows)
    return plane


def _scaled(place: Places) -> Places:
    """Both axes to 0..1 by one scale, in the middle."""
    if not len(place):
        return place
    low, high = place.min(axis=0), place.max(axis=0)
    width = float((high - low).max()) or 1.0
    return np.asarray(np.clip((place - (low + high) / 2) / width + 0.5, 0, 1))
