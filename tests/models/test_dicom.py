"""DICOM: real radiographs, every compression, colour, frames, spacing and files without file meta."""

import csv
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from dicoms import dicom, file_of, jpeg
from numpy.typing import NDArray
from PIL import Image
from pydicom import uid
from pydicom.pixels import apply_modality_lut, apply_voi_lut
from pydicom.pixels.decoders import base

from seedqueue.models.errors import UnreadableImage
from seedqueue.models.images import read_image
from seedqueue.models.picture import Spacing

LIMIT = 10_000_000
RNG = np.random.default_rng(0)
SHIPPED = Path(pydicom.__file__).parent / "data" / "test_files"

LOSSLESS = [
    uid.ImplicitVRLittleEndian,
    uid.ExplicitVRLittleEndian,
    uid.ExplicitVRBigEndian,
    uid.DeflatedExplicitVRLittleEndian,
    uid.RLELossless,
    uid.JPEG2000Lossless,
    uid.JPEGLosslessSV1,
]


def read(content: bytes, **options: Any) -> NDArray[np.int64]:
    return np.asarray(read_image(content, max_pixels=LIMIT, **options).image, dtype=np.int64)


def by_hand(pixels: NDArray[Any], elements: pydicom.Dataset) -> NDArray[np.float64]:
    """What pydicom makes of decoded grey pixels, in float64, onto 0 to 255: independent of the reader's own tables."""
    values = apply_modality_lut(pixels, elements)
    shown = np.asarray(apply_voi_lut(values, elements), dtype=np.float64)
    if "WindowCenter" in elements:
        low, high = 0.0, 2.0**elements.BitsStored - 1
    elif elements.BitsStored == 8:
        low, high = 0.0, 255.0
    else:
        low, high = shown.min(), shown.max()
    scaled = (shown - low) / (high - low) * 255
    return 255 - scaled if elements.PhotometricInterpretation == "MONOCHROME1" else scaled


@pytest.fixture
def real(test_data: Path) -> Path:
    return test_data / "data" / "dicom"


def parsed(file: Path) -> pydicom.FileDataset:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = pydicom.dcmread(file, force=True)
        if "TransferSyntaxUID" not in found.file_meta:
            found.file_meta.TransferSyntaxUID = uid.ImplicitVRLittleEndian
        found.decode()
    return found


def test_all_real_files_are_read(real: Path) -> None:
    files = {row["file"]: row for row in csv.DictReader((real / "labels.csv").read_text().splitlines())}
    assert len(files) == 19
    for name, row in files.items():
        picture = read_image((real / name).read_bytes(), max_pixels=LIMIT)
        elements = parsed(real / name)
        assert picture.image.mode == "L"
        assert picture.image.size == (int(row["columns"]), int(row["rows"]))
        shown = np.asarray(picture.image, dtype=np.float64)
        assert shown.std() > 20
        assert np.abs(shown - by_hand(elements.pixel_array, elements)).max() <= 0.5 + 1e-9, name


def test_monochrome1_is_the_inverse_of_monochrome2(real: Path) -> None:
    straight = read((real / "xrv_1.2.276.0.7230010.3.1.4.8323329.6904.1517875201.850819.dcm").read_bytes())
    inverted = read((real / "xrv_Fake_MONOHR1.dcm").read_bytes())
    assert np.array_equal(inverted, 255 - straight)
    assert straight.std() > 20


def test_a_real_modality_lut(real: Path) -> None:
    file = real / "fodicom_CR-ModalitySequenceLUT.dcm"
    elements = parsed(file)
    table = np.frombuffer(elements.ModalityLUTSequence[0].LUTData, dtype="<u2").astype(float)
    values = table[elements.pixel_array]
    expected = 255 - (values - values.min()) / np.ptp(values) * 255
    assert np.abs(read(file.read_bytes()) - expected).max() <= 0.5
    assert not np.array_equal(table, np.sort(table)[0] + (table[1] - table[0]) * np.arange(1024))  # not a straight line


