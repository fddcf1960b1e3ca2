"""A task's image as a small picture, made when the page asks for it; nothing is kept on the server."""

from __future__ import annotations

import io
from functools import cached_property

from seedqueue.backend.context import Context
from seedqueue.backend.errors import LabelStudioRefused, ProjectNotFound
from seedqueue.backend.fetch import ImageFetcher, allowed_hosts
from seedqueue.backend.field_values import value_of
from seedqueue.backend.page_errors import TaskNotFound
from seedqueue.backend.pool import describe, filtered, task_data
from seedqueue.models.images import read_image

SIDE, QUALITY = 160, 80


class Thumbnails:
    """Safe to use from several threads."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._keys: dict[int, str] = {}

    def jpeg(self, project: int, task: int) -> bytes:
        """A JPEG of at most 160 x 160 pixels, no metadata. Raises `TaskNotFound`, `UnreadableImage`."""
        s = self._context.settings
        content = self._fetcher.fetch(task, self._uri(project, task)).content
        image = read_image(content, max_pixels=s.max_image_pixels, frames=s.dicom_frames).image
        image.thumbnail((SIDE, SIDE))
        stream = io.BytesIO()
        image.save(stream, "JPEG", quality=QUALITY)
        return stream.getvalue()

    @cached_property
    def _fetcher(self) -> ImageFetcher:
        s = self._context.settings
        return ImageFetcher(self._context.studio, allowed_hosts(s.image_hosts), s.max_image_bytes)

    def _uri(self, project: int, task: int) -> str:
        """As task data holds it now. The label config is looked at again where it names no field of this task."""
        studio = self._context.studio
        try:
            found = task_data(studio, project, [filtered("id", "equal", "Number", task)])
        except (ProjectNotFound, LabelStudioRefused) as error:
            raise TaskNotFound(project, task) from error
        if task not in found:
            raise TaskNotFound(project, task)
        uri = value_of(found[task], self._keys[project]) if project in self._keys else None
        if uri is None:
            self._keys[project] = describe(studio, project).image_key
            uri = value_of(found[task], self._keys[project])
        return uri if isinstance(uri, str) else ""
