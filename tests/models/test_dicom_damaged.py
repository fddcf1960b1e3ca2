"""DICOM that cannot be shown: what is said of it, and that nothing else happens."""

import struct
import subprocess
import sys
import tracemalloc
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from dicoms import dataset, dicom, file_of, jpeg, jpeg_lossless
from pydicom import uid
from pydicom.encaps import encapsulate

from seedqueue.models.codestream import decode_rle, read_codestream, without_notes
from seedqueue.models.errors import UnreadableImage
from seedqueue.models.images import read_image

SHIPPED = Path(pydicom.__file__).parent / "data" / "test_files"
RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (40, 50), dtype=np.uint8)
DEEP = RNG.integers(0, 4096, (40, 50)).astype(np.uint16)
LIMIT = 1_000_000


def reason(content: bytes, max_pixels: int = LIMIT) -> str:
    with pytest.raises(UnreadableImage) as caught:
        read_image(content, max_pixels=max_pixels)
    return caught.value.reason


def without_pixels(**elements: Any) -> bytes:
    made = dataset(GREY, **elements)
    del made.PixelData
    return file_of(made)


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        ("reportsi.dcm", " (Basic Text SR Storage)"),
        ("rtplan.dcm", " (RT Plan Storage)"),
        ("waveform_ecg.dcm", " (12-lead ECG Waveform Storage)"),
        ("no_meta_group_length.dcm", ""),
    ],
)
def test_a_dicom_without_pixel_data(file: str, kind: str) -> None:
    assert reason((SHIPPED / file).read_bytes()) == f"a DICOM without pixel data{kind}"


def test_a_dicom_that_ends_early() -> None:
    content = dicom(DEEP, stored=12)
    assert reason(content[:-100]) == "truncated DICOM (3900 of 4000 bytes of pixels)"
    pixels = content.rindex(b"\xe0\x7f\x10\0")
    for length in (pixels + 10, pixels, pixels - 3, pixels - 30):
        assert reason(content[:length]) == "truncated DICOM (it ends before its pixels)", length
    assert reason(without_pixels()) == "truncated DICOM (it ends before its pixels)"
    for length in (132, 140, 200):
        assert "DICOM" in reason(content[:length])


@pytest.mark.parametrize("syntax", [uid.JPEGBaseline8Bit, uid.JPEGLosslessSV1, uid.JPEG2000Lossless, uid.RLELossless])
@pytest.mark.parametrize("part", [0.3, 0.7, 0.95])
def test_compressed_pixels_that_end_early(syntax: uid.UID, part: float) -> None:
    content = dicom(GREY, syntax)
    start = content.rindex(b"\xe0\x7f\x10\0")
    assert reason(content[: start + int((len(content) - start) * part)]).startswith(
        ("truncated DICOM", "damaged DICOM")
    )
    whole = pydicom.encaps.get_frame(content[start + 12 :], 0, number_of_frames=1)
    short = dicom(GREY, syntax, frames=[whole[: int(len(whole) * part)]])
    assert reason(short).startswith(("truncated DICOM", "damaged DICOM"))


@pytest.mark.parametrize(
    ("syntax", "name"),
    [
        (uid.MPEG2MPML, "MPEG2 Main Profile / Main Level"),
        (uid.JPIPHTJ2KReferenced, "JPIP HTJ2K Referenced"),
        ("1.2.840.113619.5.99", "1.2.840.113619.5.99"),
    ],
)
def test_a_compression_that_cannot_be_decoded(syntax: str, name: str) -> None:
    assert reason(_under(syntax)) == f"a DICOM in a compression that cannot be decoded: {name}"


def _under(syntax: str) -> bytes:
    """A file of JPEG fragments under any transfer syntax."""
    content = dicom(GREY, uid.JPEGBaseline8Bit)
    return content.replace(b"UI" + _even(uid.JPEGBaseline8Bit), b"UI" + _even(syntax), 1)


def _even(text: str) -> bytes:
    value = text.encode() + b"\0" * (len(text) % 2)
    return struct.pack("<H", len(value)) + value


