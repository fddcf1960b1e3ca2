"""Image files that somebody has tampered with: read, or named unreadable, in little time and memory."""

from __future__ import annotations

import io
import pickle
import struct
import subprocess
import sys
import textwrap
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from seedqueue.models.errors import UnreadableImage
from seedqueue.models.images import read_image

# Pillow warns of odd tags that it passes over, and of large frames, which are then refused by their size.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::PIL.Image.DecompressionBombWarning")

MOST = 1_000_000  # pixels


def written(kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    Image.linear_gradient("L").resize((40, 30)).save(stream, kind, **options)
    return stream.getvalue()


WHOLE = {kind: written(kind) for kind in ("PNG", "JPEG", "TIFF", "GIF", "BMP", "WEBP", "JPEG2000")}


def read(content: bytes) -> tuple[int, int] | None:
    """The size, None for what is named unreadable."""
    try:
        return read_image(content, max_pixels=MOST).image.size
    except UnreadableImage:
        return None


@pytest.mark.parametrize("kind", WHOLE)
def test_the_files_are_readable_before_they_are_tampered_with(kind: str) -> None:
    assert read(WHOLE[kind]) == (40, 30)


@settings(deadline=None)
@given(
    kind=st.sampled_from(sorted(WHOLE)), changes=st.lists(st.tuples(st.integers(0), st.integers(0, 255)), max_size=6)
)
def test_changed_bytes(kind: str, changes: list[tuple[int, int]]) -> None:
    content = bytearray(WHOLE[kind])
    for at, value in changes:
        content[at % len(content)] = value
    size = read(bytes(content))
    assert size is None or size[0] * size[1] <= MOST


@settings(deadline=None)
@given(kind=st.sampled_from(sorted(WHOLE)), end=st.integers(0, 5000), more=st.binary(max_size=30))
def test_cut_and_continued_files(kind: str, end: int, more: bytes) -> None:
    read(WHOLE[kind][:end] + more)


@settings(deadline=None)
@given(st.binary(max_size=200) | st.binary(max_size=60).map(lambda rest: bytes(128) + b"DICM" + rest))
def test_any_bytes(content: bytes) -> None:
    read(content)


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(*chunks: bytes, width: int = 8, height: int = 8) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    rows = chunk(b"IDAT", zlib.compress(bytes((width + 1) * height)))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + rows + chunk(b"IEND", b"")


def gif_of(width: int, height: int) -> bytes:
    content = bytearray(WHOLE["GIF"])
    content[6:10] = struct.pack("<HH", width, height)
    return bytes(content)


def tiled_tiff(side: int) -> bytes:
    """8 x 8 pixels in one deflated tile of this side."""
    tile = zlib.compress(bytes(side * side), 9)
    tile += bytes(len(tile) % 2)
    tags = [(256, 8), (257, 8), (258, 8), (259, 8), (262, 1), (277, 1), (322, side), (323, side), (324, 8)]
    tags.append((325, len(tile)))
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    return struct.pack("<2sHI", b"II", 42, 8 + len(tile)) + tile + struct.pack("<H", len(tags)) + entries + bytes(4)


def in_tiles(side: int, codestream: bytes = WHOLE["JPEG2000"]) -> bytes:
    """The JPEG 2000 of 40 x 30 as a raw stream, which says that its tiles have this side."""
    at = codestream.find(b"\xff\x4f\xff\x51")
    return codestream[at : at + 24] + struct.pack(">2I", side, side) + codestream[at + 32 :]


def of_scans(number: int) -> bytes:
    """A progressive JPEG whose last scan stands there so many times more."""
    content = written("JPEG", progressive=True)
    last = content.rfind(b"\xff\xc4", 0, content.rfind(b"\xff\xda"))
    return content[:-2] + content[last:-2] * number + content[-2:]


def widened(content: bytes, width: int, height: int) -> bytes:
    """A raw JPEG 2000 stream that says that its image has this size."""
    return content[:8] + struct.pack(">2I", width, height) + content[16:]


def test_what_is_usual_stays_readable() -> None:
    assert read(tiled_tiff(256)) == (8, 8)
    assert read(of_scans(50)) == (40, 30)
    assert read(in_tiles(40)) == (40, 30)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (tiled_tiff(2048), "tiles of 2048 x 2048"),
        (of_scans(1000), "more than 100 scans"),
        (widened(in_tiles(1), 1000, 60), "60,000 tiles"),
        (in_tiles(0), "."),
        (in_tiles(1) + b"\xff\x4f\xff\x51" * 200, "streams|truncated"),
    ],
)
def test_few_bytes_that_would_cost_gigabytes_or_minutes(content: bytes, reason: str) -> None:
    with pytest.raises(UnreadableImage, match=reason):
        read_image(content, max_pixels=MOST)


def hostile() -> dict[str, bytes]:
    bomb = zlib.compress(bytes(300_000_000), 9)  # 300 MB in 300 kB
    return {
        "text that unpacks to 300 MB": png(chunk(b"zTXt", b"a\0\0" + bomb)),
        "a colour profile that unpacks to 300 MB": png(chunk(b"iCCP", b"a\0\0" + bomb)),
        "pixels of 300 MB for 64 that are declared": b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 0))
        + chunk(b"IDAT", bomb)
        + chunk(b"IEND", b""),
        "65,535 pixels a side": gif_of(65535, 65535),
        "2 gigapixels": png(chunk(b"tEXt", b"a\0b"), width=8, height=8).replace(
            struct.pack(">II", 8, 8), struct.pack(">II", 50_000, 50_000)
        ),
        "tiles of 900 MB": tiled_tiff(30_000),
        "a tile a pixel": widened(in_tiles(1), 1000, 60),
        "ten thousand scans": of_scans(10_000),
        "a thousand frames": b"".join([WHOLE["GIF"][:-1]] + [WHOLE["GIF"][13:-1]] * 1000) + b";",
    }


def test_bombs_end_within_little_memory() -> None:
    """In a process of its own that may take 1.5 GB of addresses, its libraries included."""
    program = textwrap.dedent(
        """
        import pickle, resource, sys, time
        from seedqueue.models.errors import UnreadableImage
        from seedqueue.models.images import read_image
        hostile = pickle.load(sys.stdin.buffer)
        used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for name, content in hostile.items():
            began = time.monotonic()
            try:
                size = read_image(content, max_pixels=1_000_000).image.size
                assert size[0] * size[1] <= 1_000_000, name
            except UnreadableImage:
                pass
            assert time.monotonic() - began < 10, name
            grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - used
            assert grown < 200_000, f"{name}: {grown} kB more"
        """
    )
    done = subprocess.run(
        [sys.executable, "-c", program], input=pickle.dumps(hostile()), capture_output=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
