"""The paper's naive baseline: the pixels themselves (Yuan & Hong, arXiv 2402.02561)."""

from pathlib import Path

import numpy as np
from PIL import Image

from seedqueue.models.embedder import Embedder, Floats, Input, fingerprint
from seedqueue.models.registry import register
from seedqueue.models.runtime import Runtime

_SIDE = 224
_PREPROCESSING = 1


class Pixels(Embedder):
    """Grey 224 x 224, bilinear, values in [0, 1]; the embedding is the flattened input."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.dimension = _SIDE * _SIDE
        self.fingerprint = fingerprint(name=name, weights=None, preprocessing=_PREPROCESSING, arithmetic="float32")

    def prepare(self, image: Image.Image) -> Input:
        """float32 (224, 224), grey, [0, 1]."""
        grey = image.convert("L").resize((_SIDE, _SIDE), Image.Resampling.BILINEAR)
        return np.asarray(grey, dtype=np.float32) / np.float32(255)

    def embed(self, inputs: Input) -> Floats:
        """(n, 224, 224) to (n, 50176)."""
        return np.asarray(inputs, dtype=np.float32).reshape(len(inputs), self.dimension)


@register(
    "pixels",
    title="Pixels",
    summary=(
        "The paper's naive baseline: 224 x 224 grey pixels. No weights. An embedding takes 200 kB: for small pools."
    ),
    dimension=_SIDE * _SIDE,
    input="224 x 224, grey, 0 to 1",
    has_seen="nothing",
)
def create(name: str, weights_folder: Path, runtime: Runtime) -> Embedder:
    """Nothing to load: folder and runtime are not looked at."""
    return Pixels(name)
