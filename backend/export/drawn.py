"""The combined masks of an image at its own size, and the single objects in them."""

from __future__ import annotations

from collections.abc import Iterator

from seedqueue.backend.examples import Example, masks
from seedqueue.backend.export.images import Size
from seedqueue.backend.learning_errors import MasksUnusable
from seedqueue.backend.regions import Mask, region_mask


def size_told(example: Example) -> Size | None:
    """The image's size by its regions; None where nothing was drawn. Raises `MasksUnusable` where they disagree."""
    if example.masks is None:
        return None
    sizes = sorted({(one.width, one.height) for drawn in example.masks.annotations for one in drawn})
    if len(sizes) > 1:
        listed = " and ".join(f"{width} x {height}" for width, height in sizes)
        raise MasksUnusable(example.task, f"they were drawn on images of different sizes, {listed}")
    return sizes[0] if sizes else None


def combined(example: Example, size: Size) -> Mask:
    """bool (c, height, width). Raises `MasksUnusable` where regions were drawn on an image of other proportions."""
    width, height = size
    return masks(example, height, width)


def objects(example: Example, whole: Mask) -> Iterator[tuple[int, Mask]]:
    """(class, bool (height, width)) of each object: a region of the only annotation, else a connected part.

    Of several annotations the combined mask alone is known, not which region of one is which of another.
    """
    if example.masks is None:
        return
    height, width = whole.shape[1:]
    if len(example.masks.annotations) == 1:
        for region in example.masks.annotations[0]:
            mask = region_mask(region, height, width)
            for label in region.labels if mask.any() else ():
                yield example.masks.labels.index(label), mask
        return
    from skimage.measure import label as numbered  # takes a second to import

    for at, mask in enumerate(whole):
        parts = numbered(mask, connectivity=2)
        for number in range(1, int(parts.max(initial=0)) + 1):
            yield at, parts == number