@pytest.mark.parametrize(
    ("name", "spacing"),
    [
        ("fodicom_CR-ModalitySequenceLUT.dcm", Spacing(0.15, 0.15, "PixelSpacing")),
        ("siim_1.2.276.0.7230010.3.1.4.8323329.1000.1517875165.878027.dcm", Spacing(0.168, 0.168, "PixelSpacing")),
        ("nema_RG1_J2KI.dcm", None),  # says 0.000
        ("nhsx_sample.dcm", None),  # says nothing
    ],
)
def test_spacing_of_real_files(real: Path, name: str, spacing: Spacing | None) -> None:
    assert read_image((real / name).read_bytes(), max_pixels=LIMIT).spacing == spacing


@pytest.mark.parametrize(
    ("elements", "spacing"),
    [
        ({"PixelSpacing": [0.2, 0.3], "ImagerPixelSpacing": [1, 1]}, Spacing(0.2, 0.3, "PixelSpacing")),
        ({"ImagerPixelSpacing": [0.14, 0.15]}, Spacing(0.14, 0.15, "ImagerPixelSpacing")),
        ({"PixelSpacing": [0, 0], "NominalScannedPixelSpacing": [1, 2]}, Spacing(1, 2, "NominalScannedPixelSpacing")),
        ({"PixelSpacing": [0.2, -0.2]}, None),
        ({"PixelSpacing": [0.2]}, None),
        ({"PixelSpacing": None}, None),
        ({}, None),
    ],
)
def test_spacing(elements: dict[str, Any], spacing: Spacing | None) -> None:
    content = dicom(np.zeros((2, 3), np.uint8), **elements)
    assert read_image(content, max_pixels=LIMIT).spacing == spacing


def test_a_picture_without_dicom_has_no_spacing() -> None:
    assert read_image(jpeg(np.zeros((2, 3), np.uint8), dpi=(72, 72)), max_pixels=LIMIT).spacing is None


@pytest.mark.parametrize("syntax", LOSSLESS, ids=lambda each: each.keyword)
@pytest.mark.parametrize(
    ("stored", "signed"), [(8, False), (10, False), (12, True), (12, False), (16, True), (16, False)]
)
def test_every_compression_and_depth(syntax: uid.UID, stored: int, signed: bool) -> None:
    low = -(1 << stored - 1) if signed else 0
    values = RNG.integers(low, low + (1 << stored), (35, 47))
    values[0, :2] = low, low + (1 << stored) - 1
    kind = f"{'i' if signed else 'u'}{1 if stored == 8 else 2}"
    content = dicom(values.astype(kind), syntax, stored=stored)
    assert np.abs(read(content) - (values - low) / ((1 << stored) - 1) * 255).max() <= 0.5


def test_jpeg_and_lossy_jpeg_2000(real: Path) -> None:
    grey = np.add.outer(np.arange(40), np.arange(60)).astype(np.uint8) * 2
    for syntax in (uid.JPEGBaseline8Bit, uid.JPEGExtended12Bit):
        assert np.abs(read(dicom(grey, syntax)) - grey).max() <= 3
    lossless, lossy = (read((real / f"nema_RG3_J2K{end}.dcm").read_bytes()) for end in "RI")
    assert 0 < np.abs(lossless - lossy).mean() < 1


@pytest.mark.parametrize(
    "name", ["MR_small_jpeg_ls_lossless", "MR_small_RLE", "MR_small_jp2klossless", "MR_small_expb"]
)
def test_the_same_scan_in_every_compression(name: str) -> None:
    expected = read((SHIPPED / "MR_small.dcm").read_bytes())
    assert np.array_equal(read((SHIPPED / f"{name}.dcm").read_bytes()), expected)
    assert expected.std() > 20


@pytest.mark.parametrize(
    "name",
    [
        "SC_rgb_rle_16bit",
        "SC_rgb_small_odd_big_endian",
        "SC_rgb_dcmtk_+eb+cy+s4",
        "SC_rgb_jpeg_dcmtk",
        "SC_rgb_gdcm_KY",
        "SC_rgb_jls_lossy_line",
        "SC_ybr_full_422_uncompressed",
        "examples_jpeg2k",
        "examples_ybr_color",
        "JPEGLSNearLossless_08",
    ],
)
def test_colour_as_pydicom_shows_it(name: str) -> None:
    file = SHIPPED / f"{name}.dcm"
    elements = parsed(file)
    expected = elements.pixel_array if elements.get("NumberOfFrames", 1) == 1 else elements.pixel_array[0]
    expected = (expected >> (8 * expected.itemsize - 8)).astype(np.int64)
    assert np.abs(read(file.read_bytes(), frames="first") - expected).max() <= 1  # YCbCr is rounded otherwise


