"""A fresh audit slice is drawn fairly from the new tasks, and who may have learnt from it is not judged by it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pools import FINGERPRINT, embedded, example, gathered, published, store, uri, version

from seedqueue.backend import audit
from seedqueue.backend.arrivals.division import Cut, parted
from seedqueue.backend.arrivals.errors import NothingNew, NothingOld
from seedqueue.backend.arrivals.fresh import draw
from seedqueue.backend.arrivals.holding import unseen
from seedqueue.backend.audit import Part
from seedqueue.backend.context import Context
from seedqueue.backend.learning_errors import AuditExceedsPool
from seedqueue.backend.pool import PoolTask
from seedqueue.backend.settings import Settings
from seedqueue.backend.vectors import Vectors, vectors_of

POOL = [PoolTask(task, uri(task), False, fields={"patient": str(task // 4)}) for task in range(1, 81)]
NEW = POOL[40:]


@pytest.fixture
def context(tmp_path: Path) -> Iterator[Context]:
    """A home with the embeddings of 78 tasks of 80."""
    with Context(Settings(home=tmp_path / "home", label_studio_url="http://ls")) as opened:
        store(opened, embedded(78))
        yield opened


@pytest.fixture
def vectors(context: Context) -> Vectors:
    return vectors_of(context, 1, FINGERPRINT)


def test_whole_patients_of_the_new_part_the_same_in_whatever_order(context: Context, vectors: Vectors) -> None:
    run = published(context, group_field="patient")
    drawn = draw(NEW, vectors, run, 10)
    tasks = [one.task for one in drawn]
    assert 10 <= len(tasks) < 14
    readable = {one.task for one in NEW if one.task <= 78}
    for patient in {task // 4 for task in tasks}:
        assert {task for task in readable if task // 4 == patient} <= set(tasks)
    assert {(one.group, one.audit) for one in drawn} == {(str(task // 4), True) for task in tasks}
    assert draw(NEW[::-1], vectors, run, 10) == drawn
    assert [one.task for one in draw(NEW, vectors, run, 10, drawn_before=4)] != tasks


def test_labelled_tasks_have_the_same_chance(context: Context, vectors: Vectors) -> None:
    half = [replace(one, labelled=one.task % 2 == 0) for one in NEW]
    seen = Counter[bool]()
    for seed in range(40):
        seen.update(one.task % 2 == 0 for one in draw(half, vectors, published(context, random_seed=seed), 8))
    assert seen[True] / seen.total() == pytest.approx(0.5, abs=0.1)


def test_something_has_to_be_left_to_label(context: Context, vectors: Vectors) -> None:
    run = published(context)
    with pytest.raises(AuditExceedsPool, match="38 audit tasks of 38 readable images"):
        draw(NEW, vectors, run, 38)
    with pytest.raises(AuditExceedsPool):
        draw([], vectors, run, 5)
    assert len(draw(NEW, vectors, run, 37)) == 37


def test_old_and_new_are_told_apart_by_their_ids() -> None:
    parts = parted(POOL, Cut(40, "as asked for"), 1)
    assert (parts.old[-1].task, parts.new[0].task) == (40, 41)
    with pytest.raises(NothingNew, match="no task after 80"):
        parted(POOL, Cut(80, ""), 1)
    with pytest.raises(NothingOld, match="no task up to 0"):
        parted(POOL, Cut(0, ""), 1)


NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def part_of(*tasks: int) -> Part:
    return Part(40, tuple(audit.as_queued(task, uri(task)) for task in tasks), 1, NOW)


def test_a_version_made_after_the_slice_cannot_have_seen_it(context: Context, vectors: Vectors) -> None:
    run, found = published(context), gathered([])
    made = (NOW + timedelta(seconds=60)).isoformat()
    assert unseen(run, part_of(50), found, vectors, version(1, made=made, seconds=10.0))
    began_before = version(1, made=made, seconds=90.0)
    assert not unseen(run, part_of(50), found, vectors, began_before)


def test_an_older_version_is_judged_where_all_that_it_learnt_from_is_apart(context: Context, vectors: Vectors) -> None:
    run = published(context)
    older = version(1, made="2026-11-01T00:00:00+00:00")  # it learnt from the annotations of tasks 1 and 2
    both = gathered([example(1), example(2), example(3)])
    assert unseen(run, part_of(50), both, vectors, older)
    assert not unseen(run, part_of(50), gathered([example(1)]), vectors, older)  # task 2 was drawn, or its patient was
    assert not unseen(run, part_of(2), both, vectors, older)


def test_the_same_image_again_is_not_apart(context: Context) -> None:
    store(context, embedded(78), project=2, hashes={50: "same", 1: "same"})
    again = vectors_of(context, 2, FINGERPRINT)
    run, both = published(context, project=2), gathered([example(1), example(2)])
    older = version(1, made="2026-11-01T00:00:00+00:00")
    assert unseen(run, part_of(51), both, again, older)
    assert not unseen(run, part_of(50), both, again, older)
