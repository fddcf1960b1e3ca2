"""DICOM bytes in, a picture as a radiologist's screen shows it out: 8 bits, MONOCHROME1 inverted."""

import struct

import numpy as np
import numpy.typing as npt
from PIL import Image

from seedqueue.models import grey
from seedqueue.models.dicom_header import ENDS_EARLY, Header, numbers, read_header
from seedqueue.models.dicom_layout import Layout, read_layout
from seedqueue.models.dicom_pixels import Pixels, check_decodable, decode
from seedqueue.models.dicom_tables import modality, palette, voi
from seedqueue.models.errors import UnreadableImage
from seedqueue.models.picture import Frames, Picture, Spacing, check_size, damage

# Of one pixel, uncompressed: 32 bits. And of a header.
_MOST_PIXEL_BYTES = 4
_MOST_HEADER_BYTES = 1 << 24

_SPACINGS = ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing")


def read_dicom(content: bytes, *, max_pixels: int, frames: Frames, outliers: float = 0.0) -> Picture:
    """Decode a DICOM image, mode "L" or "RGB", with the spacing it names.

    Grey goes through the modality LUT or rescale and the VOI LUT, else the first window, whose range becomes
    0 to 255. Without either, 8 stored bits that were not rescaled stay as they are, as in a PNG, and all else is
    stretched from its lowest to its highest value, padding aside. MONOCHROME1 is inverted at the end.

    frames: several are refused, or only the first is decoded. outliers: the share of pixels at either end that is
    left out of that lowest and highest value, as of a lead marker. Raises UnreadableImage, nothing else.
    """
    try:
        header = read_header(content, max_pixels * _MOST_PIXEL_BYTES + _MOST_HEADER_BYTES)
        layout = read_layout(header)
    except UnreadableImage:
        raise
    except (EOFError, struct.error) as error:
        raise UnreadableImage(ENDS_EARLY) from error
    except Exception as error:  # pydicom raises whatever comes, and quotes the file, patients included
        raise UnreadableImage("damaged DICOM (its elements cannot be read)") from error
    check_size(layout.columns, layout.rows, max_pixels)
    check_decodable(header)
    if layout.frames > 1 and frames == "refuse":
        raise UnreadableImage(
            f"a DICOM of {layout.frames} frames; set SEEDQUEUE_DICOM_FRAMES=first to take the first of them"
        )
    try:
        return Picture(_shown(header, layout, outliers), _spacing(header))
    except UnreadableImage:
        raise
    except Exception as error:  # whatever the decoders raise on damaged bytes
        raise UnreadableImage(damage("DICOM", error)) from error


def _shown(header: Header, layout: Layout, outliers: float) -> Image.Image:
    pixels, photometric = decode(header, layout)
    if pixels.ndim == 3:
        return _colour(pixels, photometric, layout.bits_stored)
    if photometric == "PALETTE COLOR":
        return Image.fromarray(palette(header, pixels))
    return Image.fromarray(_grey(header, layout, pixels, outliers))


def _grey(header: Header, layout: Layout, pixels: Pixels, outliers: float) -> npt.NDArray[np.uint8]:
    inverted = layout.photometric == "MONOCHROME1"
    rescaled, shown = modality(header), voi(header)
    if shown is None and rescaled is None and layout.bits_stored == 8 and pixels.dtype == np.uint8:
        return ~pixels if inverted else pixels
    if shown is None:
        shown = grey.stretch(*_extent(header, pixels, rescaled, outliers))

    def step(values: grey.Values) -> grey.Values:
        on_screen = np.rint(shown(values if rescaled is None else rescaled(values)))
        return 255 - on_screen if inverted else on_screen

    return grey.apply(step, pixels)


def _extent(header: Header, pixels: Pixels, rescaled: grey.Step | None, outliers: float = 0.0) -> tuple[float, float]:
    """The lowest and the highest value of the picture proper, after the rescaling; outliers on either side aside."""
    padding = [*numbers(header.elements, "PixelPaddingValue"), *numbers(header.elements, "PixelPaddingRangeLimit")]
    if outliers and (inner := _inner(grey.check_numbers(pixels), padding, outliers)) is not None:
        values = inner
    elif padding or header.elements.get("ModalityLUTSequence"):
        values = grey.occurring(pixels)
        if padding:
            proper = values[(values < min(padding)) | (values > max(padding))]
            values = proper if proper.size else values
    else:
        values = np.array([grey.check_numbers(pixels).min(), pixels.max()], dtype=np.float64)
    values = values if rescaled is None else rescaled(values)
    return float(values.min()), float(values.max())


def _inner(pixels: Pixels, padding: list[float], outliers: float) -> grey.Values | None:
    """The two values between which all but these shares of the pixels lie; None where they are one."""
    if padding:
        proper = pixels[(pixels < min(padding)) | (pixels > max(padding))]
        pixels = proper if proper.size else pixels
    ends: grey.Values = np.percentile(pixels, [100 * outliers, 100 * (1 - outliers)], method="nearest").astype(
        np.float64
    )
    return ends if ends[0] < ends[1] else None


def _colour(pixels: Pixels, photometric: str, bits_stored: int) -> Image.Image:
    if pixels.itemsize > 1:
        pixels = (pixels >> max(0, bits_stored - 8)).astype(np.uint8)
    pixels = np.ascontiguousarray(pixels, dtype=np.uint8)
    if photometric in ("YBR_FULL", "YBR_FULL_422"):
        height, width, _ = pixels.shape
        return Image.frombuffer("YCbCr", (width, height), pixels, "raw", "YCbCr", 0, 1).convert("RGB")
    if photometric != "RGB":
        raise UnreadableImage(f"a DICOM in a colour model that is not supported: {photometric}")
    return Image.fromarray(pixels)


def _spacing(header: Header) -> Spacing | None:
    for source in _SPACINGS:
        given = numbers(header.elements, source)
        if len(given) == 2 and all(np.isfinite(each) and each > 0 for each in given):
            return Spacing(given[0], given[1], source)
    return None
