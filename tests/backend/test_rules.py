"""What may not be split: images of one patient and near duplicates."""

from __future__ import annotations

import numpy as np
import pytest

from seedqueue.backend.pool_errors import NoGroups
from seedqueue.backend.rules import unsplit


def test_patients_and_near_duplicates_stay_together() -> None:
    embeddings = np.random.default_rng(1).normal(size=(6, 40)).astype(np.float32)
    embeddings[4] = embeddings[1] * 1.001
    fields = [{"patient": patient} for patient in ("p", "p", "q", "", "", "r")]

    def parts(group_field: str, near_duplicate: float) -> list[list[int]]:
        groups = unsplit(embeddings, fields, group_field, near_duplicate)
        return sorted(np.flatnonzero(groups == group).tolist() for group in set(groups.tolist()))

    assert parts("", 0) == [[0], [1], [2], [3], [4], [5]]
    assert parts("patient", 0) == [[0, 1], [2], [3], [4], [5]]
    assert parts("", 0.99) == [[0], [1, 4], [2], [3], [5]]
    assert parts("patient", 0.99) == [[0, 1, 4], [2], [3], [5]]  # through one another
    with pytest.raises(NoGroups, match="'study'"):
        parts("study", 0)
