"""Deep grey values to 8 bits: stretched, through a window or through a look-up table.

A step maps float64 values to float64 values. It is worked out once for each of the at most 65,536
values that 8 and 16 bits can hold, and the pixels are then looked up: exact, and several times
faster than arithmetic on every pixel.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]
Step = Callable[[Values], Values]

# Indices are widened to 64 bits by NumPy: in pieces of this many they stay in the cache.
_PIECE = 1 << 16


def apply(step: Step, pixels: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """The step's values, 0 to 255, of pixels of any integer or floating type, rounded; the shape stays.

    Raises ValueError for pixels that are not numbers.
    """
    if not _fits_a_table(pixels):
        return _rounded(step(check_numbers(pixels).astype(np.float64)))
    return look_up(_rounded(step(_all_values(pixels))), pixels)


def look_up(table: npt.NDArray[np.uint8], pixels: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """`table` at each of the pixels, of 8 or 16 bits; it holds an entry for each value of `pixels`' bits."""
    indices = pixels.view(f"u{pixels.itemsize}").ravel()
    shown = np.empty(indices.size, dtype=np.uint8)
    for start in range(0, indices.size, _PIECE):
        # "clip" only because "raise" would copy the output; no index lies outside.
        np.take(table, indices[start : start + _PIECE], out=shown[start : start + _PIECE], mode="clip")
    return shown.reshape(pixels.shape)


def stretch(low: float, high: float) -> Step:
    """`low` to 0 and `high` to 255; all to 0 where they are equal."""
    scale = 255.0 / (high - low) if high > low else 0.0
    return lambda values: np.clip((values - low) * scale, 0, 255)


def as_it_is(values: Values) -> Values:
    """Values that are 8 bits already."""
    return np.clip(values, 0, 255)


def window(center: float, width: float, function: str) -> Step:
    """DICOM's VOI window (PS3.3 C.11.2.1.2 and C.11.2.1.3) onto 0 to 255.

    function: "LINEAR" (width at least 1), "LINEAR_EXACT" or "SIGMOID" (width above 0).
    """
    if function == "SIGMOID":
        return lambda values: 255 / (1 + np.exp(np.clip(-4 * (values - center) / width, -700, 700)))
    if function == "LINEAR":
        center, width = center - 0.5, width - 1
    if width == 0:
        return lambda values: np.where(values > center, 255.0, 0.0)
    return lambda values: np.clip((values - center) / width + 0.5, 0, 1) * 255


def table(first: int, entries: npt.NDArray[Any]) -> Step:
    """A look-up table whose first entry is for the value `first`; values outside take the nearest entry."""
    return lambda values: entries[np.clip(np.rint(values) - first, 0, len(entries) - 1).astype(np.intp)].astype(
        np.float64
    )


def occurring(pixels: npt.NDArray[Any]) -> Values:
    """The values that occur among the pixels; with more than 16 bits, each as often as it occurs."""
    if not _fits_a_table(pixels):
        return check_numbers(pixels).astype(np.float64).ravel()
    indices = pixels.view(f"u{pixels.itemsize}").ravel()
    occurs = np.zeros(1 << 8 * pixels.itemsize, dtype=np.bool_)
    for start in range(0, indices.size, _PIECE):
        occurs[indices[start : start + _PIECE]] = True
    return _all_values(pixels)[occurs]


def check_numbers(pixels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The pixels themselves. Raises ValueError where one is NaN or infinite."""
    if pixels.dtype.kind == "f" and not np.isfinite(pixels).all():
        raise ValueError("pixels that are not numbers")
    return pixels


def _fits_a_table(pixels: npt.NDArray[Any]) -> bool:
    return pixels.dtype.kind in "iu" and pixels.itemsize <= 2


def _all_values(pixels: npt.NDArray[Any]) -> Values:
    """Every value of the pixels' type, in the order of its bits: index 65535 of int16 is -1."""
    bits = np.arange(1 << 8 * pixels.itemsize, dtype=f"u{pixels.itemsize}")
    return bits.view(pixels.dtype).astype(np.float64)


def _rounded(values: Values) -> npt.NDArray[np.uint8]:
    return np.rint(values).astype(np.uint8)
