"""Small DICOM files of every kind the reader knows, made with pydicom, and a JPEG Lossless encoder."""

import io
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydicom import uid
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate

CR_IMAGE = "1.2.840.10008.5.1.4.1.1.1"
JPEGS = (uid.JPEGBaseline8Bit, uid.JPEGExtended12Bit, uid.JPEGLossless, uid.JPEGLosslessSV1)


def dataset(pixels: NDArray[Any], stored: int | None = None, **elements: Any) -> Dataset:
    """A dataset of (rows, columns) or (rows, columns, 3) pixels; `elements` by keyword, sequences as dicts."""
    made = Dataset()
    made.SOPClassUID, made.SOPInstanceUID = CR_IMAGE, "1.2.3"
    made.Rows, made.Columns = pixels.shape[:2]
    made.SamplesPerPixel = 3 if pixels.ndim == 3 else 1
    made.PhotometricInterpretation = "RGB" if pixels.ndim == 3 else "MONOCHROME2"
    if pixels.ndim == 3:
        made.PlanarConfiguration = 0
    made.BitsAllocated = 8 * pixels.itemsize
    made.BitsStored = stored or made.BitsAllocated
    made.HighBit = made.BitsStored - 1
    made.PixelRepresentation = int(pixels.dtype.kind == "i")
    made.add_new("PixelData", "OB" if pixels.itemsize == 1 else "OW", pixels.tobytes() + b"\0" * (pixels.nbytes % 2))
    for keyword, value in elements.items():
        setattr(made, keyword, _sequence(value) if isinstance(value, Mapping) else value)
    return made


def dicom(
    pixels: NDArray[Any],
    syntax: str = uid.ExplicitVRLittleEndian,
    *,
    stored: int | None = None,
    frames: list[bytes] | None = None,
    meta: bool = True,
    **elements: Any,
) -> bytes:
    """The bytes of a file in a transfer syntax; `frames`: compressed already, else compressed here."""
    syntax = uid.UID(syntax)
    made = dataset(pixels, stored, **elements)
    if frames is None and syntax in JPEGS:
        lossy = syntax in (uid.JPEGBaseline8Bit, uid.JPEGExtended12Bit)
        frames = [jpeg(pixels) if lossy else jpeg_lossless(pixels, made.BitsStored)]
    if syntax == uid.ExplicitVRBigEndian:
        made.PixelData = pixels.astype(pixels.dtype.newbyteorder(">")).tobytes()
    if frames is not None:
        made["PixelData"].VR = "OB"
        made.PixelData = encapsulate(frames)
    elif syntax in (uid.RLELossless, uid.JPEG2000Lossless):
        made.file_meta = FileMetaDataset()
        made.file_meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
        made.compress(syntax, encoding_plugin="pydicom" if syntax == uid.RLELossless else "pylibjpeg")
    return file_of(made, syntax, meta=meta)


def file_of(made: Dataset, syntax: str = uid.ExplicitVRLittleEndian, *, meta: bool = True) -> bytes:
    """A dataset as a file; without file meta nothing is left but the elements."""
    syntax, stream = uid.UID(syntax), io.BytesIO()
    if not meta:
        made.save_as(stream, implicit_vr=syntax.is_implicit_VR, little_endian=syntax.is_little_endian)
        return stream.getvalue()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = syntax
    made.file_meta.MediaStorageSOPClassUID, made.file_meta.MediaStorageSOPInstanceUID = made.SOPClassUID, "1.2.3"
    made.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def table(first: int, entries: NDArray[Any], bits: int) -> dict[str, Any]:
    """The one item of a modality or VOI LUT sequence, its data as words."""
    data = entries.astype("<u2").tobytes()
    return {"LUTDescriptor": [len(entries) % 65536, first, bits], "LUTData": data}


def jpeg(pixels: NDArray[Any], **options: Any) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", **{"quality": 95, **options})
    return stream.getvalue()


def jpeg_lossless(pixels: NDArray[Any], bits: int, notes: bytes = b"") -> bytes:
    """JPEG Lossless (process 14, selection value 1), 2 to 16 bits, grey or interleaved; all codes are 5 bits long."""
    values = pixels.reshape(*pixels.shape[:2], -1).astype(np.int64) & (1 << bits) - 1
    guesses = np.roll(values, 1, axis=1)
    guesses[1:, 0] = values[:-1, 0]
    guesses[0, 0] = 1 << bits - 1
    words: list[str] = []
    for difference in ((values - guesses + 32768) % 65536 - 32768).ravel().tolist():
        size = abs(difference).bit_length()
        words.append(f"{size:05b}")
        if 0 < size < 16:
            words.append(f"{difference if difference > 0 else difference + (1 << size) - 1:0{size}b}")
    stream = "".join(words)
    stream += "1" * (-len(stream) % 8)
    scan = int(stream, 2).to_bytes(len(stream) // 8, "big").replace(b"\xff", b"\xff\0")
    channels = range(1, values.shape[2] + 1)
    frame = struct.pack(">BHHB", bits, *values.shape) + bytes(each for id in channels for each in (id, 0x11, 0))
    codes = bytes([0, *(0, 0, 0, 0, 17), *[0] * 11, *range(17)])
    start = bytes([len(channels), *(each for id in channels for each in (id, 0)), 1, 0, 0])
    header = notes + _segment(0xC3, frame) + _segment(0xC4, codes) + _segment(0xDA, start)
    return b"\xff\xd8" + header + scan + b"\xff\xd9"


def _segment(mark: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, mark, len(content) + 2) + content


def _sequence(item: Mapping[str, Any]) -> list[Dataset]:
    made = Dataset()
    for keyword, value in item.items():
        made.add_new(keyword, "US" if keyword == "LUTDescriptor" else "OW", value)
    return [made]
