"""A DICOM file up to its pixels: what the elements say, and where the pixels lie."""

import io
import logging
import warnings
import zlib
from dataclasses import dataclass
from typing import Any, Literal

from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from seedqueue.models.errors import UnreadableImage
from seedqueue.models.picture import DECODING_ERRORS

_PIXEL_KEYWORDS = {0x7FE00008: "FloatPixelData", 0x7FE00009: "DoubleFloatPixelData", 0x7FE00010: "PixelData"}
_UNDEFINED_LENGTH = 0xFFFFFFFF

# Nothing else of the file is read, least of all the patient: groups 0028 (the image), single elements of
# others: the kind of object, the spacing on the detector and on film, the offsets of frames.
_WANTED = [0x00080016, 0x00181164, 0x00182010, 0x7FE00001, 0x7FE00002]
_WANTED += [0x00280000 + element for element in (0x02, 0x04, 0x06, 0x08, 0x10, 0x11, 0x30, 0x100, 0x101, 0x103)]
_WANTED += [0x00280000 + element for element in (0x120, 0x121, 0x1050, 0x1051, 0x1052, 0x1053, 0x1056)]
_WANTED += [0x00280000 + element for element in (0x1101, 0x1102, 0x1103, 0x1201, 0x1202, 0x1203, 0x3000, 0x3010)]

# Far above a header of a thousand frames, and above the largest of its values, the tables.
_MOST_READS = 200_000
_MOST_BYTES = 1 << 20

ENDS_EARLY = "truncated DICOM (it ends before its pixels)"

_PYDICOM = r"pydicom\b"

# What pydicom finds odd about a file is no business of a worker's log: what matters becomes a reason.
logging.getLogger("pydicom").setLevel(logging.CRITICAL)


@dataclass(frozen=True)
class Header:
    """The elements before the pixels, and the pixels' place in `content`.

    start, length: of the pixel data in `content`, in bytes; `length` reaches beyond the end where the file
    is cut off. encapsulated: they are compressed, in fragments, and `length` is not known.
    """

    elements: Dataset
    content: bytes
    syntax: UID
    little_endian: bool
    keyword: str
    value_kind: str
    start: int
    length: int
    encapsulated: bool


def read_header(content: bytes, most_bytes: int) -> Header:
    """Read a DICOM file's elements, with or without file meta.

    most_bytes: a deflated file that inflates to more is refused. Raises UnreadableImage, and
    DECODING_ERRORS on damaged bytes.
    """
    silence()
    stream = _Metered(content)
    stream.seek(132 if content[128:132] == b"DICM" else 0)
    meta = read_dataset(stream, False, True, stop_when=lambda tag, vr, length: tag >> 16 != 2)
    syntax = UID(str(meta.get("TransferSyntaxUID") or ""))
    if syntax == DeflatedExplicitVRLittleEndian:
        content = _inflated(stream.read(), most_bytes)
        stream = _Metered(content)
    # Where a file keeps implicit for explicit, or says nothing, read_dataset goes by the first element.
    elements = read_dataset(
        stream,
        is_implicit_VR=syntax in ("", ImplicitVRLittleEndian),
        is_little_endian=syntax != ExplicitVRBigEndian,
        stop_when=lambda tag, vr, length: tag in _PIXEL_KEYWORDS,
        specific_tags=list(_WANTED),
    )
    if any(isinstance(each.value, bytes) and len(each.value) > _MOST_BYTES for each in elements.elements()):
        raise UnreadableImage(f"a DICOM with an element of more than {_MOST_BYTES:,} bytes before its pixels")
    return _with_pixels(elements, content, stream, syntax or ExplicitVRLittleEndian)


class _Metered(io.BytesIO):
    """A stream that can be read so many times: pydicom makes an object of kilobytes for each 8 bytes of a sequence."""

    reads = 0

    def read(self, size: int | None = -1, /) -> bytes:
        self.reads += 1
        if self.reads > _MOST_READS:
            raise UnreadableImage(f"a DICOM of more than {_MOST_READS:,} elements")
        return super().read(size)


def numbers(elements: Dataset, keyword: str) -> list[float]:
    """The numbers of an element; none where it is absent, empty or holds something else."""
    try:
        value = elements.get(keyword)
        return [] if value is None else [float(each) for each in (value if _is_list(value) else [value])]
    except DECODING_ERRORS:
        return []


def whole(elements: Dataset, keyword: str, default: int | None = None) -> int:
    """The first number of an element as a whole one. Raises UnreadableImage where there is none and no default."""
    found = numbers(elements, keyword)
    if found:
        return int(found[0])
    if default is None:
        raise UnreadableImage(f"damaged DICOM (no {keyword})")
    return default


def _with_pixels(elements: Dataset, content: bytes, stream: io.BytesIO, syntax: UID) -> Header:
    """The header whose pixel data begin where the stream stands."""
    implicit, little = elements.original_encoding
    order: Literal["little", "big"] = "little" if little else "big"
    at = stream.tell()
    size = 8 if implicit else 12
    if at + size > len(content):
        raise UnreadableImage(_without_pixels(elements, cut_off=at != len(content) or "Rows" in elements))
    # The tag's halves come in the file's byte order, one after the other.
    group, element = (int.from_bytes(content[at + part : at + part + 2], order) for part in (0, 2))
    if (keyword := _PIXEL_KEYWORDS.get(group << 16 | element)) is None:
        raise UnreadableImage("damaged DICOM (its elements end before the file does)")
    length = int.from_bytes(content[at + size - 4 : at + size], order)
    return Header(
        elements=elements,
        content=content,
        syntax=syntax,
        little_endian=bool(little),
        keyword=keyword,
        value_kind="OW" if implicit else content[at + 4 : at + 6].decode("ascii"),
        start=at + size,
        length=length,
        encapsulated=length == _UNDEFINED_LENGTH,
    )


def _without_pixels(elements: Dataset, *, cut_off: bool) -> str:
    if cut_off:
        return ENDS_EARLY
    kind = UID(str(elements.get("SOPClassUID") or ""))
    return f"a DICOM without pixel data ({kind.name})" if kind.is_valid else "a DICOM without pixel data"


def _inflated(deflated: bytes, most_bytes: int) -> bytes:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    content = inflater.decompress(deflated, most_bytes)
    if inflater.unconsumed_tail:
        raise UnreadableImage(f"a deflated DICOM of more than {most_bytes / 1e6:.4g} megabytes")
    return content


def _is_list(value: Any) -> bool:
    return not isinstance(value, str | bytes) and hasattr(value, "__iter__")


def silence() -> None:
    """pydicom warns of a hundred oddities. warnings.catch_warnings is not safe among threads, a filter is.

    Looked for each time: the filters are replaced now and then, by every test for one.
    """
    if not any(getattr(module, "pattern", None) == _PYDICOM for _, _, _, module, _ in warnings.filters):
        warnings.filterwarnings("ignore", module=_PYDICOM)