def test_a_jpeg_of_twelve_bits() -> None:
    said = reason((SHIPPED / "JPGExtended.dcm").read_bytes())
    assert said == "a DICOM in a compression that cannot be decoded: JPEG Extended (Process 2 and 4) of 12 bits"


def test_other_forms_that_are_refused() -> None:
    three = np.zeros((4, 5, 3), np.uint8)
    assert reason(dicom(three, PhotometricInterpretation="HSV")).endswith("colour model that is not supported: HSV")
    assert "without its palette" in reason(dicom(GREY, PhotometricInterpretation="PALETTE COLOR"))
    for keyword, value in {"BitsAllocated": 12, "BitsStored": 99, "Rows": 0, "SamplesPerPixel": 7}.items():
        assert reason(dicom(GREY, **{keyword: value})).startswith(("damaged DICOM", "truncated DICOM"))
    made = dataset(GREY)
    del made.Rows
    assert reason(file_of(made)) == "damaged DICOM (no Rows)"


def test_a_dicom_over_the_limit_is_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    def decoded(*args: object) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr("seedqueue.models.dicom.decode", decoded)
    content = dicom(GREY, Rows=2000, Columns=1000)
    assert reason(content) == "1000 x 2000 = 2 megapixels, more than the limit of 1"


@pytest.mark.parametrize("syntax", [uid.JPEGBaseline8Bit, uid.JPEGLosslessSV1, uid.JPEG2000Lossless])
def test_a_stream_larger_than_the_file_says(syntax: uid.UID, monkeypatch: pytest.MonkeyPatch) -> None:
    def decoded(*args: object, **options: object) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr("seedqueue.models.dicom_pixels.get_decoder", decoded)
    content = dicom(GREY, syntax, Rows=10, Columns=12) if syntax != uid.JPEG2000Lossless else _resized(GREY)
    assert "50 x 40 x 1 compressed, 12 x 10 x 1 announced" in reason(content)


def _resized(pixels: Any) -> bytes:
    content = dicom(pixels, uid.JPEG2000Lossless)
    rows, columns = (b"\x28\0%c\0US\x02\0" % each for each in b"\x10\x11")
    return content.replace(rows + b"\x28\0", rows + b"\x0a\0").replace(columns + b"\x32\0", columns + b"\x0c\0")


def test_a_deflated_bomb_is_given_up() -> None:
    """200 MB of zeros in 200 kB, where about 21 MB are allowed."""
    content = dicom(GREY, uid.DeflatedExplicitVRLittleEndian)
    start = 144 + struct.unpack("<L", content[140:144])[0]
    deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    bomb = content[:start] + deflater.compress(bytes(200_000_000)) + deflater.flush()
    assert len(bomb) < 1_000_000
    tracemalloc.start()
    assert reason(bomb) == "a deflated DICOM of more than 20.78 megabytes"
    assert tracemalloc.get_traced_memory()[1] < 60_000_000
    tracemalloc.stop()


def test_an_rle_bomb_stops_when_the_picture_is_full() -> None:
    """Two bytes that stand for 128, a million times: 64 MB in each of the two segments, for 2048 pixels."""
    runs = b"\x81\x05" * 500_000
    bomb = struct.pack("<16L", 2, 64, 64 + len(runs), *[0] * 13) + runs + runs
    tracemalloc.start()
    pixels = decode_rle(bomb, 32, 64, 1, 16)
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()
    assert pixels.shape == (32, 64)
    assert (pixels == 0x0505).all()


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"\xff\xd8",
        b"\xff\xd8\xff\xd9",
        b"\xff\xd8\x00\x01\x02\x03\x04\x05",
        b"\xff\xd8\xff\xda\0\x08",
        b"\xff\xd8\xff\xc3\0\x04\x08\0",
        b"\xff\xd8\xff\xb2\0\x04\0\0",
        b"\xff\x4f\xff\x51\0\x29",
        b"\xff\xd8" + b"\xff" * 50,
    ],
)
def test_headers_of_streams_that_are_none(frame: bytes) -> None:
    with pytest.raises(ValueError, match="JPEG"):
        read_codestream(frame)