@pytest.mark.parametrize("syntax", [uid.ExplicitVRLittleEndian, uid.RLELossless])
@pytest.mark.parametrize("stored", [12, 16])
def test_deep_colour(syntax: uid.UID, stored: int) -> None:
    colour = RNG.integers(0, 1 << stored, (9, 10, 3)).astype(np.uint16)
    assert np.array_equal(read(dicom(colour, syntax, stored=stored)), colour >> stored - 8)


@pytest.mark.parametrize("syntax", LOSSLESS, ids=lambda each: each.keyword)
def test_rgb_and_ycbcr(syntax: uid.UID) -> None:
    colour = RNG.integers(0, 256, (35, 48, 3), dtype=np.uint8)
    assert np.array_equal(read(dicom(colour, syntax)), colour)
    if syntax not in (uid.JPEG2000Lossless, uid.JPEGLosslessSV1):
        planes = np.asarray(Image.fromarray(colour).convert("YCbCr"))
        assert np.abs(read(dicom(planes, syntax, PhotometricInterpretation="YBR_FULL")) - colour).max() <= 4
    by_plane = np.moveaxis(colour, -1, 0).copy().tobytes()
    if syntax == uid.ExplicitVRLittleEndian:
        assert np.array_equal(read(dicom(colour, PixelData=by_plane, PlanarConfiguration=1)), colour)


@pytest.mark.parametrize("bits", [8, 16])
def test_a_palette(bits: int) -> None:
    indices = np.array([[0, 1, 2], [3, 9, 5]], dtype=np.uint8)
    entries = {colour: RNG.integers(0, 256, 4) << bits - 8 for colour in ("Red", "Green", "Blue")}
    elements: dict[str, Any] = {"PhotometricInterpretation": "PALETTE COLOR"}
    for colour, each in entries.items():
        elements[f"{colour}PaletteColorLookupTableDescriptor"] = [4, 1, bits]
        elements[f"{colour}PaletteColorLookupTableData"] = each.astype("u1" if bits == 8 else "<u2").tobytes()
    shown = read(dicom(indices, **elements))
    for channel, each in enumerate(entries.values()):
        assert np.array_equal(shown[..., channel], (each >> bits - 8)[np.clip(indices.astype(int) - 1, 0, 3)])


def test_several_frames_are_refused_or_the_first_is_taken() -> None:
    pixels = RNG.integers(0, 256, (3, 8, 8), dtype=np.uint8)
    for content in (
        dicom(pixels[0], NumberOfFrames=3, PixelData=pixels.tobytes()),
        dicom(pixels[0], uid.JPEGLosslessSV1, NumberOfFrames=3, frames=[_lossless(pixels[0]), b"\0\0", b"\0\0"]),
    ):
        with pytest.raises(UnreadableImage, match="a DICOM of 3 frames; set SEEDQUEUE_DICOM_FRAMES=first to take"):
            read(content)
        assert np.array_equal(read(content, frames="first"), pixels[0])  # the others are not even JPEG


def _lossless(pixels: NDArray[Any]) -> bytes:
    from dicoms import jpeg_lossless

    return jpeg_lossless(pixels, 8)


@pytest.mark.parametrize("frames", ["refuse", "first"])
@pytest.mark.parametrize("count", [None, 0, 1])
def test_one_frame_however_it_is_said(count: int | None, frames: str) -> None:
    pixels = RNG.integers(0, 256, (4, 4), dtype=np.uint8)
    elements = {} if count is None else {"NumberOfFrames": count}
    assert np.array_equal(read(dicom(pixels, **elements), frames=frames), pixels)


