"""The images behind the tasks of an export: their bytes as files, or their sizes alone."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import PurePosixPath

from seedqueue.backend.ahead import FETCHES, ahead
from seedqueue.backend.context import Context
from seedqueue.backend.fetch import ImageFetcher, allowed_hosts
from seedqueue.backend.file_names import file_name
from seedqueue.backend.pool import Place
from seedqueue.models.errors import UnreadableImage
from seedqueue.models.images import has_dicom_mark, read_image

Size = tuple[int, int]  # width, height

_SUFFIX = re.compile(r"\.[a-z0-9]{1,8}")
_MARKS = {
    b"\x89PNG": ".png",
    b"\xff\xd8\xff": ".jpg",
    b"BM": ".bmp",
    b"II*\0": ".tif",
    b"MM\0*": ".tif",
    b"GIF8": ".gif",
}


@dataclass(frozen=True)
class Found:
    """An image that was fetched; problem: why it cannot be read, and then there is no size."""

    task: int
    content: bytes
    size: Size | None
    problem: str = ""

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest() if self.content else ""


def found_images(context: Context, places: Sequence[Place]) -> Iterator[Found]:
    """The images of some tasks, in the order given."""
    settings = context.settings
    fetcher = ImageFetcher(context.studio, allowed_hosts(settings.image_hosts), settings.max_image_bytes)

    def load(place: Place) -> Found:
        content = b""
        try:
            content = fetcher.fetch(*place).content
            picture = read_image(content, max_pixels=settings.max_image_pixels, frames=settings.dicom_frames)
            return Found(place[0], content, picture.image.size)
        except UnreadableImage as error:
            return Found(place[0], content, None, error.reason)

    try:
        with ThreadPoolExecutor(FETCHES) as threads:
            for batch in ahead(threads, load, places):
                yield from batch
    finally:
        fetcher.close()


def name_of(task: int) -> str:
    """What an image and its masks are called: names of the lab's own files may say who the patient is."""
    return f"task-{task}"


def suffix_of(content: bytes, uri: str) -> str:
    """By the first bytes, else the one in the URI."""
    if has_dicom_mark(content):
        return ".dcm"
    known = next((suffix for mark, suffix in _MARKS.items() if content.startswith(mark)), "")
    given = PurePosixPath(file_name(uri)).suffix.lower()
    return known or (given if _SUFFIX.fullmatch(given) else "")
