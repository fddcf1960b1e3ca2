"""One shard: images fetched, decoded, embedded and stored, the network and the decoder overlapped."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seedqueue.backend.ahead import FETCHES, ahead
from seedqueue.backend.context import Context
from seedqueue.backend.embeddings import Embeddings, Source, source_key
from seedqueue.backend.fetch import ImageFetcher, allowed_hosts
from seedqueue.backend.pool import PoolTask
from seedqueue.backend.records import Unreadable
from seedqueue.models.embedder import Embedder
from seedqueue.models.errors import UnreadableImage
from seedqueue.models.images import read_image

STORE_EVERY = 256


@dataclass(frozen=True)
class _Image:
    """One fetched image: its source and its model input."""

    source: Source
    model_input: NDArray[np.float32]


def embed_tasks(
    context: Context,
    project: int,
    tasks: Sequence[PoolTask],
    embedder: Embedder,
    store: Embeddings,
    progress: Callable[[int], None],
) -> list[Unreadable]:
    """Embed the tasks' images into `store` and note their sources; the unreadable ones, with reasons.

    Safe to repeat: every write is a merge by key. `progress` is called with numbers of finished tasks.
    """
    # Of these tasks alone: all keys of a million images are half a second's reading, for each of 4,000 shards.
    known = context.sources.known(context.settings.label_studio_url, project, [task.task for task in tasks])
    stored = store.holds(known.values())
    todo = [task for task in tasks if known.get(source_key(task.task, task.uri)) not in stored]
    progress(len(tasks) - len(todo))
    settings = context.settings
    fetcher = ImageFetcher(context.studio, allowed_hosts(settings.image_hosts), settings.max_image_bytes)

    def load(task: PoolTask) -> _Image | Unreadable:
        try:
            return _load(context, project, task, fetcher, embedder)
        except UnreadableImage as error:
            return Unreadable(task.task, task.uri, error.reason)

    unreadable: list[Unreadable] = []
    embedded = _Unstored(context, store)
    try:
        with ThreadPoolExecutor(FETCHES) as threads:
            for loaded in ahead(threads, load, todo):
                unreadable += [one for one in loaded if isinstance(one, Unreadable)]
                embedded.add([one for one in loaded if isinstance(one, _Image)], embedder)
                progress(len(loaded))
    finally:
        fetcher.close()
    embedded.store()
    return unreadable


class _Unstored:
    """Embedded images on their way to the store: few large merges, since each makes a fragment on disk."""

    def __init__(self, context: Context, store: Embeddings) -> None:
        self._context, self._store = context, store
        self._sources: list[Source] = []
        self._vectors: dict[str, NDArray[np.float32]] = {}

    def add(self, images: Sequence[_Image], embedder: Embedder) -> None:
        found = {one.source.sha256: one.model_input for one in images if one.source.sha256 not in self._vectors}
        stored = self._store.holds(found)
        fresh = {sha256: each for sha256, each in found.items() if sha256 not in stored}
        if fresh:
            vectors = embedder.embed(np.stack(list(fresh.values())))
            self._vectors.update(zip(fresh, vectors, strict=True))
        self._sources += [one.source for one in images]
        if len(self._sources) >= STORE_EVERY:
            self.store()

    def store(self) -> None:
        """The embeddings, and only then the sources: a known source promises a stored embedding."""
        if self._vectors:
            self._store.add(list(self._vectors), np.stack(list(self._vectors.values())))
        self._context.sources.add(self._sources)
        self._sources, self._vectors = [], {}


def _load(
    context: Context,
    project: int,
    task: PoolTask,
    fetcher: ImageFetcher,
    embedder: Embedder,
) -> _Image:
    fetched = fetcher.fetch(task.task, task.uri)
    sha256 = hashlib.sha256(fetched.content).hexdigest()
    _, uri = source_key(task.task, task.uri)
    instance = context.settings.label_studio_url
    source = Source(instance, project, task.task, uri, sha256, len(fetched.content), fetched.etag)
    settings = context.settings
    picture = read_image(fetched.content, max_pixels=settings.max_image_pixels, frames=settings.dicom_frames)
    return _Image(source, embedder.prepare(picture.image))
