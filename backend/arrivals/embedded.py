"""Seeing to it that every image is embedded before anything is said about it; what cannot be read is listed."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from seedqueue.backend import pool_changes, presence
from seedqueue.backend.arrivals.errors import EmbeddingStalled, NobodyEmbeds
from seedqueue.backend.context import Context
from seedqueue.backend.pool import PoolTask
from seedqueue.backend.records import Run, Unreadable
from seedqueue.backend.vectors import Vectors, vectors_of

POLL_SECONDS = 0.5
TRIES = 3

Tell = Callable[[int, int | None], None]  # images done, images in all


def embedded(
    context: Context, run: Run, pool: Sequence[PoolTask], tell: Tell = lambda done, total: None
) -> tuple[Vectors, list[Unreadable]]:
    """The embeddings of all tasks under the standing run's embedder, made by the workers where they are missing.

    Gives those that cannot be read too. The jobs are the backend's own for new tasks: asking beside it is asking once.
    Raises `NobodyEmbeds`, `EmbeddingStalled`.
    """
    tries, least, told = 0, len(pool) + 1, False
    while True:
        vectors = vectors_of(context, run.project, run.fingerprint)
        unreadable = {one.task: one for one in context.records.unreadable(run.project, run.number)}
        absent = [one for one in pool if not vectors.has(one.task, one.uri)]
        missing = [one for one in absent if one.task not in unreadable]
        if not missing:
            if told:
                tell(len(pool), len(pool))
            return vectors, [unreadable[one.task] for one in absent]
        if not presence.listening(context.broker):
            raise NobodyEmbeds(len(missing))
        tell(len(pool) - len(missing), len(pool))
        told = True
        if not pool_changes.embedding(context, run):
            tries, least = (0, len(missing)) if len(missing) < least else (tries + 1, least)
            if tries > TRIES:
                raise EmbeddingStalled(len(missing), missing[0].task)
            pool_changes.embed(context, run, [one.task for one in missing])
        time.sleep(POLL_SECONDS)
