"""Any model of timm, PyTorch Image Models: more than a thousand architectures, most with trained weights.

Wightman, "PyTorch Image Models", 2019, https://github.com/huggingface/pytorch-image-models.
"""

from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from seedqueue.models import weights
from seedqueue.models.borrowed import UNFIT, as_embedder, library, one_line
from seedqueue.models.embedder import Embedder
from seedqueue.models.errors import UnknownEmbedder, UnusableModel, WeightsCorrupt
from seedqueue.models.pickled import load_state
from seedqueue.models.registry import register
from seedqueue.models.runtime import Runtime
from seedqueue.models.vision import Look

if TYPE_CHECKING:
    import torch

_PREPROCESSING = 1
_HUB = "https://huggingface.co"

# Named where nothing is written like what was asked for.
_USUAL = ("resnet50.a1_in1k", "convnext_tiny.in12k_ft_in1k", "vit_base_patch14_dinov2.lvd142m")


def _published(variant: str) -> Any:
    """timm's description of a model and its weights. Raises ExtraMissing, UnknownEmbedder with the names nearest."""
    timm = library(f"timm:{variant}", "timm", "timm")
    known = {*timm.list_models(), *timm.list_pretrained()}
    if variant not in known:
        near = get_close_matches(variant, sorted(known), n=5) or _USUAL
        raise UnknownEmbedder(f"timm:{variant}", [f"timm:{each}" for each in near])
    return timm.get_pretrained_cfg(variant)


def _source(variant: str) -> weights.WeightsSource:
    published = _published(variant)
    folder, safe, pickled = f"timm/{variant}", "model.safetensors", "pytorch_model.bin"
    names, url = (f"{folder}/{safe}", f"{folder}.safetensors", f"{folder}/{pickled}"), None
    page = f"{_HUB}/timm"
    if published.hf_hub_id:
        page = f"{_HUB}/{published.hf_hub_id}"
        url = f"{page}/resolve/main/{published.hf_hub_filename or safe}"
    elif published.url:  # a few lie elsewhere, as files of torch.save
        names, url, page = names[::-1], published.url, published.origin_url or page
    licence = published.license if published.license not in (None, "unknown") else "see the model's page"
    return weights.WeightsSource((weights.WeightsFile(names[0], url, also=names[1:]),), page, licence)


def _load(variant: str, path: Path) -> "torch.nn.Module":
    """The model with the file's weights, ending before its classifier.

    timm itself puts them in: it knows how the older files of some families name their layers. It
    is handed the tensors and no other place to look for them, so that it reads and fetches nothing.
    The classifier may have any number of classes.
    """
    import timm

    what = f"timm's {variant}"
    state = load_state(path, what)
    if not state:
        raise WeightsCorrupt(path, what, "nothing")
    given: dict[str, Any] = {
        "state_dict": state,
        "source": None,
        "file": None,
        "url": None,
        "hf_hub_id": None,
        "custom_load": False,
    }
    heads = timm.get_pretrained_cfg(variant).classifier or ""
    try:
        last = state.get(f"{heads if isinstance(heads, str) else heads[0]}.weight")
        if last is not None:
            given |= {"num_classes": len(last), "label_offset": None}
        model: Any = timm.create_model(variant, pretrained=True, pretrained_cfg_overlay=given)
    except UNFIT as error:
        raise WeightsCorrupt(path, what, one_line(error)) from error
    model.pretrained_cfg.pop("state_dict")  # a second copy of all weights
    network: torch.nn.Module = model
    return network


def _headless(name: str, model: Any) -> "torch.nn.Module":
    """What timm itself makes of `num_classes=0`: pooled features."""
    if not hasattr(model, "reset_classifier"):
        raise UnusableModel(name, "it is an encoder without pooling; take the model of its family that classifies")
    model.reset_classifier(0)
    network: torch.nn.Module = model
    return network


def _look(name: str, model: "torch.nn.Module") -> Look:
    """The size, colour, range and resampling that the weights were trained with."""
    import timm

    told = timm.data.resolve_model_data_config(model)
    channels, height, width = told["input_size"]
    if height != width or channels != 3:
        raise UnusableModel(
            name, f"it takes {height} x {width} x {channels}, and only squares of three colours are shown"
        )
    resampling = Image.Resampling[told["interpolation"].upper()]
    return Look(height, "RGB", tuple(told["mean"]), tuple(told["std"]), resampling)


@register(
    "timm",
    title="timm",
    summary="Any model of PyTorch Image Models by its name there.",
    dimension=None,
    input="the model's own size, mean and deviation, RGB (grey repeated)",
    weights_source=_source,
    any_variant="its name in timm, such as timm:resnet50.a1_in1k",
    extra="timm",
)
def create(name: str, weights_folder: Path, runtime: Runtime) -> Embedder:
    """Load `timm:<timm's name>`: the pooled features before the classifier.

    Raises UnknownEmbedder, ExtraMissing, WeightsMissing, WeightsCorrupt, UnusableModel.
    """
    variant = name.partition(":")[2]
    source = _source(variant)
    found = weights.require(weights_folder, source, name)
    model = _load(variant, found.paths[source.files[0].name])
    look = _look(name, model)
    return as_embedder(name, _headless(name, model), look, found, _PREPROCESSING, runtime)
