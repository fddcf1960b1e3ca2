"""Compressed pixels looked at before a decoder gets them: what JPEG and JPEG 2000 announce, and RLE itself.

A decoder allocates what a stream announces, whatever the file around it says, and GDCM ends the process
on headers it did not expect. So the headers are read here first, strictly.
"""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

_START_OF_FRAME = {*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC}
# Tables, restart interval and JPEG-LS parameters; applications' own and comments.
_TABLES = {0xC4, 0xCC, 0xDB, 0xDD, 0xF8}
_NOTES = {*range(0xE0, 0xF0), 0xFE}
_START_OF_SCAN, _FILL = 0xDA, 0xFF
_KINDS = {0xC3: "JPEG Lossless", 0xF7: "JPEG-LS"}

_END = 0xD9
# In the pixels FF stands before 00, a restart mark or another FF; anything else ends the scan.
_END_OF_SCAN = re.compile(rb"\xff(?=[^\x00\xd0-\xd7\xff])")

# SIZ, the first segment of a JPEG 2000 stream: image and tile sizes and offsets, number of components, bits.
_SIZ_MARK = b"\xff\x4f\xff\x51"
_SIZ = struct.Struct(">4x 2H 8I H B")

# A progressive JPEG has some ten scans, and each goes over all pixels, however few bytes it has.
MOST_SCANS = 100
# OpenJPEG takes 9 kB for each tile before it decodes one, some more for each of its components.
MOST_TILE_COMPONENTS = 1 << 15
# A JPEG 2000 file has one stream; the mark may by chance stand in its notes too.
_MOST_STREAMS = 100


@dataclass(frozen=True)
class Announced:
    """What a compressed stream says of itself. kind: "JPEG", "JPEG Lossless", "JPEG-LS" or "JPEG 2000"."""

    kind: str
    rows: int
    columns: int
    samples: int
    precision: int


def read_codestream(frame: bytes) -> Announced:
    """Read the header of a JPEG, JPEG-LS or JPEG 2000 stream. Raises ValueError where it is damaged."""
    if frame.startswith(b"\xff\xd8"):
        found = _read_jpeg(frame)
        check_scans(frame)
        return found
    streams = list(_jpeg_2000_headers(frame))
    if not streams:
        raise ValueError("neither JPEG nor JPEG 2000")
    if len(set(streams)) > 1:  # which of them the decoder takes is not for us to guess
        raise ValueError("several JPEG 2000 streams that differ")
    return streams[0]


def check_tiles(content: bytes) -> None:
    """Raises ValueError for a JPEG 2000 of so many tiles that a few bytes would take a gigabyte."""
    for _ in _jpeg_2000_headers(content):
        pass


def _jpeg_2000_headers(content: bytes) -> Iterator[Announced]:
    """What each stream in a JPEG 2000 file announces: which one a decoder takes, the boxes around them decide."""
    at = content.find(_SIZ_MARK)
    for number in range(_MOST_STREAMS + 1):
        if at < 0:
            return
        if number == _MOST_STREAMS or len(content) < at + _SIZ.size:
            raise ValueError("truncated JPEG 2000 header" if number < _MOST_STREAMS else "too many JPEG 2000 streams")
        _, _, right, bottom, left, top, across, down, tiles_left, tiles_top, samples, bits = _SIZ.unpack_from(
            content, at
        )
        if not (across and down):
            raise ValueError("JPEG 2000 tiles without a size")
        tiles = -((tiles_left - right) // across) * -((tiles_top - bottom) // down)
        if tiles * samples > MOST_TILE_COMPONENTS:
            raise ValueError(f"{tiles:,} tiles of {samples} components, more than {MOST_TILE_COMPONENTS:,} in all")
        yield Announced("JPEG 2000", bottom - top, right - left, samples, (bits & 0x7F) + 1)
        at = content.find(_SIZ_MARK, at + 1)


def check_scans(content: bytes) -> None:
    """Raises ValueError for a JPEG of so many scans that decoding it would take minutes. Damaged ones pass."""
    at, scans = 2, 0
    while (found := _END_OF_SCAN.search(content, at)) is not None:
        at, mark = found.end(), content[found.end()]
        if mark == _END:
            return
        if mark == _START_OF_SCAN:
            scans += 1
            if scans > MOST_SCANS:
                raise ValueError(f"more than {MOST_SCANS} scans")
        at += 1 + int.from_bytes(content[at + 1 : at + 3], "big")


def _read_jpeg(frame: bytes) -> Announced:
    """Of the segments before the first scan, exactly one must be the start of a frame."""
    found: Announced | None = None
    for mark, start, end in _segments(frame):
        if mark in _START_OF_FRAME and found is None and end >= start + 10:
            precision, rows, columns, samples = struct.unpack_from(">BHHB", frame, start + 4)
            found = Announced(_KINDS.get(mark, "JPEG"), rows, columns, samples, precision)
        elif mark not in _TABLES and mark not in _NOTES:
            raise ValueError(f"the JPEG mark {mark:02X} where none is expected")
    if found is None:
        raise ValueError("a JPEG scan without a frame")
    return found


def without_notes(frame: bytes) -> bytes:
    """A JPEG stream without comments and applications' own segments, Adobe's for one."""
    segments = list(_segments(frame))
    kept = [frame[start:end] for mark, start, end in segments if mark not in _NOTES]
    return b"".join([frame[:2], *kept, frame[segments[-1][2] :]])


def _segments(frame: bytes) -> Iterator[tuple[int, int, int]]:
    """Mark, start and end of each segment up to the first scan, which itself is left out."""
    at = 2
    while at + 4 <= len(frame):
        if frame[at] != 0xFF:
            raise ValueError("a JPEG segment that begins with no mark")
        mark = frame[at + 1]
        if mark == _START_OF_SCAN:
            return
        end = at + 1 if mark == _FILL else at + 2 + int.from_bytes(frame[at + 2 : at + 4], "big")
        if mark != _FILL:
            yield mark, at, end
        at = end
    raise ValueError("truncated JPEG header")


def decode_rle(frame: bytes, rows: int, columns: int, samples: int, bits: int) -> npt.NDArray[Any]:
    """DICOM's RLE (PS3.5 annex G): unsigned little endian (rows, columns) or (rows, columns, samples).

    Its segments are TIFF's PackBits, for which Pillow has a decoder that stops when the picture is full:
    pydicom's goes on as long as there are bytes, 64-fold. Raises ValueError and struct.error.
    """
    size = bits // 8
    segments = int.from_bytes(frame[:4], "little")
    if not size or segments != samples * size:
        raise ValueError(f"{segments} RLE segments for {samples} x {bits} bits")
    bounds = [*struct.unpack_from(f"<{segments}L", frame, 4), len(frame)]
    planes = np.empty((samples, rows * columns, size), dtype=np.uint8)
    for number in range(segments):
        segment = frame[bounds[number] : bounds[number + 1]]
        unpacked = Image.frombytes("L", (rows * columns, 1), segment, "packbits", "L")
        planes[number // size, :, size - 1 - number % size] = np.asarray(unpacked)[0]
    pixels = planes.view(f"<u{size}").reshape(samples, rows, columns)
    return pixels[0] if samples == 1 else np.moveaxis(pixels, 0, -1)
