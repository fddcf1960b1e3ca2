"""Images and masks as the networks take them, and probabilities back on an image's own grid."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image

from seedqueue.models.vision import Look

Pixels = npt.NDArray[np.uint8]
Masks = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]

# The published side of the paper's classifier and segmenter (Yuan & Hong, arXiv 2402.02561).
SIDE = 224

_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def look(side: int = SIDE) -> Look:
    """The whole image stretched to side x side, grey repeated; ImageNet's mean and deviation within the network."""
    return Look(side, "RGB", mean=_MEAN, deviation=_DEVIATION)


def prepare(image: Image.Image, side: int = SIDE) -> Pixels:
    """A picture of mode "L" or "RGB" as uint8 (3, side, side)."""
    return look(side).prepare(image)


def prepare_masks(masks: Sequence[Masks] | Masks, side: int = SIDE) -> Masks:
    """Masks bool (labels, h, w) of one image as bool (labels, side, side): where at least half the area is covered."""
    small = [Image.fromarray(_to_bytes(mask)).resize((side, side), Image.Resampling.BOX) for mask in masks]
    return np.stack([np.asarray(each) >= 128 for each in small])


def to_grid(maps: Floats, height: int, width: int) -> Floats:
    """Probabilities float32 (labels, side, side) as float32 (labels, height, width), bilinear.

    It undoes `prepare`'s stretching: both take the centres of the pixels as their places.
    """
    bilinear = Image.Resampling.BILINEAR
    back = [np.asarray(Image.fromarray(each).resize((width, height), bilinear)) for each in maps.astype(np.float32)]
    return np.stack(back).astype(np.float32, copy=False)


def _to_bytes(mask: Masks) -> Pixels:
    return np.asarray(mask, dtype=np.bool_).astype(np.uint8) * np.uint8(255)
