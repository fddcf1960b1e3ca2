"""What a model of transformers is to be shown, from its preprocessor_config.json."""

import math
from collections.abc import Mapping
from typing import Any, Literal

from PIL import Image

from seedqueue.models.borrowed import IMAGENET_DEVIATION, IMAGENET_MEAN
from seedqueue.models.errors import UnusableModel
from seedqueue.models.vision import Look

_COLOURS: dict[int, Literal["L", "RGB"]] = {1: "L", 3: "RGB"}


def look(name: str, told: Mapping[str, Any], config: Any) -> Look:
    """The size, colour, range and resampling of a preprocessor_config.json.

    told: its content; empty without one: then ImageNet's mean and deviation, bicubic, and the size
    of the model's own `config`. Where the middle is to be cut out of a larger image, the size is the
    cut's, and all of the image goes into it. Raises UnusableModel for what is no square.
    """
    channels = getattr(config, "num_channels", 3)
    if channels not in _COLOURS:
        raise UnusableModel(name, f"it takes images of {channels} channels; one or three can be shown")
    try:
        mean, deviation = _range(told, channels)
        resampling = told.get("resample")
        resampling = Image.Resampling.BICUBIC if resampling is None else Image.Resampling(resampling)
    except (TypeError, ValueError) as error:
        raise UnusableModel(name, f"its preprocessor_config.json cannot be read: {error}") from error
    return Look(_side(name, told, config), _COLOURS[channels], mean, deviation, resampling)


def _range(told: Mapping[str, Any], channels: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and deviation of values of 0 to 1, whatever range the preprocessor brings them to first."""
    factor = float(told.get("rescale_factor") or 1 / 255) * 255 if told.get("do_rescale", True) else 255.0
    mean, deviation = told.get("image_mean") or IMAGENET_MEAN, told.get("image_std") or IMAGENET_DEVIATION
    if not told.get("do_normalize", True):
        mean, deviation = 0.0, 1.0
    means, deviations = _each(mean, channels, factor), _each(deviation, channels, factor)
    if not all(map(math.isfinite, (*means, *deviations))) or min(deviations) <= 0:
        raise ValueError(f"mean {mean} and deviation {deviation}")
    return means, deviations


def _each(values: Any, channels: int, factor: float) -> tuple[float, ...]:
    listed = [float(value) / factor for value in (values if isinstance(values, list | tuple) else [values])]
    if len(listed) == channels:
        return tuple(listed)
    if len(set(listed)) == 1:
        return (listed[0],) * channels
    if channels == 1:  # ImageNet's, for grey
        return (sum(listed) / len(listed),)
    raise ValueError(f"{len(listed)} values for {channels} channels")


def _side(name: str, told: Mapping[str, Any], config: Any) -> int:
    size = told.get("crop_size") if told.get("do_center_crop") else None
    size = size or told.get("size") or getattr(config, "image_size", None) or 224
    if isinstance(size, Mapping):
        size = [value for key, value in size.items() if key in ("height", "width", "shortest_edge") and value]
    sides = set(size if isinstance(size, list | tuple) else [size])
    if len(sides) != 1 or not all(isinstance(side, int) and side > 0 for side in sides):
        raise UnusableModel(name, f"it takes images of {size} pixels, and only squares are shown")
    return int(sides.pop())
