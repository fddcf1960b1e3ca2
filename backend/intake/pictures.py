"""A file as annotators will see it: decoded once by the product's own reader, and as a PNG that tells nothing else."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from seedqueue.backend.intake.tags import Tags, read_tags
from seedqueue.models.errors import UnreadableImage
from seedqueue.models.images import is_dicom, read_image
from seedqueue.models.picture import Frames, Picture

OUTLIERS = 0.005
GREY = (
    "DICOM through its VOI LUT or first window; without either from the 0.5th to the 99.5th percentile of its pixels; "
    "other images deeper than 8 bits from their lowest to their highest value"
)
COMPRESSION = 3  # half the time of Pillow's own level, and files 3 % larger


@dataclass(frozen=True)
class Limits:
    """What counts as readable: the settings of that name."""

    most_bytes: int
    most_pixels: int
    frames: Frames


@dataclass(frozen=True)
class Opened:
    """A file's bytes, their SHA-256, and the header's words where it is DICOM."""

    content: bytes
    sha256: str
    dicom: bool

    def tags(self) -> Tags | None:
        return read_tags(self.content) if self.dicom else None


def opened(file: Path, limits: Limits) -> Opened:
    """Raises `UnreadableImage`, with what the system says of a file that cannot be read."""
    try:
        if (size := file.stat().st_size) > limits.most_bytes:
            raise UnreadableImage(f"{size:,} bytes, more than the limit of {limits.most_bytes:,}")
        content = file.read_bytes()
    except OSError as error:
        raise UnreadableImage(error.strerror or str(error)) from error
    return Opened(content, hashlib.sha256(content).hexdigest(), is_dicom(content))


def shown(content: bytes, limits: Limits) -> Picture:
    """Raises `UnreadableImage`."""
    return read_image(content, max_pixels=limits.most_pixels, frames=limits.frames, outliers=OUTLIERS)


def as_png(image: Image.Image) -> bytes:
    """The pixels and nothing else: no EXIF, no profile, no text, whatever the image carried. Raises nothing."""
    bare = Image.fromarray(np.ascontiguousarray(image))
    stream = io.BytesIO()
    bare.save(stream, "PNG", compress_level=COMPRESSION)
    return stream.getvalue()
