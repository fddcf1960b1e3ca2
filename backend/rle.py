"""The run-length code of Label Studio's brush: rle-pack (github.com/thi-ng/umbrella), four equal channels a pixel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Alpha = NDArray[np.uint8]
Mask = NDArray[np.bool_]

CHANNELS = 4
_HEADER_BITS = 32 + 5 + 4 * 4
_LENGTH_BITS = (3, 4, 8, 16)  # what Label Studio writes; a reader takes them from the header
_MOST_A_TOKEN = 1 << 16
_SHORTEST_TOKEN_OF_MOST = 1 + 2 + 16 + 8


class BrokenRLE(ValueError):
    """Bytes that are no brush mask of the size they are said to have."""


class _Bits:
    """Reads numbers of any width from bytes, the highest bit first."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._at = 0
        self.length = 8 * len(content)

    def read(self, bits: int) -> int:
        end = self._at + bits
        if end > self.length:
            raise BrokenRLE("it ends too early")
        taken = int.from_bytes(self._content[self._at >> 3 : (end + 7) >> 3], "big")
        self._at = end
        return (taken >> (-end & 7)) & ((1 << bits) - 1)


def decode_alpha(content: bytes, height: int, width: int) -> Alpha:
    """The fourth channel of a brush mask, uint8 (height, width): how far each pixel is painted, of 255.

    Equal to `decode_rle(...).reshape(height, width, 4)[:, :, 3]` of label_studio_sdk.converter.brush. Nothing
    larger than height x width is allocated, and that only where the bytes declare as many values
    and are long enough to hold them. Raises `BrokenRLE`.
    """
    bits = _Bits(content)
    total = bits.read(32)
    if total != CHANNELS * height * width:
        raise BrokenRLE(f"it declares {total} values, and {width} x {height} pixels have {CHANNELS * height * width}")
    if bits.read(5) + 1 != 8:
        raise BrokenRLE("its values are not of 8 bits")
    widths = [bits.read(4) + 1 for _ in range(4)]
    if total > -(-(bits.length - _HEADER_BITS) // _SHORTEST_TOKEN_OF_MOST) * _MOST_A_TOKEN:
        raise BrokenRLE(f"{len(content)} bytes cannot hold the {total} values that it declares")
    alpha = np.zeros(height * width, dtype=np.uint8)
    at = 0
    while at < total:
        repeated = bits.read(1)
        count = 1 + bits.read(widths[bits.read(2)])
        end = at + count
        if end > total:
            raise BrokenRLE(f"it runs past the {total} values that it declares")
        # Values 3, 7, 11 ... are the fourth channel: of at..end those of the pixels at // 4 to end // 4.
        if repeated:
            alpha[at // CHANNELS : end // CHANNELS] = bits.read(8)
        else:
            values = np.frombuffer(bits.read(8 * count).to_bytes(count, "big"), dtype=np.uint8)
            alpha[at // CHANNELS : end // CHANNELS] = values[(3 - at) % CHANNELS :: CHANNELS]
        at = end
    return alpha.reshape(height, width)


def encode(mask: Mask) -> list[int]:
    """A mask, bool (height, width), as Label Studio stores it: the bytes of the SDK's `mask2rle` for 0 and 255."""
    flat = mask.ravel()
    starts = np.flatnonzero(np.diff(flat, prepend=~flat[:1]))
    lengths = CHANNELS * np.diff(starts, append=flat.size)
    header = f"{CHANNELS * flat.size:032b}{7:05b}" + "".join(f"{width - 1:04b}" for width in _LENGTH_BITS)
    runs = zip(lengths.tolist(), flat[starts].tolist(), strict=True)
    bits = header + "".join(_run(length, "1" * 8 if value else "0" * 8) for length, value in runs)
    bits += "0" * (8 - len(bits) % 8)  # a whole byte where none is needed, as the SDK does
    return list(int(bits, 2).to_bytes(len(bits) // 8, "big"))


def _run(length: int, value: str) -> str:
    whole, rest = divmod(length - 1, _MOST_A_TOKEN)
    # The SDK gives what is left of a run of several tokens in the longest form too.
    which = 3 if whole else next(number for number, width in enumerate(_LENGTH_BITS) if rest < 1 << width)
    full = f"111{_MOST_A_TOKEN - 1:016b}{value}"
    return full * whole + f"1{which:02b}{rest:0{_LENGTH_BITS[which]}b}{value}"
