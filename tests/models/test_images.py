"""Reading images: what comes out of each kind, and what is said of what is none."""

import io
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from seedqueue.models.errors import UnreadableImage
from seedqueue.models.images import read_image

LIMIT = 1_000_000


def read(content: bytes, max_pixels: int = LIMIT) -> Image.Image:
    return read_image(content, max_pixels=max_pixels).image


def encoded(image: Image.Image, name: str = "PNG", **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, name, **options)
    return stream.getvalue()


def picture(mode: str = "RGB", size: tuple[int, int] = (60, 40)) -> Image.Image:
    noise = np.random.default_rng(0).integers(0, 256, (*size[::-1], 3), dtype=np.uint8)
    return Image.fromarray(noise).convert(mode)


def reason(content: bytes, max_pixels: int = LIMIT) -> str:
    with pytest.raises(UnreadableImage) as caught:
        read(content, max_pixels)
    assert caught.value.reason in str(caught.value)
    return caught.value.reason


@pytest.mark.parametrize("name", ["PNG", "BMP", "TIFF", "GIF", "JPEG", "WEBP", "JPEG2000"])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_each_format_is_decoded(name: str, mode: str) -> None:
    image = read(encoded(picture(mode), name))
    assert image.size == (60, 40)
    assert image.mode in ("RGB", "L")
    if name in ("PNG", "BMP", "TIFF"):
        assert image.mode == mode
        assert image.tobytes() == picture(mode).tobytes()


@pytest.mark.parametrize(("mode", "expected"), [("1", "L"), ("P", "RGB"), ("CMYK", "RGB"), ("YCbCr", "RGB")])
def test_other_modes_become_rgb_or_grey(mode: str, expected: str) -> None:
    name = "TIFF" if mode in ("CMYK", "YCbCr") else "PNG"
    image = read(encoded(picture(mode), name))
    assert image.mode == expected
    assert image.tobytes() == picture(mode).convert(expected).tobytes()


def test_a_cmyk_jpeg_keeps_its_colours() -> None:
    red = Image.new("RGB", (8, 8), (220, 30, 30)).convert("CMYK")
    pixel = read(encoded(red, "JPEG", quality=95)).getpixel((4, 4))
    assert np.abs(np.subtract(pixel, (220, 30, 30))).max() < 12


def test_transparent_parts_are_laid_over_black() -> None:
    rgba = Image.new("RGBA", (2, 1), (200, 100, 50, 0))
    rgba.putpixel((1, 0), (200, 100, 50, 128))
    image = read(encoded(rgba))
    assert image.getpixel((0, 0)) == (0, 0, 0)
    assert image.getpixel((1, 0)) == (100, 50, 25)
    palette = Image.new("P", (1, 1), 3)
    palette.putpalette([255] * 768)
    assert read(encoded(palette, transparency=3)).getpixel((0, 0)) == (0, 0, 0)


@pytest.mark.parametrize("top", [65535, 4095, 300])
def test_sixteen_bit_grey_is_stretched_over_its_own_range(top: int) -> None:
    values = np.linspace(100, top, 256).astype(np.uint16).reshape(16, 16)
    for name in ("PNG", "TIFF"):
        image = read(encoded(Image.fromarray(values), name))
        assert image.mode == "L"
        assert np.abs(np.asarray(image, dtype=int).ravel() - np.arange(256)).max() <= 1


def test_deep_grey_of_other_kinds() -> None:
    for values in (np.array([[-5, 0, 5]], dtype=np.int32), np.array([[-0.5, 0, 0.5]], dtype=np.float32)):
        image = read(encoded(Image.fromarray(values), "TIFF"))
        assert list(image.tobytes()) == [0, 128, 255]
    constant = encoded(Image.fromarray(np.full((3, 3), 900, dtype=np.uint16)))
    assert set(read(constant).tobytes()) == {0}
    nan = encoded(Image.fromarray(np.array([[np.nan, 1]], dtype=np.float32)), "TIFF")
    assert "not numbers" in reason(nan)


