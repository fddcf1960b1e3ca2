"""torchxrayvision's networks for chest X-rays: the paper's TXRV arm and the default embedder.

Cohen et al., "TorchXRayVision: A library of chest X-ray datasets and models", MIDL 2022. The
autoencoder: Cohen et al., "Gifsplanation via Latent Shift", MIDL 2021.
"""

import warnings
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from seedqueue.models import weights
from seedqueue.models.embedder import Embedder
from seedqueue.models.findings import Findings
from seedqueue.models.pickled import load_pickled_model, load_state, loaded_strictly
from seedqueue.models.registry import register
from seedqueue.models.runtime import Runtime
from seedqueue.models.vision import Look, VisionEmbedder

if TYPE_CHECKING:
    import torch

_PREPROCESSING = 2
_DEFAULT = "densenet121-res224-all"
_RESNET = "resnet50-res512-all"
_AUTOENCODER = "autoencoder-101-elastic"
_ITS_AUTOENCODER = "101-elastic"  # its name in torchxrayvision

# torchxrayvision's own classes that a saved DenseNet is built of.
_CLASSES = ("DenseNet", "_DenseBlock", "_DenseLayer", "_Transition")


def _look(side: int) -> Look:
    """Grey, 0..255 mapped to [-1024, 1024] as torchxrayvision's `normalize` does."""
    return Look(side, "L", mean=(0.5,), deviation=(1 / 2048,))


def _library(part: str = "models") -> Any:
    """A module of torchxrayvision, whose import would silence all warnings of the process."""
    import importlib

    with warnings.catch_warnings():
        return importlib.import_module(f"torchxrayvision.{part}")


def _densenet(path: Path) -> "torch.nn.Module":
    """The features before the classifier, averaged: `features2`, 1024."""
    import torch

    library = _library()
    state = _densenet_state(path)
    part = "features."
    features = {key.removeprefix(part): value for key, value in state.items() if key.startswith(part)}
    trunk: torch.nn.Module = library.DenseNet(weights=None).features
    loaded_strictly(trunk, features, path, "torchxrayvision's DenseNet-121")
    return torch.nn.Sequential(trunk, torch.nn.ReLU(), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten())


def _densenet_state(path: Path) -> dict[str, Any]:
    library = _library()
    return load_pickled_model(path, [getattr(library, each) for each in _CLASSES])


def _findings(path: Path, variant: str) -> Findings:
    """The DenseNet's classifier with the names and operating points that torchxrayvision has for these weights.

    Names are empty, and operating points missing, where the weights were not trained for a finding.
    """
    known = _library().model_urls[variant]
    state = _densenet_state(path)
    threshold = np.asarray(known["op_threshs"], dtype=np.float32)
    trained = np.array([bool(name) for name in known["labels"]]) & np.isfinite(threshold)
    return Findings(
        names=tuple(name for name, there in zip(known["labels"], trained, strict=True) if there),
        weight=state["classifier.weight"].float().numpy()[trained],
        bias=state["classifier.bias"].float().numpy()[trained],
        threshold=threshold[trained],
    )


def _resnet(path: Path) -> "torch.nn.Module":
    """The features before the classifier: 2048. Built as torchxrayvision.models.ResNet does."""
    import torch
    import torchvision

    targets = len(_library().model_urls[_RESNET]["labels"])
    network: torch.nn.Module = torchvision.models.resnet50(weights=None, num_classes=targets)
    network.conv1 = torch.nn.Conv2d(1, 64, kernel_size=7, stride=2, padding=3, bias=False)
    loaded_strictly(network, load_state(path, "torchxrayvision's ResNet-50"), path, "torchxrayvision's ResNet-50")
    network.fc = torch.nn.Identity()
    return network


def _autoencoder(path: Path) -> "torch.nn.Module":
    """The code between encoder and decoder, 512 x 3 x 3, flattened: 4608."""
    import torch

    network: torch.nn.Module = _library("autoencoders").ResNetAE(weights=None)
    what = "torchxrayvision's ResNet-101 autoencoder"
    loaded_strictly(network, load_state(path, what), path, what)
    names = ("conv1", "bn1", "relu", "maxpool", "layer1", "layer2", "layer3", "layer4")
    return torch.nn.Sequential(*(network.get_submodule(name) for name in names), torch.nn.Flatten())


def _variants() -> tuple[str, ...]:
    densenets = (name for name in _library().model_urls if name.startswith("densenet121-res224-"))
    return (*densenets, _RESNET, _AUTOENCODER)


def _source(variant: str) -> weights.WeightsSource:
    if variant == _AUTOENCODER:
        url: str = _library("autoencoders").model_urls[_ITS_AUTOENCODER]["weights_url"]
    else:
        url = _library().model_urls[variant]["weights_url"]
    return weights.WeightsSource(
        (weights.WeightsFile(url.rpartition("/")[2], url),),
        page="https://github.com/mlmed/torchxrayvision",
        licence="Apache-2.0",
    )


@register(
    "txrv",
    title="TorchXRayVision",
    summary="The default: DenseNet-121 trained on several chest X-ray collections; also its ResNet-50 and autoencoder.",
    dimension=1024,
    input="224 x 224 (ResNet-50: 512), grey, -1024 to 1024",
    default_variant=_DEFAULT,
    variants=_variants,
    weights_source=_source,
    has_seen="chest radiographs: NIH, PadChest, CheXpert, MIMIC-CXR, OpenI, RSNA (`all`), or what it is named after",
)
def create(name: str, weights_folder: Path, runtime: Runtime) -> Embedder:
    """Load `txrv:<torchxrayvision's name of the weights>`."""
    variant = name.partition(":")[2]
    source = _source(variant)
    found = weights.require(weights_folder, source, name)
    build = {_RESNET: _resnet, _AUTOENCODER: _autoencoder}.get(variant, _densenet)
    path = found.paths[source.files[0].name]
    return VisionEmbedder(
        name,
        build(path),
        _look(512 if variant == _RESNET else 224),
        weights=found.sha256,
        preprocessing=_PREPROCESSING,
        runtime=runtime,
        findings=partial(_findings, path, variant) if build is _densenet else None,
    )
