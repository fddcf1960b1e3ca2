"""What reading an image gives, and how its refusals are worded."""

import struct
import zlib
from dataclasses import dataclass
from typing import Literal

from PIL import Image

from seedqueue.models.errors import UnreadableImage

# A DICOM of several frames is refused, or the first one is taken.
Frames = Literal["refuse", "first"]

# Everything Pillow's and pydicom's decoders are known to raise on damaged bytes.
DECODING_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    EOFError,
    OverflowError,
    MemoryError,
    RuntimeError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)

_LONGEST = 200


@dataclass(frozen=True)
class Spacing:
    """Millimetres between the centres of neighbouring rows and of neighbouring columns.

    source: the DICOM element: "PixelSpacing"; or "ImagerPixelSpacing", measured on the detector, where
    a projection is larger than what it shows; or "NominalScannedPixelSpacing", measured on a scanned film.
    """

    row: float
    column: float
    source: str


@dataclass(frozen=True)
class Picture:
    """A decoded image, mode "L" or "RGB", 8 bits a channel, and its spacing where the file says it."""

    image: Image.Image
    spacing: Spacing | None = None


def check_size(width: int, height: int, max_pixels: int) -> None:
    """Raises UnreadableImage where width times height is above `max_pixels`."""
    if width * height > max_pixels:
        raise UnreadableImage(
            f"{width} x {height} = {_megapixels(width * height)} megapixels, "
            f"more than the limit of {_megapixels(max_pixels)}"
        )


def damage(name: str | None, error: Exception) -> str:
    """A decoder's error as a reason: "truncated PNG (...)" or "damaged PNG (...)"."""
    message = " ".join((str(error) or type(error).__name__).split())
    message = "".join(each for each in message if each.isprintable())[:_LONGEST]
    # How the decoders word bytes that end too early, in the header and in the pixels.
    early = ("truncated", "unrecognized data stream", "end of file", "not enough", "unpack requires")
    what = "truncated" if any(word in message.lower() for word in early) else "damaged"
    return f"{what} {name or 'image'} ({message})"


def _megapixels(pixels: int) -> str:
    return f"{pixels / 1e6:.4g}"
