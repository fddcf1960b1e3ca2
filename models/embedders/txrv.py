"""torchxrayvision's chest X-ray DenseNet-121: the paper's TXRV arm and the default embedder.

Cohen et al., "TorchXRayVision: A library of chest X-ray datasets and models", MIDL 2022.
"""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from seedqueue.models import weights
from seedqueue.models.embedder import Embedder, Floats, fingerprint
from seedqueue.models.errors import WeightsCorrupt
from seedqueue.models.pickled import load_pickled_model, reason
from seedqueue.models.registry import register

_SIDE = 224
_DIMENSION = 1024
_PREPROCESSING = 1
_DEFAULT = "densenet121-res224-all"

# torchxrayvision's own classes that a saved DenseNet is built of.
_CLASSES = ("DenseNet", "_DenseBlock", "_DenseLayer", "_Transition")


class TorchXRayVision(Embedder):
    """Grey 224 x 224, bilinear, 0..255 mapped to [-1024, 1024] as torchxrayvision's normalize.

    The whole image is resized: torchxrayvision's own scripts cut the centre square first, which
    would lose what lies at the edge. The embedding is `features2`: 1024 features, averaged.
    """

    def __init__(self, name: str, weights_folder: Path) -> None:
        import torch

        source = _source(name.partition(":")[2])
        path = weights.require(weights_folder, [source.filename], name)
        digest = weights.verify(path)
        library = _library()
        state = load_pickled_model(path, [getattr(library, each) for each in _CLASSES])
        part = "features."
        features = {key.removeprefix(part): value for key, value in state.items() if key.startswith(part)}
        model = library.DenseNet(weights=None)
        try:
            model.features.load_state_dict(features)
        except RuntimeError as error:
            raise WeightsCorrupt(path, "torchxrayvision's DenseNet-121", reason(error)) from error
        self._model = model.eval().float()
        self._torch = torch
        self.name = name
        self.dimension = _DIMENSION
        self.fingerprint = fingerprint(name=name, weights=digest, preprocessing=_PREPROCESSING, arithmetic="float32")

    def prepare(self, image: Image.Image) -> Floats:
        """float32 (1, 224, 224), grey, [-1024, 1024]."""
        grey = image.convert("L").resize((_SIDE, _SIDE), Image.Resampling.BILINEAR)
        scaled = np.asarray(grey, dtype=np.float32) / np.float32(255)
        return ((2 * scaled - 1) * 1024)[None]

    def embed(self, inputs: Floats) -> Floats:
        """(n, 1, 224, 224) to (n, 1024)."""
        with self._torch.inference_mode():
            features = self._model.features2(self._torch.from_numpy(np.ascontiguousarray(inputs)))
        return np.asarray(features.numpy(), dtype=np.float32)


def _library() -> Any:
    """torchxrayvision.models, whose import would silence all warnings of the process."""
    with warnings.catch_warnings():
        import torchxrayvision.models
    return torchxrayvision.models


def _variants() -> tuple[str, ...]:
    return tuple(name for name in _library().model_urls if name.startswith("densenet121-res224-"))


def _source(variant: str) -> weights.WeightsSource:
    url: str = _library().model_urls[variant]["weights_url"]
    return weights.WeightsSource(url, url.rpartition("/")[2], None)


@register(
    "txrv",
    title="TorchXRayVision",
    summary="The default: DenseNet-121 trained on several chest X-ray collections.",
    dimension=_DIMENSION,
    input="224 x 224, grey, -1024 to 1024",
    default_variant=_DEFAULT,
    variants=_variants,
    weights_source=_source,
)
def create(name: str, weights_folder: Path) -> Embedder:
    """Load `txrv:<torchxrayvision DenseNet>`."""
    return TorchXRayVision(name, weights_folder)