@pytest.mark.parametrize("syntax", [uid.ImplicitVRLittleEndian, uid.ExplicitVRLittleEndian])
def test_without_file_meta(syntax: uid.UID) -> None:
    pixels = RNG.integers(0, 256, (6, 5), dtype=np.uint8)
    content = dicom(pixels, syntax, meta=False)
    assert content[:2] == b"\x08\0"
    assert content[128:132] != b"DICM"
    assert np.array_equal(read(content), pixels)


def test_no_transfer_syntax_and_a_wrong_one() -> None:
    pixels = RNG.integers(0, 256, (6, 5), dtype=np.uint8)
    explicit = dicom(pixels)
    silent = explicit.replace(uid.ExplicitVRLittleEndian.encode() + b"\0", b"\0" * 20)
    assert silent != explicit
    assert np.array_equal(read(silent), pixels)
    implicit = bytearray(dicom(pixels, uid.ImplicitVRLittleEndian))
    body = implicit.index(b"\x08\0\x16\0")
    mislabelled = explicit[: explicit.index(b"\x08\0\x16\0")] + bytes(implicit[body:])
    assert np.array_equal(read(mislabelled), pixels)


def test_bits_above_those_stored_are_ignored() -> None:
    values = RNG.integers(0, 4096, (9, 9)).astype(np.uint16)
    values[0, :2] = 0, 4095
    overlay = (RNG.integers(0, 16, (9, 9)) << 12).astype(np.uint16)
    for signed in (False, True):
        kind = np.int16 if signed else np.uint16
        clean = ((values << 4).view(np.int16) >> 4) if signed else values
        assert np.array_equal(
            read(dicom((values | overlay).view(kind), stored=12)), read(dicom(clean.astype(kind), stored=12))
        )


def test_many_threads_give_what_one_gives() -> None:
    contents = [dicom(RNG.integers(0, 4096, (50, 60)).astype(np.uint16), syntax, stored=12) for syntax in LOSSLESS]
    expected = [read(content) for content in contents]
    together = threading.Barrier(8)

    def work(number: int) -> list[NDArray[np.int64]]:
        together.wait()
        return [read(contents[(number + each) % len(contents)]) for each in range(40)]

    with ThreadPoolExecutor(8) as threads:
        for number, found in enumerate(threads.map(work, range(8))):
            for each, shown in enumerate(found):
                assert np.array_equal(shown, expected[(number + each) % len(contents)])


def test_oddities_neither_warn_nor_log(caplog: pytest.LogCaptureFixture) -> None:
    """pytest makes warnings errors, which would show as UnreadableImage."""
    pixels = RNG.integers(0, 256, (6, 5), dtype=np.uint8)
    too_long = dicom(pixels, PixelData=pixels.tobytes() + b"\0" * 9)
    odd_values = dicom(pixels, PixelSpacing=[1, 1]).replace(b"1\\1 ", b"1\\x ").replace(b"1.2.3\0", b"1.x.3\0")
    odd_set = dicom(pixels, SpecificCharacterSet="ISO_IR 100").replace(b"ISO_IR 100", b"ISO_IR 9x9")
    for content in (too_long, odd_values, odd_set):
        assert np.array_equal(read(content), pixels)
    assert np.array_equal(read((SHIPPED / "badVR.dcm").read_bytes()).shape, (10, 10))
    assert caplog.records == []


def test_pydicom_is_imported_only_for_dicom() -> None:
    import subprocess
    import sys

    code = "import sys, seedqueue.models.images; sys.exit('pydicom' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_every_compression_has_its_decoder() -> None:
    from seedqueue.models.dicom_pixels import _DECODERS

    for syntax, plugin in _DECODERS.items():
        assert plugin in base.get_decoder(syntax).available_plugins


def test_file_of_is_what_pydicom_reads() -> None:
    """The tests' own files are right: pydicom decodes them to what was put in."""
    import io

    values = RNG.integers(0, 4096, (35, 47)).astype(np.uint16)
    for syntax in LOSSLESS:
        found = pydicom.dcmread(io.BytesIO(dicom(values, syntax, stored=12)))
        assert np.array_equal(found.pixel_array, values)
    assert file_of(found, uid.JPEGLosslessSV1)[128:132] == b"DICM"
