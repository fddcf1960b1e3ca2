"""Bytes in, a decoded Pillow image out, or UnreadableImage with a reason a person understands."""

import io
import struct
import zlib

import numpy as np
from PIL import Image, ImageFile, ImageOps

from seedqueue.models.errors import UnreadableImage

# An allow-list: Pillow can open some forty formats, and a few of them start other programs.
FORMATS = ("PNG", "JPEG", "BMP", "TIFF", "WEBP", "GIF", "JPEG2000")

# Everything Pillow's decoders are known to raise on damaged bytes.
_DECODING_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    EOFError,
    OverflowError,
    MemoryError,
    RuntimeError,
    struct.error,
    zlib.error,
)

_DEEP_GREY = ("I", "F")


def read_image(content: bytes, *, max_pixels: int) -> Image.Image:
    """Decode an image fully, turned upright by its EXIF orientation; mode "RGB" or "L".

    Grey stays "L", colour and palettes become "RGB", transparent parts are laid over black,
    of several frames the first is taken. Grey deeper than 8 bit (16, 32 or floating) is mapped
    from the image's own lowest to highest value onto 0 to 255, since a 16-bit file often holds
    10 or 12 bits and would come out black otherwise; a constant image becomes 0.

    max_pixels: width times height above which nothing is decoded. Raises UnreadableImage.
    Safe to call from several threads.
    """
    image = _open(content)
    width, height = image.size
    if width * height > max_pixels:
        raise UnreadableImage(
            f"{width} x {height} = {_megapixels(width * height)} megapixels, "
            f"more than the limit of {_megapixels(max_pixels)}"
        )
    try:
        image.load()
        return _to_eight_bits(ImageOps.exif_transpose(image))
    except _DECODING_ERRORS as error:
        raise UnreadableImage(_damage(image.format, error)) from error


def _open(content: bytes) -> ImageFile.ImageFile:
    """The header read, nothing decoded.

    Not Image.open: for large images it warns or raises by a limit that is global to the process
    and does not tell the size; silencing a warning is not safe among threads. The formats are
    tried the way Image.open does it.
    """
    Image.init()
    prefix = content[:16]
    for name in FORMATS:
        factory, accepts = Image.OPEN.get(name, (None, None))
        if factory is None or accepts is None or accepts(prefix) is not True:
            continue
        try:
            return factory(io.BytesIO(content), "")
        except _DECODING_ERRORS as error:
            raise UnreadableImage(_damage(name, error)) from error
    raise UnreadableImage(_describe(content))


def _describe(content: bytes) -> str:
    """What bytes that are no image look like, for the list of unreadable files."""
    if not content:
        return "empty"
    if content[128:132] == b"DICM":
        return "DICOM is not supported yet"
    start = content[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    for kind, marks in {
        "text/HTML": (b"<!doctype html", b"<html", b"<head", b"<body"),
        "an SVG drawing": (b"<svg",),
        "text/XML": (b"<?xml",),
        "PDF": (b"%pdf",),
        "a ZIP archive": (b"pk\x03\x04",),
    }.items():
        if start.startswith(marks):
            return kind
    if all(byte >= 32 or byte in b"\t\r\n" for byte in content[:512]) and content[:512].isascii():
        return "text"
    return f"none of the known formats ({', '.join(FORMATS)})"


def _damage(name: str | None, error: Exception) -> str:
    message = str(error) or type(error).__name__
    # How Pillow words bytes that end too early, in the header and in the pixels.
    early = ("truncated", "unrecognized data stream", "end of file", "not enough", "unpack requires")
    what = "truncated" if any(word in message.lower() for word in early) else "damaged"
    return f"{what} {name or 'image'} ({message})"


def _to_eight_bits(image: Image.Image) -> Image.Image:
    if image.mode.startswith(_DEEP_GREY):
        return _stretch(image)
    if image.has_transparency_data:
        image = Image.alpha_composite(Image.new("RGBA", image.size, (0, 0, 0, 255)), image.convert("RGBA"))
    if image.mode in ("1", "L"):
        return image.convert("L")
    return image.convert("RGB")


def _stretch(image: Image.Image) -> Image.Image:
    values = np.asarray(image, dtype=np.float64)
    if not np.isfinite(values).all():
        raise ValueError("pixels that are not numbers")
    low, high = values.min(), values.max()
    scale = 255.0 / (high - low) if high > low else 0.0
    return Image.fromarray(np.rint((values - low) * scale).astype(np.uint8))


def _megapixels(pixels: int) -> str:
    return f"{pixels / 1e6:.4g}"
