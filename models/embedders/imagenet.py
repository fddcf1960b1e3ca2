"""torchvision's ImageNet classifiers without their last layer.

The paper's ImageNet arm is DenseNet-121 with 1024 pooled features (Yuan & Hong,
arXiv 2402.02561), the default here.
"""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seedqueue.models import weights
from seedqueue.models.embedder import Embedder
from seedqueue.models.pickled import load_state, loaded_strictly
from seedqueue.models.registry import register
from seedqueue.models.runtime import Runtime
from seedqueue.models.vision import Look, VisionEmbedder

if TYPE_CHECKING:
    import torch

_LOOK = Look(224, "RGB", mean=(0.485, 0.456, 0.406), deviation=(0.229, 0.224, 0.225))
_PREPROCESSING = 2

# The first two resize and normalise within the network, in their own way; the others take 256 x 256 only.
_OTHER_INPUT = ("googlenet", "inception_v3", "swin_v2_b", "swin_v2_s", "swin_v2_t")


def _variants() -> tuple[str, ...]:
    import torchvision

    listed = torchvision.models.list_models(module=torchvision.models)
    return tuple(name for name in listed if name not in _OTHER_INPUT)


def _published(variant: str) -> list[Any]:
    """torchvision's weights of a model, its default first, without those for larger inputs."""
    from torchvision.models import get_model_weights

    every = get_model_weights(variant)
    ordered = sorted(every, key=lambda one: one != every.DEFAULT)
    return [one for one in ordered if min(one.meta["min_size"]) <= _LOOK.side]


def _source(variant: str) -> weights.WeightsSource:
    published = [one.url for one in _published(variant)]
    names = [url.rpartition("/")[2] for url in published]
    return weights.WeightsSource(
        (weights.WeightsFile(names[0], published[0], also=(*names[1:], f"{variant}_imagenet.pth")),),
        page="https://docs.pytorch.org/vision/stable/models.html",
        licence="BSD-3-Clause; trained on ImageNet, whose terms are for research",
    )


def _load(variant: str, path: Path) -> "torch.nn.Module":
    import torch
    import torchvision

    what = f"torchvision's {variant}"
    model: torch.nn.Module = torchvision.models.get_model(variant, weights=None)
    # torchvision's DenseNet files write `norm.1`, its code `norm1`: its own loader renames too.
    pattern = re.compile(r"^(.*denselayer\d+\.(?:norm|relu|conv))\.([12]\..*)$")
    state = {pattern.sub(r"\1\2", key): value for key, value in load_state(path, what).items()}
    loaded_strictly(model, state, path, what)
    return model


def _headless(model: "torch.nn.Module") -> "torch.nn.Module":
    """The model ending before its last linear layer: what the classifier sees.

    SqueezeNet, which has none, classifies by a convolution: the mean over the map before it.
    """
    import torch

    linear = [name for name, layer in model.named_modules() if isinstance(layer, torch.nn.Linear)]
    if not linear:
        model.classifier = torch.nn.AdaptiveAvgPool2d(1)
        return model
    parent, _, last = linear[-1].rpartition(".")
    setattr(model.get_submodule(parent), last, torch.nn.Identity())
    return model


@register(
    "imagenet",
    title="ImageNet",
    summary="torchvision's classifiers trained on photographs; the paper's DenseNet-121 by default.",
    dimension=1024,
    input="224 x 224, RGB (grey repeated), ImageNet mean and deviation",
    default_variant="densenet121",
    variants=_variants,
    weights_source=_source,
    has_seen="ImageNet, natural images",
)
def create(name: str, weights_folder: Path, runtime: Runtime) -> Embedder:
    """Load `imagenet:<torchvision model>`."""
    variant = name.partition(":")[2]
    source = _source(variant)
    found = weights.require(weights_folder, source, name)
    network = _headless(_load(variant, found.paths[source.files[0].name]))
    return VisionEmbedder(name, network, _LOOK, weights=found.sha256, preprocessing=_PREPROCESSING, runtime=runtime)
