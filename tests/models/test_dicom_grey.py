"""Grey values of DICOM: modality LUT and rescale, VOI LUT and windows, stretching, padding, and their order."""

from typing import Any

import numpy as np
import pytest
from dicoms import dataset, dicom, file_of, table
from numpy.typing import NDArray
from pydicom import uid
from pydicom.pixels import apply_modality_lut, apply_windowing

from seedqueue.models.errors import UnreadableImage
from seedqueue.models.images import read_image

RNG = np.random.default_rng(0)
DEEP = RNG.integers(0, 4096, (30, 40)).astype(np.uint16)
DEEP[0, :2] = 0, 4095


def read(content: bytes) -> NDArray[np.int64]:
    return np.asarray(read_image(content, max_pixels=10**6).image, dtype=np.int64)


def shown(pixels: NDArray[Any] = DEEP, stored: int = 12, **elements: Any) -> NDArray[np.int64]:
    return read(dicom(pixels, stored=stored, **elements))


def stretched(values: NDArray[Any]) -> NDArray[np.float64]:
    return (values - float(values.min())) / float(np.ptp(values)) * 255


@pytest.mark.parametrize("function", [None, "LINEAR", "LINEAR_EXACT", "SIGMOID"])
@pytest.mark.parametrize(("center", "width"), [(2048, 4096), (1000.5, 301), (300, 1), (-50, 900), (0, 2)])
@pytest.mark.parametrize("rescale", [{}, {"RescaleSlope": 0.5, "RescaleIntercept": -100}])
@pytest.mark.parametrize("pixels", [DEEP, (DEEP.astype(np.int32) - 2048).astype(np.int16)])
def test_windows_as_pydicom_applies_them(
    function: str | None, center: float, width: float, rescale: dict[str, Any], pixels: NDArray[Any]
) -> None:
    elements = {"WindowCenter": center, "WindowWidth": width, **rescale}
    if function is not None:
        elements["VOILUTFunction"] = function
    made = dataset(pixels, 12, **elements)
    with np.errstate(over="ignore"):
        by_hand = apply_windowing(apply_modality_lut(pixels, made), made)
    low, high = (0, 4095) if pixels.dtype.kind == "u" else (-2048, 2047)
    slope, intercept = rescale.get("RescaleSlope", 1), rescale.get("RescaleIntercept", 0)
    low, high = low * slope + intercept, high * slope + intercept
    assert np.abs(shown(pixels, **elements) - (by_hand - low) / (high - low) * 255).max() <= 0.5 + 1e-6


def test_a_negative_slope_turns_the_values_and_not_the_window() -> None:
    turned = shown(RescaleSlope=-1, RescaleIntercept=4095, WindowCenter=2048, WindowWidth=4096)
    assert np.array_equal(turned, 255 - shown(WindowCenter=2048, WindowWidth=4096))


def test_of_several_windows_the_first() -> None:
    several = shown(WindowCenter=[1000, 50], WindowWidth=[500, 10])
    assert np.array_equal(several, shown(WindowCenter=1000, WindowWidth=500))
    assert not np.array_equal(several, shown(WindowCenter=50, WindowWidth=10))