@pytest.mark.parametrize("name", ["PNG", "JPEG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(name: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    flat = Image.new("L", (64, 40))
    flat.paste(200, (0, 0, 16, 24))  # the corner that shows how it was turned
    turns = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_270,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90,
    }
    expected = flat.transpose(turns[orientation]) if orientation in turns else flat
    image = read(encoded(flat, name, exif=exif)).convert("L")
    assert image.size == expected.size
    assert np.abs(np.asarray(image, dtype=int) - np.asarray(expected)).max() <= 5


def test_exif_orientation_of_deep_grey() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    values = np.linspace(0, 60000, 6).astype(np.uint16).reshape(2, 3)
    expected = np.rot90(np.asarray(read(encoded(Image.fromarray(values)))), -1)
    assert np.array_equal(np.asarray(read(encoded(Image.fromarray(values), exif=exif))), expected)


@pytest.mark.parametrize("mode", ["LA", "PA", "RGBA"])
def test_grey_palette_and_colour_with_alpha(mode: str) -> None:
    base = picture("RGB" if mode == "RGBA" else "L").convert("P" if mode == "PA" else mode)
    if mode == "PA":
        content = encoded(base, transparency=bytes([128] * 256))
    else:
        base.putalpha(128)
        content = encoded(base)
    opaque = np.asarray(base.convert("RGB"), dtype=float)
    assert np.abs(np.asarray(read(content), dtype=float) - opaque * 128 / 255).max() <= 1


def test_a_cmyk_jpeg_as_adobe_writes_it() -> None:
    """Adobe's are inverted, and marked: 0 is full ink."""
    content = encoded(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "JPEG", quality=95)
    assert b"Adobe" in content
    assert np.abs(np.subtract(read(content).getpixel((8, 8)), (255, 0, 0))).max() < 6


def test_one_pixel_and_all_black() -> None:
    for name in ("PNG", "BMP", "TIFF", "JPEG", "WEBP"):
        for size in ((1, 1), (7, 5)):
            image = read(encoded(Image.new("L", size), name))
            assert image.size == size
            assert set(image.tobytes()) == {0}
    assert read(encoded(Image.fromarray(np.array([[900]], dtype=np.uint16)))).tobytes() == b"\0"


def tiff(values: np.ndarray[Any, Any], **options: Any) -> bytes:
    stream = io.BytesIO()
    tifffile.imwrite(stream, values, **options)
    return stream.getvalue()


@pytest.mark.parametrize(
    "options", [{}, {"byteorder": ">"}, {"compression": "zlib", "predictor": True}, {"tile": (16, 16)}]
)
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_tiff_of_sixteen_bits(options: dict[str, Any], channels: int) -> None:
    shape = (32, 48, channels)[: 2 if channels == 1 else 3]
    values = np.random.default_rng(0).integers(0, 65536, shape).astype(np.uint16)
    if channels == 1:
        values[0, :2] = 0, 65535
        shown = values / 257
    else:
        options = {**options, "photometric": "rgb", **({"extrasamples": ["unassalpha"]} if channels == 4 else {})}
        shown = (values >> 8).astype(float)
        shown = shown[..., :3] * shown[..., 3:] / 255 if channels == 4 else shown
    image = read(tiff(values, **options))
    assert image.mode == ("L" if channels == 1 else "RGB")
    assert np.abs(np.asarray(image) - shown).max() <= 1


@pytest.mark.parametrize(
    ("kind", "white_is_zero"),
    [*((kind, False) for kind in ("u2", "i2", "u4", "i4", "i1", "f4")), ("u2", True), ("f4", True)],
)
def test_deep_grey_tiff_of_every_kind(kind: str, white_is_zero: bool) -> None:
    steps = np.linspace(0, 1, 256).reshape(16, 16)
    low, high = (-1.5, 2.5) if kind == "f4" else (np.iinfo(kind).min, np.iinfo(kind).max)
    values = (low + steps * (float(high) - low)).clip(low, high).astype(np.float64)
    values = values.astype(kind) if kind == "f4" else np.rint(values).clip(low, high).astype(kind)
    content = tiff(values, photometric="miniswhite" if white_is_zero else "minisblack")
    shown = 255 - steps * 255 if white_is_zero else steps * 255
    assert np.abs(np.asarray(read(content)) - shown).max() <= 1


def test_tiff_that_pillow_would_show_wrongly_or_not_at_all() -> None:
    values = np.zeros((3, 4, 5), dtype=np.uint16)
    planes = tiff(values, photometric="rgb", planarconfig="separate")
    assert reason(planes) == "a TIFF of more than 8 bits in separate colour planes, which is not supported"
    for kind in (np.float64, np.uint64):
        assert reason(tiff(values[0].astype(kind))) == "a TIFF with a kind of pixels that is not supported"
    nan = np.array([[1, np.nan, 2]], dtype=np.float32)
    assert reason(tiff(nan)) == "damaged TIFF (pixels that are not numbers)"
    assert reason(tiff(np.array([[np.inf, 2]], dtype=np.float32))) == "damaged TIFF (pixels that are not numbers)"


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
        (b"\0" * 128 + b"DICM", "a DICOM without pixel data"),
        (b"\x08\0\x05\0\xff\xff\xff\xff" * 20, "none of the known formats (PNG"),
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
            assert read(bytes(damaged)).mode in ("RGB", "L")
        except UnreadableImage:
            unreadable += 1
    assert unreadable > 0 or name in ("BMP",)
