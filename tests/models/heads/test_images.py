"""Images, masks and probabilities between an image's own grid and the network's."""

import numpy as np
from PIL import Image

from seedqueue.models.heads.images import prepare, prepare_masks, to_grid


def test_the_whole_image_is_stretched_and_grey_repeated() -> None:
    grey = np.zeros((40, 100), dtype=np.uint8)
    grey[:, 50:] = 200
    shown = prepare(Image.fromarray(grey), 64)
    assert shown.shape == (3, 64, 64)
    assert shown.dtype == np.uint8
    assert (shown[0] == shown[1]).all()
    assert (shown[:, :, :31] == 0).all()
    assert (shown[:, :, 33:] == 200).all()


def test_colour_stays() -> None:
    red = Image.new("RGB", (50, 30), (255, 0, 10))
    assert prepare(red, 32).mean(axis=(1, 2)).tolist() == [255, 0, 10]


def test_a_mask_holds_where_at_least_half_is_covered() -> None:
    masks = np.zeros((2, 8, 8), dtype=np.bool_)
    masks[0, :, :3] = True  # the second column of 2 x 2 is half covered, the first wholly
    masks[1, 0, 0] = True  # a quarter
    small = prepare_masks(masks, 4)
    assert small.dtype == np.bool_
    assert small[0].tolist() == [[True, True, False, False]] * 4
    assert not small[1].any()
    large = prepare_masks(small, 8)
    assert large.shape == (2, 8, 8)
    assert large[0, :, :4].all()


def test_probabilities_come_back_to_where_they_were() -> None:
    # A disc off the middle of a wide image: to the network's grid and back it stays in its place.
    rows, columns = np.mgrid[:90, :200]
    disc = np.hypot(rows - 30, columns - 140) < 20
    back = to_grid(prepare_masks(disc[None], 64).astype(np.float32), 90, 200)
    assert back.shape == (1, 90, 200)
    assert back.dtype == np.float32
    found = back[0] >= 0.5
    assert 2 * (found & disc).sum() / (found.sum() + disc.sum()) > 0.95
    assert abs(np.argwhere(found).mean(axis=0) - [30, 140]).max() < 0.5
    assert (back >= 0).all()
    assert (back <= 1).all()
