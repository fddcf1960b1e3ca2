"""Google's CXR Foundation: the network of the paper's CXRF arm, as published for download.

Sellergren et al., "Simplified Transfer Learning for Chest Radiography Models Using Less Data",
Radiology 2022; Xu et al., "ELIXR", arXiv 2308.01317. The paper had the older hosted model's
1376 numbers; here they are the mean over ELIXR-C's feature map, 8 x 8 x 1376.
"""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from seedqueue.models import saved_model, weights
from seedqueue.models.embedder import Embedder, Floats, Input, fingerprint
from seedqueue.models.registry import register
from seedqueue.models.runtime import Runtime
from seedqueue.models.saved_model import Signature

_PREPROCESSING = 1
_DEFAULT = "elixr-c-v2-pooled"
_CONTRASTIVE = "contrastive"

_HUB = "https://huggingface.co/google/cxr-foundation"
_FOLDER = "cxr-foundation"
_VISION, _TEXT = "elixr-c-v2-pooled", "pax-elixr-b-text"

_MAP = (1, 8, 8, 1376)
_TOKENS = (1, 1, 128)
_VISION_SIGNATURE = Signature({"input_example": "string"}, "feature_maps_0", _MAP)
_TEXT_SIGNATURE = Signature(
    {"image_feature": "float32", "ids": "int32", "paddings": "float32"}, "all_contrastive_img_emb", (1, 32, 128)
)

# One serialized Example to its embedding (d,).
_Network = Callable[[bytes], Floats]


class CxrFoundation(Embedder):
    """The whole image as a grey PNG in a tf.train.Example; the network decodes and resizes it itself."""

    def __init__(self, name: str, found: weights.Found, runtime: Runtime) -> None:
        self.name = name
        self.fingerprint = fingerprint(
            name=name, weights=found.sha256, preprocessing=_PREPROCESSING, arithmetic="float32"
        )
        self._tensorflow = saved_model.tensorflow(name, runtime)
        contrastive = name.endswith(f":{_CONTRASTIVE}")
        self.dimension = 32 * 128 if contrastive else 1376
        self._network = (_contrastive if contrastive else _pooled)(self._tensorflow, found)

    def prepare(self, image: Image.Image) -> Input:
        """bytes as an object (): a serialized Example, its PNG 8 bits of grey whose lowest value is 0."""
        grey = np.asarray(image.convert("L"))
        png = io.BytesIO()
        # Little compression: the PNG is decoded again in this very process.
        Image.fromarray(grey - grey.min()).save(png, format="PNG", compress_level=1)
        example = self._tensorflow.train.Example()
        example.features.feature["image/encoded"].bytes_list.value.append(png.getvalue())
        example.features.feature["image/format"].bytes_list.value.append(b"png")
        return np.array(example.SerializeToString(), dtype=object)

    def embed(self, inputs: Input) -> Floats:
        """Objects (n,) to float32 (n, d), one image a call."""
        embeddings = np.empty((len(inputs), self.dimension), dtype=np.float32)
        for row, example in enumerate(inputs):
            embeddings[row] = self._network(example)
        return embeddings


def _vision(tf: Any, found: weights.Found) -> _Network:
    folder = found.paths[f"{_FOLDER}/{_VISION}/{saved_model.GRAPH}"].parent
    call = saved_model.signature(tf, saved_model.load(tf, folder), folder, _VISION_SIGNATURE)
    return lambda example: call(input_example=[example])


def _pooled(tf: Any, found: weights.Found) -> _Network:
    """The feature map averaged: 1376."""
    vision = _vision(tf, found)
    return lambda example: vision(example).mean(axis=(0, 1, 2))


def _contrastive(tf: Any, found: weights.Found) -> _Network:
    """The feature map seen by the Q-former that was trained against reports, without a text: 32 x 128."""
    vision = _vision(tf, found)
    folder = found.paths[f"{_FOLDER}/{_TEXT}/{saved_model.GRAPH}"].parent
    call = saved_model.signature(tf, saved_model.load(tf, folder), folder, _TEXT_SIGNATURE)
    no_text = {"ids": np.zeros(_TOKENS, np.int32), "paddings": np.zeros(_TOKENS, np.float32)}
    return lambda example: call(image_feature=vision(example), **no_text).reshape(-1)


def _variants() -> tuple[str, ...]:
    return (_DEFAULT, _CONTRASTIVE)


def _source(variant: str) -> weights.WeightsSource:
    folders = (_VISION, _TEXT) if variant == _CONTRASTIVE else (_VISION,)
    files = [saved_model.files(f"{_FOLDER}/{each}", f"{_HUB}/resolve/main/{each}") for each in folders]
    return weights.WeightsSource(
        tuple(file for folder in files for file in folder),
        page=_HUB,
        licence="Health AI Developer Foundations terms of use",
        gate="accept the terms on the model's page and set HF_TOKEN",
    )


@register(
    "cxrf",
    title="CXR Foundation",
    summary="Google's network for chest X-rays, the paper's CXRF arm; large, gated, runs on TensorFlow.",
    dimension=1376,
    input="the whole image, grey PNG, from 0; the network resizes it itself",
    default_variant=_DEFAULT,
    variants=_variants,
    weights_source=_source,
    extra="tensorflow",
    has_seen="chest radiographs: 821,544 from an Indian and a US hospital group (its authors' word)",
)
def create(name: str, weights_folder: Path, runtime: Runtime) -> Embedder:
    """Load `cxrf:elixr-c-v2-pooled` or `cxrf:contrastive`."""
    found = weights.require(weights_folder, _source(name.partition(":")[2]), name)
    return CxrFoundation(name, found, runtime)