def test_two_frames_in_one_stream_are_refused() -> None:
    """A second, larger start of frame behind the first is how a decoder could be led astray."""
    stream = jpeg_lossless(DEEP, 12)
    start = stream.index(b"\xff\xc3")
    frame = stream[start : start + 13]
    with pytest.raises(ValueError, match="the JPEG mark C3 where none is expected"):
        read_codestream(stream[:start] + frame + stream[start:])


def test_notes_and_fill_bytes_are_skipped_and_left_out() -> None:
    stream = jpeg_lossless(DEEP, 12)
    noted = stream[:2] + b"\xff\xff\xff\xee\0\x0eAdobe\0\x64\0\0\0\0\x91" + b"\xff\xfe\0\x04hi" + stream[2:]
    assert read_codestream(noted) == read_codestream(stream)
    assert without_notes(noted) == stream
    shown = [
        np.asarray(read_image(dicom(DEEP, uid.JPEGLosslessSV1, stored=12, frames=[each]), max_pixels=LIMIT).image)
        for each in (stream, noted)
    ]
    assert np.array_equal(*shown)


def test_gdcm_gets_no_precision_that_would_end_the_process() -> None:
    stream = bytearray(jpeg_lossless(DEEP, 12))
    at = stream.index(b"\xff\xc3") + 4
    for precision in (0, 1, 17, 46, 106, 222):
        stream[at] = precision
        content = dicom(DEEP, uid.JPEGLosslessSV1, stored=12, frames=[bytes(stream)])
        assert f"JPEG Lossless of {precision} bits" in reason(content)
    lossy = dicom(GREY, uid.JPEGLosslessSV1, frames=[jpeg(GREY)])
    assert "(JPEG of 8 bits)" in reason(lossy)


SEEDS = {
    "explicit": dicom(DEEP, stored=12, PixelSpacing=[0.1, 0.2], WindowCenter=1000, WindowWidth=2000),
    "implicit": dicom(DEEP, uid.ImplicitVRLittleEndian, stored=12, meta=False),
    "big endian": dicom(DEEP, uid.ExplicitVRBigEndian, stored=12),
    "deflated": dicom(GREY, uid.DeflatedExplicitVRLittleEndian),
    "RLE": dicom(DEEP, uid.RLELossless, stored=12),
    "JPEG": dicom(GREY, uid.JPEGBaseline8Bit),
    "JPEG Lossless": dicom(DEEP, uid.JPEGLosslessSV1, stored=12),
    "JPEG 2000": dicom(DEEP, uid.JPEG2000Lossless, stored=12),
    "JPEG-LS": (SHIPPED / "MR_small_jpeg_ls_lossless.dcm").read_bytes(),
    "tables": dicom(
        DEEP,
        stored=12,
        ModalityLUTSequence={"LUTDescriptor": [64, 0, 16], "LUTData": b"\1\2" * 64},
        VOILUTSequence={"LUTDescriptor": [64, 0, 8], "LUTData": b"\1\2" * 64},
        PixelPaddingValue=3,
    ),
    "report": (SHIPPED / "reportsi.dcm").read_bytes(),
    "bad values": (SHIPPED / "badVR.dcm").read_bytes(),
}


@pytest.mark.parametrize("kind", SEEDS)
def test_damaged_bytes_raise_nothing_else(kind: str) -> None:
    content = SEEDS[kind]
    rng = np.random.default_rng(5)
    pixels = max(content.rfind(b"\xe0\x7f\x10\0"), content.rfind(b"\x7f\xe0\0\x10"), 132)
    reasons = []
    for turn in range(300):
        damaged = bytearray(content)
        low, high = [(0, len(content)), (128, pixels + 20), (pixels, min(len(content), pixels + 200))][turn % 3]
        for at in rng.integers(low, high, 3):
            damaged[at] = rng.integers(256)
        if turn % 5 == 0:
            del damaged[rng.integers(len(damaged)) :]
        try:
            image = read_image(bytes(damaged), max_pixels=LIMIT, frames="first").image
            assert image.mode in ("RGB", "L")
        except UnreadableImage as error:
            reasons.append(error.reason)
    assert len(reasons) > 10
    assert all(each.isprintable() and len(each) < 250 for each in reasons)


