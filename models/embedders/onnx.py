"""Any network as an ONNX file of the weights folder, run by OpenVINO.

Open Neural Network Exchange, https://onnx.ai.
"""

import dataclasses
import json
import math
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any

from PIL import Image

from seedqueue.models import onnx_network, weights
from seedqueue.models.borrowed import IMAGENET_DEVIATION, IMAGENET_MEAN
from seedqueue.models.embedder import Embedder, Floats, Input, fingerprint
from seedqueue.models.errors import UnusableModel
from seedqueue.models.onnx_data import external_files
from seedqueue.models.registry import register
from seedqueue.models.runtime import Runtime
from seedqueue.models.vision import Look

_PREPROCESSING = 1
_SIDE = 224

# What a file beside the model, <model>.json, may tell.
_SIDECAR = '{"mean": [...], "deviation": [...], "colour": "RGB" or "L", "side": n}'
_RANGE = ("mean", "deviation")
# Where it does not; grey is shown the mean of ImageNet's three colours.
_RANGES = {"RGB": (IMAGENET_MEAN, IMAGENET_DEVIATION), "L": ((0.449,), (0.226,))}


class Onnx(Embedder):
    """A model with one image as its input and an embedding, or maps to average, as its output."""

    def __init__(self, name: str, found: weights.Found, path: Path, sidecar: Path | None, runtime: Runtime) -> None:
        self.name = name
        self.fingerprint = fingerprint(
            name=name, weights=found.sha256, preprocessing=_PREPROCESSING, arithmetic="float32"
        )
        model = onnx_network.read(name, path)
        shape = onnx_network.shape_of(name, model)
        self.look = _look(name, sidecar, shape)
        network = onnx_network.with_look(name, model, shape.layout, self.look)
        self.dimension = int(network.output().shape[1])
        self._network = runtime.of_openvino(network, self.fingerprint)

    def prepare(self, image: Image.Image) -> Input:
        """uint8 (channels, side, side)."""
        return self.look.prepare(image)

    def embed(self, inputs: Input) -> Floats:
        """uint8 (n, channels, side, side) to float32 (n, d)."""
        return self._network(inputs)


def _look(name: str, sidecar: Path | None, shape: onnx_network.Shape) -> Look:
    """What the sidecar tells; else the model's own size and colour, 224 and RGB where it leaves them open."""
    told = _told(name, sidecar) if sidecar is not None else {}
    colour = told.get("colour", "L" if shape.channels == 1 else "RGB")
    side = told.get("side", shape.side or _SIDE)
    channels = len(_RANGES[colour][0])
    if shape.channels not in (None, channels) or shape.side not in (None, side):
        raise UnusableModel(name, f"{sidecar} tells {told}, and the model takes {shape}")
    mean, deviation = (tuple(told.get(key, usual)) for key, usual in zip(_RANGE, _RANGES[colour], strict=True))
    if len(mean) != channels or len(deviation) != channels:
        raise UnusableModel(name, f"{sidecar} tells {told}, and the model takes {channels} channels")
    return Look(side, colour, mean, deviation)


def _told(name: str, sidecar: Path) -> dict[str, Any]:
    """A sidecar's content, each value checked. Raises UnusableModel."""
    try:
        told = json.loads(sidecar.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UnusableModel(name, f"{sidecar} is no JSON: {error}") from error
    right = isinstance(told, dict) and all(key in _RIGHT and _RIGHT[key](value) for key, value in told.items())
    if not right:
        raise UnusableModel(name, f"{sidecar} may tell {_SIDECAR}, any of them; it tells {told}")
    return dict(told)


def _numbers(value: Any) -> bool:
    return isinstance(value, list) and all(type(each) in (int, float) and math.isfinite(each) for each in value)


_RIGHT: dict[str, Callable[[Any], bool]] = {
    "mean": _numbers,
    "deviation": lambda value: _numbers(value) and min(value, default=1) > 0,
    "colour": lambda value: value in ("L", "RGB"),
    "side": lambda value: type(value) is int and value > 0,
}


def _source(variant: str) -> weights.WeightsSource:
    """The model and the sidecar; which other files belong to it stands in the model."""
    if not variant.endswith(".onnx"):
        raise UnusableModel(f"onnx:{variant}", "write a file of the weights folder, such as onnx:chest/model.onnx")
    files = (weights.WeightsFile(variant, None), weights.WeightsFile(f"{variant}.json", None, optional=True))
    return weights.WeightsSource(files, "https://onnx.ai", "the model's own")


def _whole(name: str, weights_folder: Path) -> weights.Found:
    """Everything that belongs to the model, checked; a file that lies elsewhere is refused with WeightsOutside."""
    variant = name.partition(":")[2]
    source = _source(variant)
    model = weights.require(weights_folder, source, name).paths[variant]
    beside = (str(PurePosixPath(variant).parent / each) for each in external_files(model))
    files = (*source.files, *(weights.WeightsFile(each, None) for each in beside))
    return weights.require(weights_folder, dataclasses.replace(source, files=files), name)


@register(
    "onnx",
    title="ONNX",
    summary="Any network as an ONNX file, with one image as input and an embedding or a map as output.",
    dimension=None,
    input="what <file>.json tells; else the model's own size or 224, RGB (grey repeated), ImageNet's range",
    weights_source=_source,
    any_variant="a file of the weights folder, such as onnx:chest/model.onnx",
)
def create(name: str, weights_folder: Path, runtime: Runtime) -> Embedder:
    """Load `onnx:<file>`. Raises WeightsMissing, WeightsCorrupt, WeightsOutside, UnusableModel."""
    found = _whole(name, weights_folder)
    variant = name.partition(":")[2]
    return Onnx(name, found, found.paths[variant], found.paths.get(f"{variant}.json"), runtime)
