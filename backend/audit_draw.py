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

    Whole groups by `choices.group_field`; up to 10,000 images whole clusters of near duplicates too. Beyond, what
    is near an audit image is kept out of training instead: all pairs would take minutes. Tasks whose image
    is not embedded cannot be drawn. The order of the pool does not matter: rows are sorted by content.
    Raises `AuditExceedsPool` where nothing would be left to label, `NoGroups`.
    """
    stored, pool = store.stored(), [task for task in pool if not task.outside]
    hashes = [known.get(source_key(task.task, task.uri)) for task in pool]
    rows = sorted((sha256, task.task, task) for sha256, task in zip(hashes, pool, strict=True) if sha256 in stored)
    vectors = store.read([sha256 for sha256, _, _ in rows]) if len(rows) <= EXACT_ROWS else np.zeros((len(rows), 1))
    near = choices.near_duplicate if len(rows) <= EXACT_ROWS else 0.0
    groups = unsplit(vectors.astype(np.float32), [task.fields for _, _, task in rows], choices.group_field, near)
    drawn = audit.draw(groups, choices.audit, choices.random_seed).tolist()
    free = {row for row, (_, _, task) in enumerate(rows) if not task.labelled}
    if free and not free.difference(drawn):
        raise AuditExceedsPool(choices.audit, len(rows))
    tasks = [rows[row][2] for row in drawn]
    return [audit.as_queued(task.task, task.uri, task.fields.get(choices.group_field, "")) for task in tasks]