@pytest.mark.parametrize(
    "window",
    [
        {},
        {"WindowCenter": 100},
        {"WindowCenter": None, "WindowWidth": None},
        {"WindowCenter": 100, "WindowWidth": 0},
        {"WindowCenter": 100, "WindowWidth": -5},
    ],
)
def test_without_a_usable_window_values_are_stretched(window: dict[str, Any]) -> None:
    assert np.abs(shown(DEEP // 8 + 300, **window) - stretched(DEEP // 8)).max() <= 0.5


def test_eight_bits_stay_as_they_are() -> None:
    pixels = RNG.integers(40, 90, (5, 6))
    assert np.array_equal(shown(pixels.astype(np.uint8), 8), pixels)
    assert np.array_equal(shown(pixels.astype(np.uint8), 8, PhotometricInterpretation="MONOCHROME1"), 255 - pixels)
    assert np.abs(shown(pixels.astype(np.uint8), 7) - stretched(pixels)).max() <= 0.5
    assert np.abs(shown(pixels.astype(np.int8), 8) - stretched(pixels)).max() <= 0.5
    rescaled = shown(pixels.astype(np.uint8), 8, RescaleSlope=2, RescaleIntercept=1)
    assert np.abs(rescaled - stretched(pixels)).max() <= 0.5


@pytest.mark.parametrize("first", [0, 100])
def test_a_modality_lut_comes_before_the_window(first: int) -> None:
    entries = (np.arange(2000) ** 2 // 100).astype(np.uint16)
    lut = {"ModalityLUTSequence": table(first, entries, 16)}
    values = entries[np.clip(DEEP.astype(int) - first, 0, 1999)].astype(np.float64)
    assert np.abs(shown(**lut) - stretched(values)).max() <= 0.5
    windowed = np.clip((values - 999.5) / 1999 + 0.5, 0, 1) * 255
    assert np.abs(shown(**lut, WindowCenter=1000, WindowWidth=2000) - windowed).max() <= 0.5


@pytest.mark.parametrize("bits", [8, 12, 16])
@pytest.mark.parametrize("syntax", [uid.ImplicitVRLittleEndian, uid.ExplicitVRLittleEndian, uid.JPEGLosslessSV1])
def test_a_voi_lut_is_preferred_to_the_window(bits: int, syntax: uid.UID) -> None:
    """4096 entries of 8 bits among them, which pydicom 3.0.2 folds back to 256."""
    entries = (np.linspace(0, 1, 4096) ** 0.5 * (2**bits - 1)).round().astype(np.uint16)
    content = dicom(DEEP, syntax, stored=12, VOILUTSequence=table(0, entries, bits), WindowCenter=100, WindowWidth=50)
    assert np.abs(read(content) - entries[DEEP] / (2**bits - 1) * 255).max() <= 0.5


def test_tables_that_are_packed_short_or_empty() -> None:
    entries = RNG.integers(0, 256, 4096).astype(np.uint8)
    packed = {"LUTDescriptor": [4096, 0, 8], "LUTData": entries.tobytes()}
    assert np.array_equal(shown(VOILUTSequence=packed), entries[DEEP])
    short = {"LUTDescriptor": [4096, 0, 8], "LUTData": entries[:100].astype("<u2").tobytes()}
    assert np.array_equal(shown(VOILUTSequence=short), entries[np.minimum(DEEP, 99)])
    with pytest.raises(UnreadableImage, match="a table of 0 entries"):
        shown(VOILUTSequence={"LUTDescriptor": [4096, 0, 8], "LUTData": b""})


def test_a_table_in_big_endian() -> None:
    entries = RNG.integers(0, 4096, 4096)
    item = {"LUTDescriptor": [4096, 0, 12], "LUTData": entries.astype(">u2").tobytes()}
    content = dicom(DEEP, uid.ExplicitVRBigEndian, stored=12, VOILUTSequence=item)
    assert np.abs(read(content) - entries[DEEP] / 4095 * 255).max() <= 0.5


def test_a_voi_lut_of_rescaled_values() -> None:
    entries = RNG.integers(0, 4096, 3000)
    content = dicom(DEEP, stored=12, RescaleSlope=0.5, RescaleIntercept=10, VOILUTSequence=table(20, entries, 12))
    index = np.clip(np.rint(DEEP * 0.5 + 10).astype(int) - 20, 0, 2999)
    assert np.abs(read(content) - entries[index] / 4095 * 255).max() <= 0.5


@pytest.mark.parametrize(
    "elements",
    [
        {},
        {"WindowCenter": 700, "WindowWidth": 901},
        {"VOILUTSequence": table(0, (np.arange(4096) // 2).astype(np.uint16), 12)},
        {"RescaleSlope": 3, "RescaleIntercept": -7},
    ],
)
def test_monochrome1_is_inverted_after_all_else(elements: dict[str, Any]) -> None:
    straight, inverted = shown(**elements), shown(**elements, PhotometricInterpretation="MONOCHROME1")
    assert np.array_equal(inverted, 255 - straight)
    assert straight.std() > 20


def test_padding_does_not_count_in_the_range() -> None:
    padded = DEEP // 4 + 1000
    proper = stretched(padded)[1:]
    padded[0] = 60000
    assert np.abs(shown(padded, 16, PixelPaddingValue=60000)[1:] - stretched(padded[1:])).max() <= 0.5
    padded[0, ::2] = 60009
    with_range = shown(padded, 16, PixelPaddingValue=60000, PixelPaddingRangeLimit=60009)
    assert np.abs(with_range[1:] - stretched(padded[1:])).max() <= 0.5
    assert np.abs(with_range[1:] - proper).max() < 3
    assert shown(padded, 16)[1:].max() < 20  # without the element, the padding is the brightest
    assert set(shown(np.full((3, 3), 7, np.uint16), 16, PixelPaddingValue=7).ravel()) == {0}


@pytest.mark.parametrize("kind", [np.uint32, np.int32])
def test_thirty_two_bits(kind: type[np.generic]) -> None:
    values = (RNG.integers(0, 2**31, (5, 6)) - (2**30 if kind == np.int32 else 0)).astype(kind)
    assert np.abs(shown(values, 32) - stretched(values.astype(np.float64))).max() <= 0.5
    low, high = np.sort(values.ravel())[[3, -3]].astype(float)
    padded = shown(values, 32, WindowCenter=int((low + high) / 2), WindowWidth=int(high - low))
    assert padded.min() == 0
    assert padded.max() == 255


def test_floating_pixels() -> None:
    values = RNG.normal(size=(5, 6)).astype(np.float32)
    elements = {"PixelData": None, "FloatPixelData": values.tobytes(), "BitsAllocated": 32}
    made = dataset(values.view(np.uint32), 32, **elements)
    del made.PixelData
    assert np.abs(read(file_of(made)) - stretched(values)).max() <= 0.5
    values[2, 2] = np.nan
    made.FloatPixelData = values.tobytes()
    with pytest.raises(UnreadableImage, match="pixels that are not numbers"):
        read(file_of(made))


def test_one_bit() -> None:
    pixels = RNG.integers(0, 2, (8, 16), dtype=np.uint8)
    packed = np.packbits(pixels, bitorder="little").tobytes()
    assert np.array_equal(shown(pixels, 1, BitsAllocated=1, PixelData=packed), pixels * 255)


def test_one_pixel_and_all_black() -> None:
    for pixels in (np.array([[9]], np.uint8), np.zeros((4, 5), np.uint8)):
        assert np.array_equal(shown(pixels, 8), pixels)
    assert set(shown(np.full((4, 5), 900, np.uint16), 12).ravel()) == {0}
