"""Drawing a project's audit slice: the rows of the pool, their groups, and the tasks that came out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from seedqueue.backend import audit
from seedqueue.backend.embeddings import Embeddings, source_key
from seedqueue.backend.learning_errors import AuditExceedsPool
from seedqueue.backend.pool import PoolTask
from seedqueue.backend.records import Choices, QueuedTask
from seedqueue.backend.rules import unsplit
from seedqueue.selectors.representation import EXACT_ROWS


def draw_slice(
    pool: Sequence[PoolTask], known: Mapping[tuple[int, str], str], store: Embeddings, choices: Choices
) -> list[QueuedTask]:
    """At least `choices.audit` tasks of the whole pool, labelled ones among them, in random order.

    Of a tab or filter those inside of it: what is labelled elsewhere is no sample of anything.

    Whole groups: see `whole_groups`. Tasks whose image is not embedded cannot be drawn.
    Raises `AuditExceedsPool` where nothing would be left to label, `NoGroups`.
    """
    stored = store.stored()
    hashes = ((known.get(source_key(one.task, one.uri)), one) for one in pool if not one.outside)
    found = [(sha256, one) for sha256, one in hashes if sha256 in stored]
    drawn = whole_groups(found, store, choices.audit, choices.random_seed, choices.group_field, choices.near_duplicate)
    free = {one.task for _, one in found if not one.labelled}
    if free and not free.difference(one.task for one in drawn):
        raise AuditExceedsPool(choices.audit, len(found))
    return drawn


def whole_groups(
    found: Sequence[tuple[str, PoolTask]], store: Embeddings, size: int, seed: int, field: str, near: float
) -> list[QueuedTask]:
    """At least `size` of these tasks in random order, the same in whatever order they come: sorted by content.

    found: the content hash of each task's image, and the task. Groups are those by a field of task data, "" for none,
    and up to 10,000 images clusters of near duplicates too. Beyond, what is near an audit image is kept out of training
    instead: all pairs would take minutes. Raises `NoGroups`.
    """
    rows = sorted((sha256, one.task, one) for sha256, one in found)
    few = 0 < len(rows) <= EXACT_ROWS
    vectors = store.read([sha256 for sha256, _, _ in rows]) if few else np.zeros((len(rows), 1))
    groups = unsplit(vectors.astype(np.float32), [one.fields for _, _, one in rows], field, near if few else 0.0)
    tasks = [rows[row][2] for row in audit.draw(groups, size, seed).tolist()]
    return [audit.as_queued(one.task, one.uri, one.fields.get(field, "")) for one in tasks]
