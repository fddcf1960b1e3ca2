"""Random changes of training images that leave their labels true: one batch at a time, image and masks alike.

There is no vertical flip: a radiograph upside down does not occur. The horizontal one is off by default: it
puts the heart on the right and exchanges the sides that a label or a mask may name.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Augmentation:
    """How far each image may be changed, every amount drawn evenly and for each image anew.

    rotation: degrees to either side. scale, shift: shares of the side, to either side. flip: whether
    every other image is mirrored left to right. brightness: share of the range of values, to either
    side. contrast, gamma: the largest factor is 1 + this, the smallest its inverse.
    """

    rotation: float = 10.0
    scale: float = 0.1
    shift: float = 0.05
    flip: bool = False
    brightness: float = 0.1
    contrast: float = 0.2
    gamma: float = 0.3

    @classmethod
    def none(cls) -> "Augmentation":
        """Nothing is changed."""
        return cls(0.0, 0.0, 0.0, False, 0.0, 0.0, 0.0)

    @property
    def moves(self) -> bool:
        """Whether pixels change places."""
        return bool(self.rotation or self.scale or self.shift or self.flip)

    @property
    def shades(self) -> bool:
        """Whether values change."""
        return bool(self.brightness or self.contrast or self.gamma)

    def __call__(
        self, pixels: "torch.Tensor", masks: "torch.Tensor | None", generator: "torch.Generator"
    ) -> "tuple[torch.Tensor, torch.Tensor | None]":
        """Change a batch.

        pixels: uint8 (n, 3, h, w); masks: bool (n, labels, h, w) or None; generator: on the processor. Gives
        float32 (n, 3, h, w), 0 to 255, and the masks moved alike, bool. What comes in from outside is black
        and unmarked.
        """
        images = pixels.float()
        if self.moves:
            images, masks = _moved(images, masks, self._affine(len(pixels), generator))
        return (self._shaded(images, generator) if self.shades else images), masks

    def _affine(self, n: int, generator: "torch.Generator") -> "torch.Tensor":
        """(n, 2, 3), from places in the result to places in the image, both -1 to 1."""
        import torch

        draw = torch.rand((n, 5), generator=generator) * 2 - 1
        angle = torch.deg2rad(draw[:, 0] * self.rotation)
        zoom = 1 + draw[:, 1] * self.scale
        mirrored = torch.where((draw[:, 4] < 0) & self.flip, -1.0, 1.0)
        cosine, sine = torch.cos(angle) / zoom, torch.sin(angle) / zoom
        # A shift by a share of the side is twice that in places from -1 to 1.
        first = torch.stack([cosine * mirrored, -sine * mirrored, 2 * self.shift * draw[:, 2]], dim=1)
        second = torch.stack([sine, cosine, 2 * self.shift * draw[:, 3]], dim=1)
        return torch.stack([first, second], dim=1)

    def _shaded(self, images: "torch.Tensor", generator: "torch.Generator") -> "torch.Tensor":
        import torch

        draw = (torch.rand((3, len(images), 1, 1, 1), generator=generator) * 2 - 1).to(images.device)
        shares = (images / 255).pow((1 + self.gamma) ** draw[0])
        middle = shares.mean(dim=(1, 2, 3), keepdim=True)
        shares = (shares - middle) * (1 + self.contrast) ** draw[1] + middle + self.brightness * draw[2]
        return shares.clamp(0, 1) * 255


def _moved(
    images: "torch.Tensor", masks: "torch.Tensor | None", affine: "torch.Tensor"
) -> "tuple[torch.Tensor, torch.Tensor | None]":
    import torch
    from torch.nn.functional import affine_grid, grid_sample

    both = images if masks is None else torch.cat([images, masks.float()], dim=1)
    grid = affine_grid(affine.to(images.device), list(both.shape), align_corners=False)
    both = grid_sample(both, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    moved = both[:, : images.shape[1]]
    return moved, None if masks is None else both[:, images.shape[1] :] >= 0.5
