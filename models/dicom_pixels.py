"""The pixels of a DICOM file, decoded: uncompressed, JPEG of all kinds, JPEG 2000 and RLE."""

from collections.abc import Mapping
from typing import Any

import numpy.typing as npt
from pydicom import uid
from pydicom.encaps import encapsulate, get_frame
from pydicom.pixels.decoders.base import get_decoder

from seedqueue.models import codestream
from seedqueue.models.dicom_header import Header
from seedqueue.models.dicom_layout import Layout
from seedqueue.models.errors import UnreadableImage

Pixels = npt.NDArray[Any]

# One decoder for each compression, and no other behind it: GDCM would show what Pillow refuses as truncated.
# Pillow is several times faster and gives the interpreter free meanwhile.
_DECODERS: Mapping[str, str] = {
    uid.JPEGBaseline8Bit: "pillow",
    uid.JPEGExtended12Bit: "pillow",
    uid.JPEG2000Lossless: "pillow",
    uid.JPEG2000: "pillow",
    uid.JPEGLossless: "gdcm",
    uid.JPEGLosslessSV1: "gdcm",
    uid.JPEGLSLossless: "gdcm",
    uid.JPEGLSNearLossless: "gdcm",
    uid.HTJ2KLossless: "pylibjpeg",
    uid.HTJ2KLosslessRPCL: "pylibjpeg",
    uid.HTJ2K: "pylibjpeg",
}
# GDCM ends the process on others, and on odd notes of applications.
_FOR_GDCM = ("JPEG Lossless", "JPEG-LS")


def check_decodable(header: Header) -> None:
    """Raises UnreadableImage for a compression there is no decoder for."""
    if header.encapsulated and header.syntax not in _DECODERS and header.syntax != uid.RLELossless:
        raise _cannot_decode(header.syntax.name if header.syntax.is_valid else "one without a name")


def decode(header: Header, layout: Layout) -> tuple[Pixels, str]:
    """The first frame, (rows, columns) or (rows, columns, 3), of the stored type in native byte order.

    The second is the colour model it came out in. Bits beyond those stored are cleared. Raises
    UnreadableImage, and DECODING_ERRORS on damaged bytes.
    """
    if not header.encapsulated:
        pixels, photometric = _uncompressed(header, layout)
    elif header.syntax == uid.RLELossless:
        pixels, photometric = _run_lengths(header, layout), layout.photometric
    else:
        pixels, photometric = _compressed(header, layout)
    pixels = pixels.astype(pixels.dtype.newbyteorder("="), copy=False)
    return _stored_bits(pixels, layout), photometric


def _uncompressed(header: Header, layout: Layout) -> tuple[Pixels, str]:
    available = min(header.length, len(header.content) - header.start)
    if available < layout.frame_bytes * layout.frames:
        raise UnreadableImage(f"truncated DICOM ({available} of {layout.frame_bytes * layout.frames} bytes of pixels)")
    syntax = uid.ExplicitVRLittleEndian if header.little_endian else uid.ExplicitVRBigEndian
    place = memoryview(header.content)[header.start : header.start + available]
    pixels, found = get_decoder(syntax).as_array(place, **_options(header, layout), view_only=True)  # type: ignore[arg-type]
    return pixels, str(found["photometric_interpretation"])


def _run_lengths(header: Header, layout: Layout) -> Pixels:
    frame = _frame(header, layout)
    pixels = codestream.decode_rle(frame, layout.rows, layout.columns, layout.samples, layout.bits_allocated)
    return pixels.view(f"<i{pixels.itemsize}") if layout.signed else pixels


def _compressed(header: Header, layout: Layout) -> tuple[Pixels, str]:
    plugin = _DECODERS[header.syntax]
    frame = _frame(header, layout)
    found = codestream.read_codestream(frame)
    if (found.rows, found.columns, found.samples) != (layout.rows, layout.columns, layout.samples):
        raise ValueError(
            f"{found.columns} x {found.rows} x {found.samples} compressed, "
            f"{layout.columns} x {layout.rows} x {layout.samples} announced"
        )
    if plugin == "pillow" and found.kind == "JPEG" and found.precision != 8:
        raise _cannot_decode(f"{header.syntax.name} of {found.precision} bits")
    if plugin == "gdcm":
        if found.kind not in _FOR_GDCM or not 2 <= found.precision <= 16:
            raise ValueError(f"{found.kind} of {found.precision} bits")
        frame = codestream.without_notes(frame)
    # Put up again, so that nothing is decoded but the frame that was looked at.
    options = {**_options(header, layout), "planar_configuration": 0, "number_of_frames": 1}
    pixels, said = get_decoder(header.syntax).as_array(encapsulate([frame]), **options, decoding_plugin=plugin)
    return pixels, str(said["photometric_interpretation"])


def _frame(header: Header, layout: Layout) -> bytes:
    """The first frame's bytes, put together from its fragments."""
    offsets, lengths = (header.elements.get(f"ExtendedOffsetTable{end}") for end in ("", "Lengths"))
    return get_frame(
        header.content[header.start :],
        0,
        number_of_frames=layout.frames,
        extended_offsets=(offsets, lengths) if offsets and lengths else None,
    )


def _options(header: Header, layout: Layout) -> dict[str, Any]:
    return {
        "index": 0,
        "raw": True,
        "rows": layout.rows,
        "columns": layout.columns,
        "samples_per_pixel": layout.samples,
        "bits_allocated": layout.bits_allocated,
        "bits_stored": layout.bits_stored,
        "pixel_representation": int(layout.signed),
        "photometric_interpretation": layout.photometric,
        "planar_configuration": layout.planar,
        "number_of_frames": layout.frames,
        "pixel_keyword": header.keyword,
        "pixel_vr": header.value_kind,
        "allow_excess_frames": False,
        "correct_unused_bits": False,
    }


def _stored_bits(pixels: Pixels, layout: Layout) -> Pixels:
    """The pixels without the bits above those stored, where old files keep drawings; a copy only where needed."""
    unused = 8 * pixels.itemsize - layout.bits_stored
    if pixels.dtype.kind == "f" or unused <= 0:
        return pixels
    low, high = (
        (-(1 << layout.bits_stored - 1), 1 << layout.bits_stored - 1) if layout.signed else (0, 1 << layout.bits_stored)
    )
    if low <= pixels.min() and pixels.max() < high:
        return pixels
    return pixels << unused >> unused


def _cannot_decode(name: str) -> UnreadableImage:
    return UnreadableImage(f"a DICOM in a compression that cannot be decoded: {name}")
