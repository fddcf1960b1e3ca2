"""DICOM files of every compression with changed, cut and added bytes: read, or named unreadable."""

from __future__ import annotations

import io

import numpy as np
import pytest
from dicoms import dicom
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import dcmread, uid
from pydicom.encaps import get_frame

from seedqueue.models.errors import UnreadableImage
from seedqueue.models.images import read_image

MOST = 100_000  # pixels
GREY = (np.arange(48 * 64) % 251).astype(np.uint8).reshape(48, 64)
DEEP = (np.arange(48 * 64) * 3).astype(np.uint16).reshape(48, 64)
SYNTAXES = (
    uid.ExplicitVRLittleEndian,
    uid.ImplicitVRLittleEndian,
    uid.ExplicitVRBigEndian,
    uid.DeflatedExplicitVRLittleEndian,
    uid.RLELossless,
    uid.JPEGBaseline8Bit,
    uid.JPEGLosslessSV1,
    uid.JPEG2000Lossless,
)
WHOLE = {str(syntax): dicom(GREY, syntax, WindowCenter=100, WindowWidth=90) for syntax in SYNTAXES}
WHOLE["several frames"] = dicom(GREY, NumberOfFrames=2, PixelData=GREY.tobytes() * 2)
WHOLE["deep"] = dicom(DEEP, stored=12, RescaleSlope="2", RescaleIntercept="-100")
# Small files, so that a change hits the header as often as the pixels.
WHOLE["without meta"] = dicom(GREY[:4, :4], meta=False)


def read(content: bytes) -> tuple[int, int] | None:
    """The size, None for what is named unreadable."""
    try:
        return read_image(content, max_pixels=MOST, frames="first").image.size
    except UnreadableImage:
        return None


@pytest.mark.parametrize("kind", WHOLE)
def test_the_files_are_readable_before_they_are_tampered_with(kind: str) -> None:
    assert read(WHOLE[kind]) in ((64, 48), (4, 4))


@settings(deadline=None)
@given(
    kind=st.sampled_from(sorted(WHOLE)),
    changes=st.lists(st.tuples(st.integers(128), st.integers(0, 255)), min_size=1, max_size=6),
)
def test_changed_bytes(kind: str, changes: list[tuple[int, int]]) -> None:
    content = bytearray(WHOLE[kind])
    for at, value in changes:
        content[at % len(content)] = value
    size = read(bytes(content))
    assert size is None or size[0] * size[1] <= MOST


@settings(deadline=None)
@given(kind=st.sampled_from(sorted(WHOLE)), at=st.integers(0), gone=st.integers(0, 40), more=st.binary(max_size=12))
def test_bytes_taken_out_and_put_in(kind: str, at: int, gone: int, more: bytes) -> None:
    content = WHOLE[kind]
    begin = at % len(content)
    read(content[:begin] + more + content[begin + gone :])


@pytest.mark.parametrize("frames", ["1000000000", "-5", "1e9", "99999999999999999999", "x"])
@pytest.mark.parametrize("syntax", [uid.ExplicitVRLittleEndian, uid.RLELossless, uid.JPEG2000Lossless])
def test_a_number_of_frames_that_is_a_lie(syntax: str, frames: str) -> None:
    frame = None
    if syntax != uid.ExplicitVRLittleEndian:
        frame = [get_frame(dcmread(io.BytesIO(WHOLE[syntax])).PixelData, 0, number_of_frames=1)]
    content = dicom(GREY, syntax, frames=frame, NumberOfFrames=1234567890)
    lying = content.replace(b"1234567890", frames.rjust(10)[:10].encode() if len(frames) <= 10 else b"9" * 10)
    assert lying != content
    size = read(lying)
    assert size in (None, (64, 48))


@pytest.mark.parametrize("side", [65535, 0])
@pytest.mark.parametrize("syntax", SYNTAXES[:4])
def test_sides_that_are_a_lie(syntax: str, side: int) -> None:
    assert read(dicom(GREY, syntax, Rows=side, Columns=side)) is None
