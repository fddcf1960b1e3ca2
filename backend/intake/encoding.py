"""New images as they are sent: read once more, as PNG, in portions of bounded size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from seedqueue.backend.intake.looking import Seen, Unreadable, ahead_of
from seedqueue.backend.intake.pictures import Limits, as_png, opened, shown
from seedqueue.backend.intake.pseudonyms import Pseudonyms
from seedqueue.models.errors import UnreadableImage
from seedqueue.models.picture import Spacing

BATCH, BATCH_BYTES = 32, 32 * 2**20  # of images in one upload
CHANGED = "it changed while it was imported"


@dataclass(frozen=True)
class Ready:
    """One image as it is sent; at: its position among the sorted images."""

    at: int
    name: str
    png: bytes
    spacing: Spacing | None


def encoded(
    images: Sequence[Seen], wanted: Sequence[int], pseudonyms: Pseudonyms, limits: Limits
) -> Iterator[list[Ready | Unreadable]]:
    """The wanted images, by position, in portions.

    Read a second time: to keep every picture from the first look would take the memory or the disk of them all.
    """

    def one(at: int) -> Ready | Unreadable:
        image = images[at]
        try:
            found = opened(image.listed.file, limits)
            picture = shown(found.content, limits)
        except UnreadableImage as error:
            return Unreadable(image.listed, error.reason)
        if pseudonyms.image(picture.image) != image.look.image_id:
            return Unreadable(image.listed, CHANGED)
        return Ready(at, f"{image.look.image_id}.png", as_png(picture.image), picture.spacing)

    return _portions(ahead_of(one, wanted))


def _portions(items: Iterator[Ready | Unreadable]) -> Iterator[list[Ready | Unreadable]]:
    batch: list[Ready | Unreadable] = []
    size = 0
    for one in items:
        batch.append(one)
        size += len(one.png) if isinstance(one, Ready) else 0
        if len(batch) >= BATCH or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
