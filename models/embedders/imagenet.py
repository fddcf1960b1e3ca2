"""torchvision's ImageNet classifiers without their last layer.

The paper's ImageNet arm is DenseNet-121 with 1024 pooled features (Yuan & Hong,
arXiv 2402.02561), the default here.
"""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from seedqueue.models import weights
from seedqueue.models.embedder import Embedder, Floats, fingerprint
from seedqueue.models.errors import WeightsCorrupt
from seedqueue.models.pickled import reason
from seedqueue.models.registry import register

if TYPE_CHECKING:
    import torch

_SIDE = 224
_MEAN = np.array([0.485, 0.456, 0.406], dtype=np.float32)
_DEVIATION = np.array([0.229, 0.224, 0.225], dtype=np.float32)
_PREPROCESSING = 1

# These two resize and normalise within the network, in their own way.
_OTHER_INPUT = ("googlenet", "inception_v3")


class ImageNet(Embedder):
    """RGB 224 x 224 (grey is repeated), bilinear, [0, 1], then ImageNet's mean and deviation.

    The embedding is what the classifier's last linear layer sees; for SqueezeNet, which has
    none, the mean over the last feature map.
    """

    def __init__(self, name: str, weights_folder: Path) -> None:
        import torch

        variant = name.partition(":")[2]
        path = weights.require(weights_folder, _file_names(variant), name)
        digest = weights.verify(path, _hash_in_name(path.name))
        model, self.dimension = _headless(_load(variant, path))
        self._model = model.eval().float()
        self._torch = torch
        self.name = name
        self.fingerprint = fingerprint(name=name, weights=digest, preprocessing=_PREPROCESSING, arithmetic="float32")

    def prepare(self, image: Image.Image) -> Floats:
        """float32 (3, 224, 224), RGB, normalised."""
        small = image.convert("RGB").resize((_SIDE, _SIDE), Image.Resampling.BILINEAR)
        scaled = np.asarray(small, dtype=np.float32) / np.float32(255)
        return np.ascontiguousarray(((scaled - _MEAN) / _DEVIATION).transpose(2, 0, 1))

    def embed(self, inputs: Floats) -> Floats:
        """(n, 3, 224, 224) to (n, d)."""
        with self._torch.inference_mode():
            features = self._model(self._torch.from_numpy(np.ascontiguousarray(inputs)))
        return np.asarray(features.numpy(), dtype=np.float32)


def _variants() -> tuple[str, ...]:
    import torchvision

    listed = torchvision.models.list_models(module=torchvision.models)
    return tuple(name for name in listed if name not in _OTHER_INPUT)


def _published(variant: str) -> list[Any]:
    """torchvision's weights of a model, its default first, without those for larger inputs."""
    from torchvision.models import get_model_weights

    every = get_model_weights(variant)
    ordered = sorted(every, key=lambda one: one != every.DEFAULT)
    return [one for one in ordered if min(one.meta["min_size"]) <= _SIDE]


def _file_names(variant: str) -> list[str]:
    return [one.url.rpartition("/")[2] for one in _published(variant)] + [f"{variant}_imagenet.pth"]


def _hash_in_name(filename: str) -> str | None:
    """torchvision ends its file names with the first digits of the SHA-256."""
    found = re.search(r"-([0-9a-f]{8})\.pth$", filename)
    return found.group(1) if found else None


def _source(variant: str) -> weights.WeightsSource:
    url = _published(variant)[0].url
    filename = url.rpartition("/")[2]
    return weights.WeightsSource(url, filename, _hash_in_name(filename))


def _load(variant: str, path: Path) -> "torch.nn.Module":
    import pickle

    import torch
    import torchvision

    model: torch.nn.Module = torchvision.models.get_model(variant, weights=None)
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        # torchvision's DenseNet files write `norm.1`, its code `norm1`: its own loader renames too.
        pattern = re.compile(r"^(.*denselayer\d+\.(?:norm|relu|conv))\.([12]\..*)$")
        model.load_state_dict({pattern.sub(r"\1\2", key): value for key, value in state.items()})
    except (pickle.UnpicklingError, RuntimeError, EOFError, AttributeError) as error:
        raise WeightsCorrupt(path, f"torchvision's {variant}", reason(error)) from error
    return model


def _headless(model: "torch.nn.Module") -> tuple["torch.nn.Module", int]:
    """The model ending before its last linear layer, and the length of what comes out."""
    import torch

    linear = [name for name, layer in model.named_modules() if isinstance(layer, torch.nn.Linear)]
    if not linear:  # SqueezeNet classifies by a convolution on the last feature map
        convolution = [layer for layer in model.modules() if isinstance(layer, torch.nn.Conv2d)][-1]
        model.classifier = torch.nn.AdaptiveAvgPool2d(1)
        return model, convolution.in_channels
    parent, _, last = linear[-1].rpartition(".")
    layer = model.get_submodule(linear[-1])
    assert isinstance(layer, torch.nn.Linear)
    setattr(model.get_submodule(parent), last, torch.nn.Identity())
    return model, layer.in_features


@register(
    "imagenet",
    title="ImageNet",
    summary="torchvision's classifiers trained on photographs; the paper's DenseNet-121 by default.",
    dimension=1024,
    input="224 x 224, RGB (grey repeated), ImageNet mean and deviation",
    default_variant="densenet121",
    variants=_variants,
    weights_source=_source,
)
def create(name: str, weights_folder: Path) -> Embedder:
    """Load `imagenet:<torchvision model>`."""
    return ImageNet(name, weights_folder)
