"""The brush's run-length code, against the SDK's own and against bytes that mean harm."""

import numpy as np
import pytest
from drawn import item, mask_of, problem_of, recorded
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from label_studio_sdk.converter import brush
from numpy.typing import NDArray

from seedqueue.backend.regions import Mask
from seedqueue.backend.rle import BrokenRLE, decode_alpha, encode

MASKS = arrays(bool, st.tuples(st.integers(1, 40), st.integers(1, 40)))
Values = NDArray[np.uint8]


def sdk_mask(rle: list[int], height: int, width: int) -> Values:
    decoded: Values = brush.decode_rle(rle).reshape(height, width, 4)[:, :, 3]
    return decoded


def test_the_recorded_brush_is_what_the_sdk_reads() -> None:
    given = recorded("BrushLabels")
    mask = mask_of(given)
    assert mask.shape == (48, 64)
    assert 0 < mask.sum() < mask.size
    assert np.array_equal(mask, sdk_mask(given["value"]["rle"], 48, 64) > 0)


@given(MASKS)
def test_a_mask_is_coded_as_the_sdk_does(mask: Mask) -> None:
    rle = encode(mask)
    assert rle == brush.mask2rle(mask.astype(np.uint8) * 255)
    assert np.array_equal(decode_alpha(bytes(rle), *mask.shape), mask * np.uint8(255))


def test_runs_longer_than_a_token_are_coded_as_the_sdk_does() -> None:
    # 4 x 16384 values are the longest run of one token; one pixel more needs a second one.
    for length in (16383, 16384, 16385, 32768, 40000):
        mask = np.zeros((1, 50000), dtype=bool)
        mask[0, 7 : 7 + length] = True
        rle = encode(mask)
        assert rle == brush.mask2rle(mask.astype(np.uint8) * 255)
        assert np.array_equal(decode_alpha(bytes(rle), 1, 50000) > 0, mask)


@given(arrays(np.uint8, st.tuples(st.integers(1, 12), st.integers(1, 12), st.just(4)), elements=st.integers(0, 3)))
def test_any_coded_picture_is_read_as_the_sdk_reads_it(picture: Values) -> None:
    # Four unlike channels, so that tokens begin and end within a pixel.
    rle = brush.encode_rle(picture.ravel())
    assert np.array_equal(decode_alpha(bytes(rle), *picture.shape[:2]), picture[:, :, 3])


def literal_rle(values: Values, sizes: tuple[int, ...] = (3, 4, 8, 16)) -> bytes:
    """As the browser codes values that do not repeat: one token with all of them, which the SDK never writes."""
    bits = f"{len(values):032b}{7:05b}" + "".join(f"{size - 1:04b}" for size in sizes)
    bits += f"011{len(values) - 1:0{sizes[3]}b}" + "".join(f"{value:08b}" for value in values)
    bits += "0" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


@given(arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9), st.just(4))))
def test_values_that_do_not_repeat_are_read(picture: Values) -> None:
    content = literal_rle(picture.ravel())
    assert np.array_equal(brush.decode_rle(list(content)), picture.ravel())
    assert np.array_equal(decode_alpha(content, *picture.shape[:2]), picture[:, :, 3])


def test_a_smoothed_rim_is_cut_at_half() -> None:
    picture = np.repeat(np.array([[0, 60, 127, 128, 255]], dtype=np.uint8), 4)
    assert mask_of(item("brush", 5, 1, format="rle", rle=brush.encode_rle(picture))).tolist() == [[0, 0, 0, 1, 1]]


def test_masks_of_zeros_and_ones_are_not_empty() -> None:
    rle = brush.mask2rle(np.array([[0, 1, 1, 0]], dtype=np.uint8))
    assert mask_of(item("brush", 4, 1, format="rle", rle=rle)).tolist() == [[0, 1, 1, 0]]


def with_total(rle: list[int], total: int) -> bytes:
    return total.to_bytes(4, "big") + bytes(rle[4:])


def test_a_hostile_number_of_values_is_refused() -> None:
    rle = encode(np.ones((4, 5), dtype=bool))
    for total in (0, 79, 81, 4 * 4 * 5 * 1000, 2**32 - 1):
        with pytest.raises(BrokenRLE, match=f"declares {total} values"):
            decode_alpha(with_total(rle, total), 4, 5)


def test_a_hostile_size_that_fits_its_number_of_values_allocates_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    content = with_total(encode(np.ones((4, 5), dtype=bool)), 4 * 32767 * 32767)
    monkeypatch.setattr("seedqueue.backend.rle.np.zeros", lambda *_, **__: pytest.fail("allocated"))
    with pytest.raises(BrokenRLE, match="cannot hold"):
        decode_alpha(content, 32767, 32767)
    too_large = item("brush", 65535, 16384, format="rle", rle=list(with_total([0] * 20, 2**32 - 2**18)))
    assert "more than the limit" in problem_of(too_large).reason


def test_every_truncation_is_refused() -> None:
    mask = np.random.default_rng(0).random((20, 30)) > 0.5
    content = bytes(encode(mask))
    for length in range(len(content) - 1):
        with pytest.raises(BrokenRLE):
            decode_alpha(content[:length], 20, 30)


def test_a_run_past_the_end_is_refused() -> None:
    longer, shorter = encode(np.ones((4, 6), dtype=bool)), 4 * 4 * 5
    with pytest.raises(BrokenRLE, match="runs past"):
        decode_alpha(with_total(longer, shorter), 4, 5)


@settings(max_examples=300)
@given(st.binary(max_size=60), st.integers(0, 3), st.integers(1, 3))
def test_no_bytes_do_harm(content: bytes, height: int, width: int) -> None:
    for given_bytes in (content, (4 * height * width).to_bytes(4, "big") + b"\x3a" + content):
        try:
            assert decode_alpha(given_bytes, height, width).shape == (height, width)
        except BrokenRLE:
            continue
