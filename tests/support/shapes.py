"""Drawn images whose answer is known: a bright disc or square on noise, its class and its mask."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, eq=False)
class Drawn:
    """pixels: uint8 (n, 3, side, side); classes: bool (n, 2), disc or square; masks: bool (n, 1, side, side)."""

    pixels: npt.NDArray[np.uint8]
    classes: npt.NDArray[np.bool_]
    masks: npt.NDArray[np.bool_]


def drawn(n: int, side: int = 32, seed: int = 0) -> Drawn:
    """Half discs, half squares, of all sizes and in all places."""
    rng = np.random.default_rng(seed)
    square = np.arange(n) % 2
    radius = rng.uniform(side / 6, side / 3, n)[:, None, None]
    middle = rng.uniform(side / 3, side * 2 / 3, (2, n, 1, 1))
    down, across = (np.arange(side)[None, :, None] - middle[0], np.arange(side)[None, None, :] - middle[1])
    inside = np.where(
        square[:, None, None], np.maximum(abs(down), abs(across)) < radius, np.hypot(down, across) < radius
    )
    grey = rng.normal(60, 20, (n, side, side)) + inside * rng.uniform(60, 120, n)[:, None, None]
    pixels = np.repeat(grey.clip(0, 255).astype(np.uint8)[:, None], 3, axis=1)
    return Drawn(pixels, np.eye(2, dtype=np.bool_)[square], inside[:, None])
