"""Further parts of the audit slice: held out like the first, and apart from what versions are judged by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from pools import example, gathered, uri

from seedqueue.backend import audit
from seedqueue.backend.records import QueuedTask, Records
from seedqueue.backend.tables import Home


@pytest.fixture
def records(tmp_path: Path) -> Records:
    return Records(Home(tmp_path), "http://ls")


def slice_of(*tasks: int) -> list[QueuedTask]:
    return [audit.as_queued(task, uri(task)) for task in tasks]


def tasks_of(queue: Sequence[QueuedTask]) -> list[int]:
    return [one.task for one in queue]


def test_a_later_part_is_held_out_too_and_the_first_stays_what_it_was(records: Records) -> None:
    audit.freeze(records, 1, 1, slice_of(5, 3))
    audit.freeze_part(records, 1, 4, 100, slice_of(103, 101))
    audit.freeze(records, 1, 5, slice_of(8))
    audit.freeze_part(records, 1, 6, 200, slice_of(205))
    audit.freeze_part(records, 1, 7, 100, slice_of(107))
    assert tasks_of(audit.frozen(records, 1)) == [5, 3, 103, 101, 107, 205]
    assert audit.first(records, 1) == slice_of(5, 3)
    part = audit.part_after(records, 1, 100)
    assert part is not None
    assert (tasks_of(part.tasks), part.after, part.run) == ([103, 101, 107], 100, 4)
    assert audit.part_after(records, 1, 150) is None
    assert audit.first(records, 2) == []


def test_a_slice_of_later_images_alone_is_the_first_part(records: Records) -> None:
    audit.freeze_part(records, 1, 2, 100, slice_of(103))
    assert tasks_of(audit.first(records, 1)) == tasks_of(audit.frozen(records, 1)) == [103]


def test_versions_are_judged_on_the_first_part_alone() -> None:
    audited = [example(5), example(205)]
    found = replace(gathered([], audited), later=frozenset({205}))
    assert found.held_out("classes") == ("audit slice", audited[:1])
    assert (
        replace(gathered([], audited, [example(9)]), later=frozenset({5, 205})).held_out("classes")[0] == "ground truth"
    )
