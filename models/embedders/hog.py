"""Histogram of oriented gradients: a hand-made descriptor that needs no weights.

Dalal & Triggs, "Histograms of Oriented Gradients for Human Detection", CVPR 2005.
"""

from pathlib import Path

import numpy as np
from PIL import Image

from seedqueue.models.embedder import Embedder, Floats, Input, fingerprint
from seedqueue.models.registry import register
from seedqueue.models.runtime import Runtime

_SIDE = 128
_CELL = 16
_BLOCK = 2
_ORIENTATIONS = 9
_BLOCKS = _SIDE // _CELL - _BLOCK + 1
_DIMENSION = _BLOCKS**2 * _BLOCK**2 * _ORIENTATIONS
_PREPROCESSING = 1


class Hog(Embedder):
    """Grey 128 x 128, bilinear, [0, 1]; 9 orientations, cells of 16, blocks of 2 x 2: 1764."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.dimension = _DIMENSION
        self.fingerprint = fingerprint(name=name, weights=None, preprocessing=_PREPROCESSING, arithmetic="float32")

    def prepare(self, image: Image.Image) -> Input:
        """float32 (128, 128), grey, [0, 1]."""
        grey = image.convert("L").resize((_SIDE, _SIDE), Image.Resampling.BILINEAR)
        return np.asarray(grey, dtype=np.float32) / np.float32(255)

    def embed(self, inputs: Input) -> Floats:
        """(n, 128, 128) to (n, 1764)."""
        from skimage.feature import hog  # here: listing the embedders must stay quick

        result = np.empty((len(inputs), self.dimension), dtype=np.float32)
        for row, grey in enumerate(inputs):
            result[row] = hog(
                grey,
                orientations=_ORIENTATIONS,
                pixels_per_cell=(_CELL, _CELL),
                cells_per_block=(_BLOCK, _BLOCK),
            )
        return result


@register(
    "hog",
    title="Oriented gradients (HOG)",
    summary="A hand-made descriptor of edges. No weights, a few milliseconds an image.",
    dimension=_DIMENSION,
    input="128 x 128, grey, 0 to 1",
    has_seen="nothing",
)
def create(name: str, weights_folder: Path, runtime: Runtime) -> Embedder:
    """Nothing to load: folder and runtime are not looked at."""
    return Hog(name)
