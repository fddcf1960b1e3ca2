"""Readings and Label Studio tasks, made by hand."""

from __future__ import annotations

from typing import Any

import pytest
from readers import Readers


@pytest.fixture
def readers() -> Readers:
    return Readers()


@pytest.fixture
def task() -> Any:
    """`task(number, (annotator, choice, ground_truth, hour), ...)` as Label Studio's API gives it."""

    def make(number: int, *said: tuple[int | None, str, bool, int], patient: str = "") -> dict[str, Any]:
        return {
            "id": number,
            "data": {"image": f"{number}.png", "patient": patient},
            "annotations": [
                {
                    "id": 100 * number + at,
                    "task": number,
                    "completed_by": by,
                    "was_cancelled": choice == "skip",
                    "ground_truth": truth,
                    "created_at": f"2026-03-02T{hour:02}:00:00Z",
                    "updated_at": f"2026-03-02T{hour:02}:00:00Z",
                    "lead_time": 10.0 * (at + 1),
                    "result": [{"from_name": "finding", "type": "choices", "value": {"choices": [choice]}}],
                }
                for at, (by, choice, truth, hour) in enumerate(said)
            ],
        }

    return make
