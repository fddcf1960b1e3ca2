"""Which images take the places of chosen ones that are gone: the next of the same cluster."""

from __future__ import annotations

import numpy as np

from seedqueue.selectors.selection import Embeddings, Rows

BLOCK_ROWS = 4096


def stand_ins(
    chosen: Embeddings, gone: Rows, candidates: Embeddings, groups: Rows | None = None, room: Rows | None = None
) -> Rows:
    """For each chosen image that is gone the row of the candidate that stands in for it, -1 where none is left.

    chosen: unit vectors float32 (k, d) of all chosen images, those that are gone among them. gone: int64 (g,), rows
    of `chosen`. candidates: unit vectors float32 (m, d). groups: int64 (m,), the candidates' groups, -1 for none;
    room: int64, how many more images each group may give. An image belongs to the cluster of the chosen image that is
    most like it (cosine); of the cluster the one most like its centre is taken, and where the cluster is empty the
    most alike of all. No candidate is taken twice. O(m k d) time; memory: (m, g) and a block.
    """
    owner, likeness = _clusters(chosen, gone, candidates)
    left = np.ones(len(candidates), dtype=bool)
    room = None if room is None else room.copy()
    found = np.full(len(gone), -1, dtype=np.int64)
    for position, row in enumerate(gone.tolist()):
        free = left if groups is None or room is None else left & ((groups < 0) | (room[groups] > 0))
        cell = free & (owner == row)
        rows = np.flatnonzero(cell if cell.any() else free)
        if not len(rows):
            continue
        taken = int(rows[likeness[rows, position].argmax()])
        found[position], left[taken] = taken, False
        if groups is not None and room is not None and groups[taken] >= 0:
            room[groups[taken]] -= 1
    return found


def _clusters(chosen: Embeddings, gone: Rows, candidates: Embeddings) -> tuple[Rows, Embeddings]:
    """The chosen row that each candidate belongs to, and its cosine with each that is gone."""
    owner = np.empty(len(candidates), dtype=np.int64)
    likeness = np.empty((len(candidates), len(gone)), dtype=np.float32)
    for start in range(0, len(candidates), BLOCK_ROWS):
        part = slice(start, start + BLOCK_ROWS)
        cosines = candidates[part] @ chosen.T
        owner[part] = cosines.argmax(axis=1)
        likeness[part] = cosines[:, gone]
    return owner, likeness
