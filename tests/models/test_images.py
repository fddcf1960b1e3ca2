"""Reading images: what comes out of each kind, and what is said of what is none."""

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from seedqueue.models.errors import UnreadableImage
from seedqueue.models.images import read_image

LIMIT = 1_000_000


def encoded(image: Image.Image, name: str = "PNG", **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, name, **options)
    return stream.getvalue()


def picture(mode: str = "RGB", size: tuple[int, int] = (60, 40)) -> Image.Image:
    noise = np.random.default_rng(0).integers(0, 256, (*size[::-1], 3), dtype=np.uint8)
    return Image.fromarray(noise).convert(mode)


def reason(content: bytes, max_pixels: int = LIMIT) -> str:
    with pytest.raises(UnreadableImage) as caught:
        read_image(content, max_pixels=max_pixels)
    assert caught.value.reason in str(caught.value)
    return caught.value.reason


@pytest.mark.parametrize("name", ["PNG", "BMP", "TIFF", "GIF", "JPEG", "WEBP", "JPEG2000"])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_each_format_is_decoded(name: str, mode: str) -> None:
    image = read_image(encoded(picture(mode), name), max_pixels=LIMIT)
    assert image.size == (60, 40)
    assert image.mode in ("RGB", "L")
    if name in ("PNG", "BMP", "TIFF"):
        assert image.mode == mode
        assert image.tobytes() == picture(mode).tobytes()


@pytest.mark.parametrize(("mode", "expected"), [("1", "L"), ("P", "RGB"), ("CMYK", "RGB"), ("YCbCr", "RGB")])
def test_other_modes_become_rgb_or_grey(mode: str, expected: str) -> None:
    name = "TIFF" if mode in ("CMYK", "YCbCr") else "PNG"
    image = read_image(encoded(picture(mode), name), max_pixels=LIMIT)
    assert image.mode == expected
    assert image.tobytes() == picture(mode).convert(expected).tobytes()


def test_a_cmyk_jpeg_keeps_its_colours() -> None:
    red = Image.new("RGB", (8, 8), (220, 30, 30)).convert("CMYK")
    pixel = read_image(encoded(red, "JPEG", quality=95), max_pixels=LIMIT).getpixel((4, 4))
    assert np.abs(np.subtract(pixel, (220, 30, 30))).max() < 12


def test_transparent_parts_are_laid_over_black() -> None:
    rgba = Image.new("RGBA", (2, 1), (200, 100, 50, 0))
    rgba.putpixel((1, 0), (200, 100, 50, 128))
    image = read_image(encoded(rgba), max_pixels=LIMIT)
    assert image.getpixel((0, 0)) == (0, 0, 0)
    assert image.getpixel((1, 0)) == (100, 50, 25)
    palette = Image.new("P", (1, 1), 3)
    palette.putpalette([255] * 768)
    assert read_image(encoded(palette, transparency=3), max_pixels=LIMIT).getpixel((0, 0)) == (0, 0, 0)


@pytest.mark.parametrize("top", [65535, 4095, 300])
def test_sixteen_bit_grey_is_stretched_over_its_own_range(top: int) -> None:
    values = np.linspace(100, top, 256).astype(np.uint16).reshape(16, 16)
    for name in ("PNG", "TIFF"):
        image = read_image(encoded(Image.fromarray(values), name), max_pixels=LIMIT)
        assert image.mode == "L"
        assert np.abs(np.asarray(image, dtype=int).ravel() - np.arange(256)).max() <= 1


def test_deep_grey_of_other_kinds() -> None:
    for values in (np.array([[-5, 0, 5]], dtype=np.int32), np.array([[-0.5, 0, 0.5]], dtype=np.float32)):
        image = read_image(encoded(Image.fromarray(values), "TIFF"), max_pixels=LIMIT)
        assert list(image.tobytes()) == [0, 128, 255]
    constant = encoded(Image.fromarray(np.full((3, 3), 900, dtype=np.uint16)))
    assert set(read_image(constant, max_pixels=LIMIT).tobytes()) == {0}
    nan = encoded(Image.fromarray(np.array([[np.nan, 1]], dtype=np.float32)), "TIFF")
    assert "not numbers" in reason(nan)


def test_exif_orientation_is_applied() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn 90 degrees clockwise to see it upright
    original = picture("L")
    image = read_image(encoded(original, "PNG", exif=exif), max_pixels=LIMIT)
    assert image.size == (40, 60)
    assert image.tobytes() == original.transpose(Image.Transpose.ROTATE_270).tobytes()


@pytest.mark.parametrize("name", ["PNG", "JPEG", "TIFF", "BMP", "WEBP", "JPEG2000"])
def test_an_image_that_ends_early_is_truncated(name: str) -> None:
    content = encoded(picture(), name)
    for length in (len(content) // 2, len(content) - 40):
        # The decoders of these two do not tell an early end from other damage.
        what = "damaged" if name in ("WEBP", "JPEG2000") else "truncated"
        assert reason(content[:length]).startswith(f"{what} {name}")


def test_an_image_over_the_limit_is_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    def decoded(*args: object) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", decoded)
    content = encoded(Image.new("1", (1200, 900)), optimize=False)
    assert reason(content) == "1200 x 900 = 1.08 megapixels, more than the limit of 1"


@pytest.mark.parametrize("side", [10_000, 14_000])
def test_pillows_own_warning_and_error_never_show(side: int) -> None:
    # 100 megapixels warn in Image.open, 196 raise; the size is in the header alone.
    header = bytearray(encoded(Image.new("1", (8, 8))))
    header[16:24] = side.to_bytes(4, "big") * 2
    import zlib

    header[29:33] = zlib.crc32(header[12:29]).to_bytes(4, "big")
    said = reason(bytes(header), 50_000_000)
    assert said == f"{side} x {side} = {side * side // 10**6} megapixels, more than the limit of 50"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "empty"),
        (b"\n<!DOCTYPE html><title>Sign in</title>", "text/HTML"),
        (b"<HTML><body>404", "text/HTML"),
        (b'{"detail": "Not found"}', "text"),
        (b"<?xml version='1.0'?><Error/>", "text/XML"),
        (b"%PDF-1.7", "PDF"),
        (b"\0" * 128 + b"DICM" + b"\2\0\0\0", "DICOM is not supported yet"),
        (b"\x01\x02\x03\xff" * 50, "none of the known formats (PNG"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "text"),
    ],
)
def test_what_is_no_image_is_named(content: bytes, expected: str) -> None:
    assert reason(content).startswith(expected)


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@pytest.mark.parametrize("name", ["PNG", "JPEG", "TIFF", "BMP", "WEBP", "GIF", "JPEG2000"])
def test_damaged_bytes_raise_nothing_else(name: str) -> None:
    options: dict[str, Any] = {"compression": "tiff_lzw"} if name == "TIFF" else {}
    content = encoded(picture("RGB" if name != "GIF" else "P"), name, **options)
    rng = np.random.default_rng(11)
    unreadable = 0
    for _ in range(150):
        damaged = bytearray(content)
        for at in rng.integers(0, min(len(content), rng.choice([40, 400, len(content)])), 3):
            damaged[at] = rng.integers(256)
        try:
            assert read_image(bytes(damaged), max_pixels=LIMIT).mode in ("RGB", "L")
        except UnreadableImage:
            unreadable += 1
    assert unreadable > 0 or name in ("BMP",)
