"""What augmentation may change, and what it must not."""

import pytest
import torch

from seedqueue.models.heads.augmentation import Augmentation

SIDE = 64


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def spot(row: int, column: int, n: int = 16) -> tuple[torch.Tensor, torch.Tensor]:
    """Images with one white square and its mask."""
    pixels = torch.zeros((n, 3, SIDE, SIDE), dtype=torch.uint8)
    pixels[:, :, row : row + 12, column : column + 12] = 255
    return pixels, pixels[:, :1] > 0


def centres(masks: torch.Tensor) -> torch.Tensor:
    """The mean row and column of each mask: (n, 2)."""
    return torch.stack([torch.nonzero(mask[0]).float().mean(dim=0) for mask in masks])


def test_an_image_and_its_mask_move_together() -> None:
    pixels, masks = spot(10, 20)
    images, moved = Augmentation(brightness=0, contrast=0, gamma=0, flip=True)(pixels, masks, generator())
    assert moved is not None
    assert moved.dtype == torch.bool
    assert torch.equal(images[:, :1] >= 127.5, moved)
    assert (centres(moved) - centres(masks)).abs().max() > 3
    assert len(centres(moved).unique(dim=0)) == 16  # each image in its own way


def test_shades_leave_the_mask() -> None:
    pixels, masks = spot(10, 20)
    images, same = Augmentation(rotation=0, scale=0, shift=0)(pixels, masks, generator())
    assert same is not None
    assert torch.equal(same, masks)
    assert images.min() >= 0
    assert images.max() <= 255
    assert not torch.equal(images, pixels.float())


def test_nothing_is_changed_at_strength_zero() -> None:
    pixels = torch.randint(0, 256, (4, 3, SIDE, SIDE), dtype=torch.uint8)
    masks = torch.rand(4, 2, SIDE, SIDE) > 0.5
    images, same = Augmentation.none()(pixels, masks, generator())
    assert torch.equal(images, pixels.float())
    assert same is not None
    assert torch.equal(same, masks)


@pytest.mark.parametrize(("flip", "sides"), [(False, {"left"}), (True, {"left", "right"})])
def test_images_are_mirrored_on_request_only_and_never_upside_down(flip: bool, sides: set[str]) -> None:
    _, masks = spot(4, 8, n=64)
    _, moved = Augmentation(flip=flip)(spot(4, 8, n=64)[0], masks, generator())
    assert moved is not None
    found = centres(moved)
    assert {"left" if column < SIDE / 2 else "right" for column in found[:, 1].tolist()} == sides
    assert (found[:, 0] < SIDE / 2).all()


def test_a_mirrored_image_is_its_mirror_image() -> None:
    pixels = torch.randint(0, 256, (8, 3, SIDE, SIDE), dtype=torch.uint8)
    only = Augmentation(rotation=0, scale=0, shift=0, flip=True, brightness=0, contrast=0, gamma=0)
    images, _ = only(pixels, None, generator())
    mirrored = [
        torch.allclose(image, each.float().flip(2), atol=0.01) for image, each in zip(images, pixels, strict=True)
    ]
    kept = [torch.allclose(image, each.float(), atol=0.01) for image, each in zip(images, pixels, strict=True)]
    assert all(one != other for one, other in zip(mirrored, kept, strict=True))
    assert any(mirrored)
    assert any(kept)


def test_movements_stay_within_their_limits() -> None:
    # A spot in the middle can only be shifted: by at most 5 % of the side.
    _, masks = spot(26, 26, n=200)
    _, moved = Augmentation()(spot(26, 26, n=200)[0], masks, generator())
    assert moved is not None
    away = (centres(moved) - (SIDE - 1) / 2).abs().amax(dim=0)
    assert (away <= 0.05 * 1.12 * SIDE + 0.5).all()  # enlarged with the image, and pixels are whole
    assert (away >= 2).all()
    areas = moved.sum(dim=(1, 2, 3)) / 144
    assert 0.75 < areas.min() < 0.9
    assert 1.1 < areas.max() < 1.3


def test_a_seed_gives_the_same_changes() -> None:
    pixels, masks = spot(10, 20)
    first, _ = Augmentation()(pixels, masks, generator(3))
    again, _ = Augmentation()(pixels, masks, generator(3))
    other, _ = Augmentation()(pixels, masks, generator(4))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
