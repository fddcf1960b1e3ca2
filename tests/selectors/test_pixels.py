"""What a segmenter tells of one image: entropy of what it marked, disagreement of its draws."""

import math

import numpy as np
import pytest

from seedqueue.selectors.pixels import dropout_disagreement, foreground_entropy


def test_entropy_is_that_of_the_predicted_foreground() -> None:
    maps = np.array([[[0.5, 1.0], [0.2, 0.0]]])
    assert foreground_entropy(maps) == pytest.approx(math.log(2) / 2)
    assert foreground_entropy(np.ones((2, 4, 4))) == 0


def test_without_foreground_every_pixel_counts() -> None:
    faint = foreground_entropy(np.full((1, 2, 2), 0.3))
    assert faint == pytest.approx(-0.3 * math.log(0.3) - 0.7 * math.log(0.7))
    assert foreground_entropy(np.zeros((1, 2, 2))) == 0


def test_each_label_has_its_own_foreground() -> None:
    maps = np.stack([np.full((2, 2), 0.5), np.full((2, 2), 0.1)])
    assert foreground_entropy(maps) == pytest.approx(math.log(2))


def test_disagreement_is_one_less_the_mean_dice_of_two_draws() -> None:
    one, other = np.zeros((1, 2, 4)), np.zeros((1, 2, 4))
    one[0, 0], other[0, 0, :2] = 1, 1
    other[0, 1, :2] = 1  # four pixels each, two in common: Dice 0.5
    assert dropout_disagreement(np.stack([one, other])) == pytest.approx(0.5)
    assert dropout_disagreement(np.stack([one, other, one])) == pytest.approx((0.5 + 0 + 0.5) / 3)


def test_empty_masks_agree_and_one_draw_agrees_with_itself() -> None:
    empty, full = np.zeros((1, 3, 3)), np.ones((1, 3, 3))
    assert dropout_disagreement(np.stack([empty, empty])) == 0
    assert dropout_disagreement(np.stack([empty, full])) == 1
    assert dropout_disagreement(full[None]) == 0