SEQUENCE = b"\x08\0\x40\x11SQ\0\0\xff\xff\xff\xff"
EMPTY_ITEM = b"\xfe\xff\0\xe0\0\0\0\0"


@pytest.mark.parametrize(
    ("elements", "said"),
    [
        ((SEQUENCE + b"\xfe\xff\0\xe0\xff\xff\xff\xff") * 50_000, "damaged DICOM (its elements cannot be read)"),
        (SEQUENCE + EMPTY_ITEM * 400_000, "damaged DICOM (its elements cannot be read)"),
        (b"\x08\0\x20\0DA\0\0" * 400_000, "a DICOM of more than 200,000 elements"),
        (
            b"\x28\0\x10\x30SQ\0\0" + struct.pack("<L", 8 * 400_000) + EMPTY_ITEM * 400_000,
            "a DICOM with an element of more than 1,048,576 bytes before its pixels",
        ),
    ],
    ids=["nested", "items", "elements", "value"],
)
def test_elements_without_end_are_given_up(elements: bytes, said: str) -> None:
    """pydicom makes an object of kilobytes for each item of 8 bytes: a file of 200 MB would fill a machine."""
    content = dicom(GREY)
    start = content.index(b"\x08\0\x16\0")
    assert reason(content[:start] + elements + content[start:]) == said


def test_the_process_outlives_many_damaged_jpeg_lossless_streams() -> None:
    """In a process of its own: GDCM, given such headers unseen, ends it within a few hundred."""
    program = """
import sys
import numpy as np
from dicoms import dicom, jpeg_lossless
from seedqueue.models.errors import UnreadableImage
from seedqueue.models.images import read_image

rng = np.random.default_rng(1)
for pixels, bits, notes in (
    (rng.integers(0, 4096, (16, 16)).astype(np.uint16), 12, b""),
    (rng.integers(0, 256, (16, 16, 3)).astype(np.uint8), 8, b"\\xff\\xee\\0\\x0eAdobe\\0\\x64\\0\\0\\0\\0\\0"),
):
    stream = jpeg_lossless(pixels, bits, notes)
    content = dicom(pixels, "1.2.840.10008.1.2.4.70", stored=bits, frames=[stream])
    assert read_image(content, max_pixels=10**6).image.size == (16, 16)
    for _ in range(2000):
        damaged = bytearray(stream)
        for at in rng.integers(2, 80, 2):
            damaged[at] = rng.integers(256)
        try:
            read_image(content.replace(stream, bytes(damaged)), max_pixels=10**6)
        except UnreadableImage:
            pass
print("lived")
"""
    support = Path(__file__).parents[1] / "support"
    done = subprocess.run([sys.executable, "-c", program], cwd=support, capture_output=True, text=True)
    assert done.stdout == "lived\n", done.stderr[-2000:]


def test_pixels_under_a_syntax_that_does_not_fit() -> None:
    said = reason(_under(uid.ExplicitVRLittleEndian))
    assert said == "a DICOM in a compression that cannot be decoded: Explicit VR Little Endian"
    fragments = encapsulate([GREY.tobytes()])
    assert "damaged DICOM" in reason(dicom(GREY, uid.JPEGBaseline8Bit, frames=[fragments]))
    said_compressed = dicom(GREY, uid.ExplicitVRLittleEndian).replace(
        uid.ExplicitVRLittleEndian.encode() + b"\0", b"1.2.840.10008.1.2.5\0"
    )
    assert np.array_equal(np.asarray(read_image(said_compressed, max_pixels=LIMIT).image), GREY)
