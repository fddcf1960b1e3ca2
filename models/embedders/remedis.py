"""REMEDIS: ResNets trained on chest X-rays or pathology slides without labels; the paper's REMEDIS arm.

Azizi et al., "Robust and data-efficient generalization of self-supervised machine learning for
diagnostic imaging", Nature Biomedical Engineering 2023. Published as TF-Hub modules, which are
called on float32 (n, side, side, 3) in [0, 1] and give a map (n, side / 32, side / 32, channels).
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from seedqueue.models import saved_model, weights
from seedqueue.models.embedder import Embedder, Floats, Input, fingerprint
from seedqueue.models.errors import WeightsCorrupt
from seedqueue.models.registry import register
from seedqueue.models.runtime import Network, Runtime

if TYPE_CHECKING:
    import openvino

_PREPROCESSING = 1
_DEFAULT = "cxr-50x1-remedis-m"
_SIDES = {"cxr": 448, "path": 224}
_CHANNELS = {"50x1": 2048, "152x2": 4096}


class Remedis(Embedder):
    """RGB (grey repeated), the whole image stretched bilinearly to the side, [0, 1]; the map averaged."""

    def __init__(self, name: str, found: weights.Found, runtime: Runtime) -> None:
        self.name = name
        self.fingerprint = fingerprint(
            name=name, weights=found.sha256, preprocessing=_PREPROCESSING, arithmetic="float32"
        )
        variant = name.partition(":")[2]
        images, architecture, *_ = variant.split("-")
        self._side, self.dimension = _SIDES[images], _CHANNELS[architecture]
        folder = found.paths[f"{variant}/{saved_model.GRAPH}"].parent
        self._network = self._of(folder, runtime)

    def prepare(self, image: Image.Image) -> Input:
        """uint8 (side, side, 3); the division by 255 is part of the network."""
        small = image.convert("RGB").resize((self._side, self._side), Image.Resampling.BILINEAR)
        return np.asarray(small, dtype=np.uint8)

    def embed(self, inputs: Input) -> Floats:
        """uint8 (n, side, side, 3) to float32 (n, d)."""
        return self._network(inputs)

    def _of(self, folder: Path, runtime: Runtime) -> Network:
        """OpenVINO's, or TensorFlow's for a module without a signature or with an operation OpenVINO lacks."""
        model = saved_model.read(folder)
        if model is not None:
            pooled = _pooled(model, folder, self._side, self.dimension)
            return runtime.of_openvino(pooled, self.fingerprint)
        tf = saved_model.tensorflow(self.name, runtime)
        return _on_tensorflow(tf, folder, self._side, self.dimension)


def _pooled(model: "openvino.Model", folder: Path, side: int, channels: int) -> "openvino.Model":
    """uint8 (1, side, side, 3) in, float32 (1, channels) out. Raises WeightsCorrupt."""
    import openvino
    from openvino import PartialShape, Type, opset13

    ports = [*model.inputs, *model.outputs]
    found = ", ".join(f"{port.element_type.to_string()} {port.partial_shape.to_string()}" for port in ports)
    takes, gives = model.input(0), model.output(0)
    shape = [1, side, side, 3]
    if len(ports) != 2 or takes.element_type != Type.f32 or not takes.partial_shape.compatible(PartialShape(shape)):
        raise _other(folder, side, channels, found)
    pixels = opset13.parameter(shape, Type.u8)
    scaled = opset13.divide(opset13.convert(pixels, Type.f32), np.float32(255))
    for reader in takes.get_target_inputs():
        reader.replace_source_output(scaled.output(0))
    last = gives.get_node().input_value(0)
    try:
        openvino.Model([last], [pixels], "").validate_nodes_and_infer_types()
        if last.partial_shape.rank == PartialShape([1, -1, -1, channels]).rank:
            last = opset13.reduce_mean(last, [1, 2], keep_dims=False).output(0)
        # The shape written out: behind a graph's own reshaping it may be known only when it runs.
        pooled = openvino.Model([opset13.reshape(last, [1, channels], special_zero=False)], [pixels], "remedis")
    except RuntimeError as error:
        raise _other(folder, side, channels, found) from error
    if not last.partial_shape.compatible(PartialShape([1, channels])):
        raise _other(folder, side, channels, found)
    return pooled


def _on_tensorflow(tf: Any, folder: Path, side: int, channels: int) -> Network:
    """The module called as TF-Hub does, one image a call. Raises WeightsCorrupt."""
    root = saved_model.load(tf, folder)
    module = root if callable(root) else root.signatures.get(saved_model.SIGNATURE)
    if module is None:
        raise _other(folder, side, channels, "a module that cannot be called")

    def embed(inputs: npt.NDArray[Any]) -> Floats:
        embeddings = np.empty((len(inputs), channels), dtype=np.float32)
        for row, pixels in enumerate(inputs):
            given = module(tf.constant(pixels[None] / np.float32(255)))
            (result,) = given.values() if isinstance(given, dict) else (given,)
            features = np.asarray(result)
            embeddings[row] = features.mean(axis=tuple(range(features.ndim - 1)))
        return embeddings

    try:
        embed(np.zeros((1, side, side, 3), dtype=np.uint8))
    except (ValueError, TypeError, tf.errors.InvalidArgumentError) as error:
        raise _other(folder, side, channels, str(error).partition("\n")[0]) from error
    return embed


def _other(folder: Path, side: int, channels: int, found: str) -> WeightsCorrupt:
    wanted = f"a SavedModel from float32 (n, {side}, {side}, 3) to (n, height, width, {channels}) or (n, {channels})"
    return WeightsCorrupt(folder / saved_model.GRAPH, wanted, found)


def _variants() -> tuple[str, ...]:
    return tuple(f"{images}-{each}-remedis-{size}" for images in _SIDES for each in _CHANNELS for size in ("m", "s"))


def _source(variant: str) -> weights.WeightsSource:
    return weights.WeightsSource(
        saved_model.files(variant),
        page="https://physionet.org/content/medical-ai-research-foundation/1.0.0/",
        licence="Medical AI Foundations Checkpoints: Additional Terms of Service, for research only",
        gate="a credentialed PhysioNet account",
    )


@register(
    "remedis",
    title="REMEDIS",
    summary="Google's ResNets for chest X-rays and for pathology, trained without labels; gated. "
    "Some copies need TensorFlow.",
    dimension=2048,
    input="448 x 448 (pathology: 224), RGB (grey repeated), 0 to 1",
    default_variant=_DEFAULT,
    variants=_variants,
    weights_source=_source,
    has_seen="chest radiographs: MIMIC-CXR and CheXpert, after natural images",
)
def create(name: str, weights_folder: Path, runtime: Runtime) -> Embedder:
    """Load `remedis:<PhysioNet's name of the model>`."""
    found = weights.require(weights_folder, _source(name.partition(":")[2]), name)
    return Remedis(name, found, runtime)
