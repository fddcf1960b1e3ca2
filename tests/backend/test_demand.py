from __future__ import annotations

import pytest

from seedqueue.backend.demand import readers


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
