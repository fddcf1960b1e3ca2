"""Embeddings that look like a network's, drawn: for timings where no pool of that size is at hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

DIMENSIONS = 1024

# Numbers behind each embedding, clusters, and the clusters of clusters that they belong to.
_LATENT, _CLUSTERS, _FAMILIES = 256, 200, 20

# Rows drawn at once: 64 MiB of float32.
BLOCK_ROWS = 2**14


def feature_blocks(n: int, seed: int = 0) -> Iterator[NDArray[np.float32]]:
    """n embeddings, float32 (at most 16,384, 1024) at a time: clusters of clusters through a random ReLU layer.

    The clusters' sizes are uneven (Dirichlet), and the spread along the i-th latent direction falls as
    1 / sqrt(i). Fewer rows are the first ones of more.
    """
    rng = np.random.default_rng(seed)
    spectrum = (1 / np.sqrt(1 + np.arange(_LATENT))).astype(np.float32)
    families = rng.normal(size=(_FAMILIES, _LATENT)) * spectrum
    centres = families[rng.integers(_FAMILIES, size=_CLUSTERS)] + rng.normal(size=(_CLUSTERS, _LATENT)) * spectrum
    sizes = rng.dirichlet(np.ones(_CLUSTERS))
    layer = rng.normal(size=(_LATENT, DIMENSIONS)).astype(np.float32)
    for number, start in enumerate(range(0, n, BLOCK_ROWS)):
        drawn = np.random.default_rng([seed, number])
        cluster = drawn.choice(_CLUSTERS, size=BLOCK_ROWS, p=sizes)
        latent = drawn.standard_normal((BLOCK_ROWS, _LATENT), dtype=np.float32) * spectrum
        latent += centres[cluster].astype(np.float32)
        # Of the whole block, whatever is asked for: BLAS sums in another order for another number of rows.
        rows = (latent @ layer)[: n - start]
        yield np.maximum(rows, 0, out=rows)


def features(n: int, seed: int = 0) -> NDArray[np.float32]:
    """The same as one matrix, float32 (n, 1024)."""
    found = np.empty((n, DIMENSIONS), dtype=np.float32)
    start = 0
    for block in feature_blocks(n, seed):
        found[start : start + len(block)] = block
        start += len(block)
    return found


def write_float16(file: Path, n: int, seed: int = 0) -> None:
    """The same in a plain file of float16, row after row: 2 GB for a million."""
    with file.open("wb") as out:
        for block in feature_blocks(n, seed):
            block.astype(np.float16).tofile(out)
