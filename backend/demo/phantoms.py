"""Radiograph-like phantoms for a demo without images: drawn, not taken, and marked SYNTHETIC in the picture.

Six kinds, unevenly frequent as in a real archive, so that a queue which represents the pool shows: frontal
views, lateral views, frontal views with a nodule, rotated, overexposed, and near duplicates.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

SIDE = 512
KINDS = ("frontal", "lateral", "nodule", "rotated", "overexposed", "duplicate")
SHARES = (0.38, 0.2, 0.14, 0.1, 0.08, 0.1)
SHARPEST = 2  # shapes are drawn at half the size: blurring is the slow part, and radiographs are soft
HALF = SIDE // SHARPEST

Picture = NDArray[np.float32]
Box = tuple[float, float, float, float]


def write_phantoms(folder: Path, count: int = 120, seed: int = 0) -> list[Path]:
    """Draw `count` PNGs into the folder, named by kind; the same seed draws the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    kinds = rng.permutation(np.repeat(KINDS, _sizes(count)))
    files: list[Path] = []
    original: Picture | None = None
    for number, kind in enumerate(kinds, start=1):
        # A near duplicate is the newest frontal view once more, with other noise.
        anatomy = original if kind == "duplicate" and original is not None else _anatomy(str(kind), rng)
        if kind == "frontal":
            original = anatomy
        file = folder / f"{kind}_{number:03d}.png"
        _developed(anatomy, rng).save(file, compress_level=1)
        files.append(file)
    return files


def _sizes(count: int) -> list[int]:
    sizes = [int(share * count) for share in SHARES]
    sizes[0] += count - sum(sizes)
    return sizes


def _anatomy(kind: str, rng: np.random.Generator) -> Picture:
    if kind == "lateral":
        return _lateral(rng)
    picture = _frontal(rng, nodule=kind == "nodule")
    if kind == "rotated":
        angle = rng.choice([-1, 1]) * rng.uniform(12, 28)
        turned = Image.fromarray(picture).rotate(angle, Image.Resampling.BILINEAR, fillcolor=0.03)
        return np.asarray(turned, dtype=np.float32)
    if kind == "overexposed":
        return np.clip(picture, 0, 1) ** np.float32(rng.uniform(1.9, 2.6))
    return picture


def _frontal(rng: np.random.Generator, nodule: bool) -> Picture:
    """Lungs dark, spine, heart and diaphragm bright, ribs in between."""
    size = rng.uniform(0.88, 1.08)
    middle = HALF * rng.uniform(0.48, 0.52)
    picture = np.full((HALF, HALF), 0.03, dtype=np.float32)

    def box(x: float, y: float, width: float, height: float) -> Box:
        wide, high = width * size * HALF, height * size * HALF
        x, y = middle + x * size * HALF, y * HALF
        return x - wide, y - high, x + wide, y + high

    torso, shoulders = box(0, 0.62, 0.42, 0.56), [box(-0.36, 0.38, 0.15, 0.2), box(0.36, 0.38, 0.15, 0.2)]
    _add(picture, [torso, *shoulders, box(0, 1.0, 0.44, 0.4)], 0.5, blur=5)
    _add(picture, [box(0, 0.06, 0.1, 0.22)], 0.2, blur=6)
    left, right = box(-0.2, 0.47, 0.145, 0.3), box(0.2, 0.47, 0.14, 0.3)
    _add(picture, [left, right], -0.36, blur=4)
    _add(picture, [box(-0.2, 0.19, 0.16, 0.024), box(0.2, 0.19, 0.16, 0.024)], 0.14, blur=2)
    _ribs(picture, middle, size, rng)
    _add(picture, [box(0, 0.5, 0.042, 0.55)], 0.22, blur=4)
    _add(picture, [box(0.075, 0.6, 0.12 * rng.uniform(0.85, 1.3), 0.15)], 0.3, blur=6)
    _add(picture, [box(-0.2, 0.86, 0.2, 0.13), box(0.22, 0.88, 0.2, 0.12)], 0.28, blur=4)
    if nodule:
        x, y, radius = rng.choice([-0.2, 0.21]), rng.uniform(0.32, 0.56), rng.uniform(0.018, 0.036)
        _add(picture, [box(x + rng.uniform(-0.06, 0.06), y, radius, radius)], 0.33, blur=1.5)
    return picture


def _lateral(rng: np.random.Generator) -> Picture:
    """One lung field behind the heart, the spine at the back."""
    size, side = rng.uniform(0.88, 1.06), rng.choice([-1, 1])
    picture = np.full((HALF, HALF), 0.03, dtype=np.float32)

    def box(x: float, y: float, width: float, height: float) -> Box:
        wide, high = width * size * HALF, height * size * HALF
        x, y = HALF / 2 + side * x * size * HALF, y * HALF
        return x - wide, y - high, x + wide, y + high

    _add(picture, [box(0, 0.6, 0.33, 0.55)], 0.58, blur=5)
    _add(picture, [box(-0.03, 0.46, 0.19, 0.32)], -0.36, blur=6)
    _add(picture, [box(-0.12, 0.6, 0.13, 0.12)], 0.26, blur=6)
    _add(picture, [box(0.22, 0.08 + 0.085 * bone, 0.045, 0.033) for bone in range(11)], 0.24, blur=2)
    _add(picture, [box(-0.03, 0.86, 0.26, 0.13)], 0.24, blur=5)
    return picture


def _ribs(picture: Picture, middle: float, size: float, rng: np.random.Generator) -> None:
    layer = Image.new("L", (HALF, HALF))
    pen = ImageDraw.Draw(layer)
    slope = rng.uniform(0.14, 0.2)
    for rib in range(8):
        y, reach = HALF * (0.13 + 0.08 * rib), HALF * size * (0.25 + 0.11 * min(rib, 4) / 4)
        for side in (-1, 1):
            edges = sorted((middle + side * 0.02 * HALF, middle + side * reach))
            arc = (edges[0], y, edges[1], y + slope * HALF * 1.6)
            pen.arc(arc, *((180, 300) if side < 0 else (240, 360)), fill=255, width=5)
    blurred = layer.filter(ImageFilter.GaussianBlur(1.4))
    picture += np.asarray(blurred, dtype=np.float32) * np.float32(0.11 / 255)


def _add(picture: Picture, ellipses: list[Box], brightness: float, blur: float) -> None:
    layer = Image.new("L", (HALF, HALF))
    pen = ImageDraw.Draw(layer)
    for ellipse in ellipses:
        pen.ellipse(ellipse, fill=255)
    blurred = layer.filter(ImageFilter.GaussianBlur(blur))
    picture += np.asarray(blurred, dtype=np.float32) * np.float32(brightness / 255)


def _developed(anatomy: Picture, rng: np.random.Generator) -> Image.Image:
    """Full size, with exposure, film grain and the burnt-in word."""
    large = Image.fromarray(anatomy).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    grain = rng.standard_normal((SIDE, SIDE), dtype=np.float32) * np.float32(0.016)
    grey = np.asarray(large, dtype=np.float32) * np.float32(rng.uniform(0.92, 1.08)) + grain
    picture = Image.fromarray((np.clip(grey, 0, 1) * 255).astype(np.uint8))
    ImageDraw.Draw(picture).text((10, SIDE - 26), "SYNTHETIC", fill=210, font_size=16)
    return picture
