"""Bytes in, a decoded picture out, or UnreadableImage with a reason a person understands."""

import io
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFile, ImageOps
from PIL.TiffImagePlugin import TiffImageFile

from seedqueue.models import codestream, grey
from seedqueue.models.errors import UnreadableImage
from seedqueue.models.picture import DECODING_ERRORS, Frames, Picture, check_size, damage

# An allow-list: Pillow can open some forty formats, and a few of them start other programs.
FORMATS = ("PNG", "JPEG", "BMP", "TIFF", "WEBP", "GIF", "JPEG2000")

_DEEP_GREY = ("I", "F")

# TIFF's tags, and the kinds of pixels that Pillow takes for others of the same bits: (mode, sample format, bits).
_BITS, _COLOUR_MODEL, _PLANES, _SAMPLE_FORMAT = 258, 262, 284, 339
_SEPARATE_PLANES, _WHITE_IS_ZERO = 2, 0
_TILE_WIDTH, _TILE_LENGTH = 322, 323
_OTHER_KINDS = {("I", 1, 32): np.uint32, ("L", 2, 8): np.int8}


def read_image(content: bytes, *, max_pixels: int, frames: Frames = "refuse", outliers: float = 0.0) -> Picture:
    """Decode an image fully, turned upright by its EXIF orientation; mode "RGB" or "L", 8 bits a channel.

    Grey stays "L", colour and palettes become "RGB", transparent parts are laid over black,
    of several frames the first is taken. Grey deeper than 8 bit (16, 32 or floating) is mapped
    from the image's own lowest to highest value onto 0 to 255, since a 16-bit file often holds
    10 or 12 bits and would come out black otherwise; a constant image becomes 0.
    DICOM: see `seedqueue.models.dicom.read_dicom`; it alone gives a spacing.

    max_pixels: width times height above which nothing is decoded. frames: whether a DICOM of several
    frames is refused or its first one taken. outliers: see `read_dicom`. Raises UnreadableImage. Safe to call from
    several threads.
    """
    if is_dicom(content):
        from seedqueue.models.dicom import read_dicom  # pydicom takes 0.2 s to import

        return read_dicom(content, max_pixels=max_pixels, frames=frames, outliers=outliers)
    image = _open(content)
    check_size(*image.size, max_pixels)
    try:
        _check_costs(image, content, max_pixels)
        image.load()
        return Picture(_to_eight_bits(image))
    except DECODING_ERRORS as error:
        raise UnreadableImage(damage(image.format, error)) from error


def is_dicom(content: bytes) -> bool:
    """Whether a whole file is read as DICOM, its mark before it or not."""
    return has_dicom_mark(content) or _begins_like_dicom(content)


def has_dicom_mark(content: bytes) -> bool:
    """Whether these are the first 132 bytes or more of a DICOM file, whatever its name."""
    return content[128:132] == b"DICM"


def _begins_like_dicom(content: bytes) -> bool:
    """Whether it begins with one of DICOM's first elements, as files without file meta do."""
    if content[:2] not in (b"\x08\x00", b"\x02\x00") or content[3:4] != b"\0":
        return False
    names_its_kind = content[4:6].isalpha() and content[4:6].isupper()
    return names_its_kind or 0 < int.from_bytes(content[4:8], "little") < len(content)


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
        except DECODING_ERRORS as error:
            if "unknown pixel mode" in str(error):
                raise UnreadableImage(f"a {name} with a kind of pixels that is not supported") from error
            raise UnreadableImage(damage(name, error)) from error
    raise UnreadableImage(_describe(content))


def _check_costs(image: ImageFile.ImageFile, content: bytes, max_pixels: int) -> None:
    """What a file of few pixels can make its decoder allocate or go over. Raises UnreadableImage and ValueError."""
    if image.format in ("JPEG", "MPO"):
        codestream.check_scans(content)
    elif image.format == "JPEG2000":
        codestream.check_tiles(content)
    elif isinstance(image, TiffImageFile):
        sides = [int(image.tag_v2.get(tag, 0)) for tag in (_TILE_WIDTH, _TILE_LENGTH)]
        if sides[0] * sides[1] > max_pixels:
            raise UnreadableImage(f"a TIFF in tiles of {sides[0]} x {sides[1]} pixels, more than the limit of an image")


def _describe(content: bytes) -> str:
    """What bytes that are no image look like, for the list of unreadable files."""
    if not content:
        return "empty"
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


def _to_eight_bits(image: ImageFile.ImageFile) -> Image.Image:
    ImageOps.exif_transpose(image, in_place=True)
    if (deep := _deep_grey(image)) is not None:
        return Image.fromarray(deep)
    if image.has_transparency_data:
        black = Image.new("RGBA", image.size, (0, 0, 0, 255))
        return Image.alpha_composite(black, image.convert("RGBA")).convert("RGB")
    return image.convert("L" if image.mode in ("1", "L") else "RGB")


def _deep_grey(image: ImageFile.ImageFile) -> npt.NDArray[np.uint8] | None:
    """Grey of more than 8 bits, stretched; None for all else, which Pillow knows to convert."""
    tags: Any = image.tag_v2 if isinstance(image, TiffImageFile) else {}
    bits = tags.get(_BITS, (8,))
    if len(bits) > 1 and max(bits) > 8 and tags.get(_PLANES) == _SEPARATE_PLANES:
        raise UnreadableImage("a TIFF of more than 8 bits in separate colour planes, which is not supported")
    kind = _OTHER_KINDS.get((image.mode, tags.get(_SAMPLE_FORMAT, (1,))[0], bits[0])) if tags else None
    if kind is None and not image.mode.startswith(_DEEP_GREY):
        return None
    values = np.asarray(image)
    values = values.view(kind) if kind else values.astype(values.dtype.newbyteorder("="), copy=False)
    low, high = grey.check_numbers(values).min(), values.max()
    shown = grey.apply(grey.stretch(float(low), float(high)), values)
    return ~shown if tags.get(_COLOUR_MODEL) == _WHITE_IS_ZERO else shown
