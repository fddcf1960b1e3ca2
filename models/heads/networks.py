"""The two networks of the paper (Yuan & Hong, arXiv 2402.02561): VGG-11, and U-Net with a VGG-11 encoder.

Both take pixels (n, 3, side, side) from 0 to 255, uint8 or floating, normalise them as ImageNet's networks
are used to, and have two parts: `encoder`, which draws no random numbers, and `decider`, in which all
dropout is. Draws under dropout so repeat the cheaper part only.
"""

from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from seedqueue.models import weights
from seedqueue.models.heads.images import look
from seedqueue.models.pickled import load_state, loaded_strictly
from seedqueue.models.vision import normalised

if TYPE_CHECKING:
    import torch

Kind = Literal["vgg11", "unet-vgg11"]

# The sides of the U-Net's input are multiples of this: the encoder halves five times.
STRIDE = 32

_PAGE = "https://docs.pytorch.org/vision/stable/models.html"
_LICENCE = "BSD-3-Clause; trained on ImageNet, whose terms are for research"
_SERVER = "https://download.pytorch.org/models/"


def source(kind: Kind) -> weights.WeightsSource:
    """The ImageNet weights that a network can begin from, torchvision's; with batch normalisation for the U-Net."""
    name = {"vgg11": "vgg11-8a719046.pth", "unet-vgg11": "vgg11_bn-6002323d.pth"}[kind]
    return weights.WeightsSource((weights.WeightsFile(name, _SERVER + name),), page=_PAGE, licence=_LICENCE)


def build(kind: Kind, classes: int, imagenet: Path | None = None) -> "torch.nn.Module":
    """The network, its last layer new. imagenet: the file of `source(kind)`, checked; None begins from random weights.

    The random numbers are torch's own: seed them before. Raises WeightsCorrupt.
    """
    return vgg11(classes, imagenet) if kind == "vgg11" else unet_vgg11(classes, imagenet)


def unfilled(kind: Kind, classes: int, pretrained: bool) -> "torch.nn.Module":
    """The network that `build` gives with or without ImageNet's weights, its own without values yet."""
    import torch

    with torch.device("meta"):
        return _vgg11(classes, plain=pretrained) if kind == "vgg11" else unet_vgg11(classes)


def vgg11(classes: int, imagenet: Path | None = None) -> "torch.nn.Module":
    """VGG-11: logits (n, classes). Its dropout is torchvision's, 0.5 behind both hidden layers.

    With ImageNet's weights the paper's plain network. Without them batch normalisation follows each
    convolution: the plain one hardly learns from random weights and a few images.
    """
    return _vgg11(classes, imagenet is not None, imagenet)


def _vgg11(classes: int, plain: bool, imagenet: Path | None = None) -> "torch.nn.Module":
    import torch
    import torchvision

    published = torchvision.models.vgg11 if plain else torchvision.models.vgg11_bn
    network = published(weights=None, init_weights=not plain)
    if imagenet:
        loaded_strictly(network, load_state(imagenet, "torchvision's vgg11"), imagenet, "torchvision's vgg11")
    network.classifier[6] = torch.nn.Linear(network.classifier[6].in_features, classes)
    encoder = torch.nn.Sequential(network.features, network.avgpool, torch.nn.Flatten())
    return _joined(encoder, network.classifier)


def unet_vgg11(classes: int, imagenet: Path | None = None, dropout: float = 0.1) -> "torch.nn.Module":
    """U-Net with a VGG-11 encoder: logits (n, classes, side, side).

    Ronneberger et al., 1505.04597, as segmentation_models_pytorch builds it. The encoder has batch
    normalisation, as the decoder has, since it mostly begins from random weights. dropout: of whole channels,
    of the encoder's deepest features and before the last layer, after Roy et al., "Bayesian QuickNAT", 1811.09800.
    """
    import segmentation_models_pytorch as smp

    network: Any = smp.Unet("vgg11_bn", encoder_weights=None, classes=classes)
    if imagenet:
        state = load_state(imagenet, "torchvision's vgg11_bn")
        features = {key: value for key, value in state.items() if key.startswith("features.")}
        loaded_strictly(network.encoder, features, imagenet, "torchvision's vgg11_bn")
    return _joined(network.encoder, _decider(network.decoder, network.segmentation_head, dropout))


def _joined(encoder: "torch.nn.Module", decider: "torch.nn.Module") -> "torch.nn.Module":
    """Normalise, encode, decide."""
    import torch

    return torch.nn.Sequential(OrderedDict(encoder=normalised(encoder, look()), decider=decider))


def _decider(decoder: "torch.nn.Module", last: "torch.nn.Module", dropout: float) -> "torch.nn.Module":
    """The U-Net's second half, with dropout."""
    import torch

    class Decider(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.deep, self.decoder = torch.nn.Dropout2d(dropout), decoder
            self.late, self.last = torch.nn.Dropout2d(dropout), last

        def forward(self, features: list[torch.Tensor]) -> torch.Tensor:
            maps = self.decoder([*features[:-1], self.deep(features[-1])])
            logits: torch.Tensor = self.last(self.late(maps))
            return logits

    return Decider()
