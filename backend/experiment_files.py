"""The files of a labelled folder: each task's image as it was fetched, and its mask as a picture of 1 bit."""

from __future__ import annotations

import hashlib
import io
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from seedqueue.backend.context import Context
from seedqueue.backend.examples import Example, masks
from seedqueue.backend.fetch import ImageFetcher, stable_uri
from seedqueue.backend.learning_errors import MasksUnusable
from seedqueue.models.errors import UnreadableImage
from seedqueue.models.images import has_dicom_mark, read_image
from seedqueue.models.picture import Picture

IMAGES, MASKS = "images", "masks"
_MAGIC = {b"\x89PNG": ".png", b"\xff\xd8\xff": ".jpg", b"BM": ".bmp", b"II*\0": ".tif", b"MM\0*": ".tif"}


@dataclass(frozen=True)
class Saved:
    """What there is of one example: paths relative to the folder, "" where there is none; problem: why, else ""."""

    example: Example
    image: str = ""
    mask: str = ""
    problem: str = ""


class Files:
    """Saves the images and masks of examples in a folder; safe to use from several threads.

    mask_class: whose regions make the mask; None: those of all classes. An image that is there already is not
    fetched again: its name holds the task and a hash of the URI, so that another image of the same task is.
    """

    def __init__(self, context: Context, fetcher: ImageFetcher, folder: Path, mask_class: str | None = None) -> None:
        self._settings, self._fetcher, self._folder, self._mask_class = context.settings, fetcher, folder, mask_class
        for name in (IMAGES, MASKS):
            (folder / name).mkdir(parents=True, exist_ok=True)
        self._there = {file.stem: file.name for file in (folder / IMAGES).iterdir()}

    def save(self, example: Example) -> Saved:
        """Raises `OSError` where the folder cannot be written, and what is wrong with Label Studio or the token."""
        try:
            name, picture = self._image(example)
        except UnreadableImage as error:
            return Saved(example, problem=error.reason)
        image = f"{IMAGES}/{name}"
        if picture is None:
            return Saved(example, image)
        try:
            marked = self._marked(example, picture)
        except MasksUnusable as error:
            return Saved(example, image, problem=str(error))
        mask = f"{MASKS}/{example.task}.png"
        write_whole(self._folder / mask, _png(Image.fromarray(marked)))
        return Saved(example, image, mask)

    def _image(self, example: Example) -> tuple[str, Picture | None]:
        """The name of the image's file, and the picture where a mask needs its size. Raises `UnreadableImage`."""
        stem = f"{example.task}-{hashlib.sha256(stable_uri(example.uri).encode()).hexdigest()[:8]}"
        name = self._there.get(stem)
        if name is not None:
            return name, self._read((self._folder / IMAGES / name).read_bytes()) if example.masks else None
        content = self._fetcher.fetch(example.task, example.uri).content
        picture = self._read(content)
        suffix = suffix_of(content)
        if suffix is None:  # GIF, JPEG 2000: what few programs look for in a folder is kept as it is shown
            suffix, content = ".png", _png(picture.image)
        write_whole(self._folder / IMAGES / f"{stem}{suffix}", content)
        return f"{stem}{suffix}", picture if example.masks else None

    def _read(self, content: bytes) -> Picture:
        settings = self._settings
        return read_image(content, max_pixels=settings.max_image_pixels, frames=settings.dicom_frames)

    def _marked(self, example: Example, picture: Picture) -> NDArray[np.bool_]:
        """bool (height, width): the mask class, or all of them together. Raises `MasksUnusable`."""
        found = masks(example, picture.image.height, picture.image.width)
        if self._mask_class is None or example.masks is None:
            return np.asarray(found.any(axis=0))
        return np.asarray(found[example.masks.labels.index(self._mask_class)])


def suffix_of(content: bytes) -> str | None:
    """The suffix of a readable image's file by its first bytes, None for a rarer kind. DICOM may lack its mark."""
    for magic, suffix in _MAGIC.items():
        if content.startswith(magic):
            return suffix
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return ".webp"
    return ".dcm" if has_dicom_mark(content) or content[:2] in (b"\x08\0", b"\x02\0") else None


def _png(image: Image.Image) -> bytes:
    kept = io.BytesIO()
    image.save(kept, "PNG")
    return kept.getvalue()


def write_whole(path: Path, content: bytes) -> None:
    """Written whole or not at all: what a killed export left half must not be taken for an image."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.write_bytes(content)
    part.replace(path)
