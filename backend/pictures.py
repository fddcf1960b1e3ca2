"""The images behind some tasks as pictures, fetched ahead of their use: what network heads see."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from seedqueue.backend.ahead import FETCHES, ahead
from seedqueue.backend.context import Context
from seedqueue.backend.fetch import ImageFetcher, allowed_hosts
from seedqueue.backend.pool import Place
from seedqueue.models.errors import UnreadableImage
from seedqueue.models.images import read_image
from seedqueue.models.picture import Picture


def pictures(context: Context, places: Sequence[Place]) -> Iterator[tuple[Place, Picture | None]]:
    """Each place with its picture, or None where the image cannot be read; in the order given."""
    settings = context.settings
    fetcher = ImageFetcher(context.studio, allowed_hosts(settings.image_hosts), settings.max_image_bytes)

    def load(place: Place) -> tuple[Place, Picture | None]:
        try:
            content = fetcher.fetch(*place).content
            return place, read_image(content, max_pixels=settings.max_image_pixels, frames=settings.dicom_frames)
        except UnreadableImage:
            return place, None

    try:
        with ThreadPoolExecutor(FETCHES) as threads:
            for loaded in ahead(threads, load, places):
                yield from loaded
    finally:
        fetcher.close()
