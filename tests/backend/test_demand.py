from __future__ import annotations

import pytest

from seedqueue.backend.demand import missing, readers


@pytest.mark.parametrize(("counts_skips", "expected"), [(False, 2), (True, 3)])
def test_people_are_counted_once_and_skips_where_they_finish_a_task(counts_skips: bool, expected: int) -> None:
    """As a task's answer to PATCH has its annotations."""
    annotations = [
        {"id": 1, "completed_by": 4, "was_cancelled": False},
        {"id": 2, "completed_by": 4, "was_cancelled": False},
        {"id": 3, "completed_by": 5, "was_cancelled": False},
        {"id": 4, "completed_by": 6, "was_cancelled": True},
    ]
    assert readers(annotations, counts_skips) == expected


@pytest.mark.parametrize(
    ("finished", "overlap", "annotations", "skips", "counts_skips", "left"),
    [
        (False, 3, 1, 0, False, 2),
        (True, 3, 1, 0, False, 0),
        (False, 1, 2, 0, False, 0),
        (False, 3, 1, 1, False, 2),
        (False, 3, 1, 1, True, 1),
    ],
)
def test_what_is_missing_is_counted_in_readings(
    finished: bool, overlap: int, annotations: int, skips: int, counts_skips: bool, left: int
) -> None:
    counts = {"total_annotations": annotations, "cancelled_annotations": skips}
    assert missing({"is_labeled": finished, "overlap": overlap, **counts}, counts_skips) == left
