"""The audit slice: fair, frozen once, the same in whatever order the pool comes, and none of it seen twice."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from object_store import open_home
from pools import D, sha, uri

from seedqueue.backend import audit
from seedqueue.backend.audit_draw import draw_slice
from seedqueue.backend.embeddings import Embeddings, source_key
from seedqueue.backend.learning_errors import AuditExceedsPool
from seedqueue.backend.pool import PoolTask
from seedqueue.backend.records import Choices, QueuedTask, Records
from seedqueue.backend.tables import Home

CHOICES = Choices(6, "hog", "kmeans", 0, audit=10)
POOL = [PoolTask(task, uri(task), False, fields={"patient": str(task // 4)}) for task in range(1, 41)]
KNOWN = {source_key(task.task, task.uri): sha(task.task) for task in POOL}


def seeds(*tasks: int) -> list[QueuedTask]:
    return [QueuedTask(rank, task, uri(task), 3, 5) for rank, task in enumerate(tasks, 1)]


def slice_of(*tasks: int) -> list[QueuedTask]:
    return [audit.as_queued(task, uri(task)) for task in tasks]


def tasks_of(queue: Sequence[QueuedTask]) -> list[int]:
    return [one.task for one in queue]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Embeddings:
    """The embeddings of all but the last two of the pool: far from each other, but 9 and 10 are near duplicates."""
    found = Embeddings(Home(tmp_path_factory.mktemp("home")), "f", D)
    vectors = np.random.default_rng(3).standard_normal((38, D)).astype(np.float32)
    vectors[9] = vectors[8] * 1.001
    found.add([sha(task) for task in range(1, 39)], vectors)
    return found


def test_whole_groups_until_there_are_enough() -> None:
    groups = np.array([0, 0, 0, 1, 1, 2, 3, 3])
    for seed in range(30):
        rows = audit.draw(groups, 4, seed).tolist()
        drawn = set(groups[rows].tolist())
        assert sorted(rows) == np.flatnonzero(np.isin(groups, list(drawn))).tolist()
        sizes = Counter(groups[rows].tolist())
        assert len(rows) >= 4 > len(rows) - max(sizes.values())


def test_no_more_than_there_are_and_nothing_of_nothing() -> None:
    assert sorted(audit.draw(np.arange(5), 99, 0).tolist()) == [0, 1, 2, 3, 4]
    assert audit.draw(np.zeros(0, dtype=np.int64), 5, 0).tolist() == []


def test_each_group_is_equally_likely_whatever_its_size() -> None:
    groups = np.array([0] * 6 + [1, 2, 3, 4])
    first = Counter(int(groups[audit.draw(groups, 1, seed)[0]]) for seed in range(2000))
    assert set(first) == {0, 1, 2, 3, 4}
    assert all(320 < count < 480 for count in first.values()), first  # 400 expected, deviation 18


def test_another_random_seed_gives_another_slice() -> None:
    drawn = [audit.draw(np.arange(40), 5, seed).tolist() for seed in (0, 0, 1)]
    assert drawn[0] == drawn[1] != drawn[2]


def test_an_audit_task_behind_every_second_seed() -> None:
    queue = audit.interleaved(seeds(1, 2, 3, 4, 5), slice_of(91, 92, 93, 94), first_rank=7)
    assert tasks_of(queue) == [1, 2, 91, 3, 4, 92, 5]
    assert [one.rank for one in queue] == [7, 8, 9, 10, 11, 12, 13]
    assert [one.audit for one in queue] == [False, False, True, False, False, True, False]
    assert (queue[0].cluster, queue[0].weight) == (3, 5)
    assert (queue[2].cluster, queue[2].weight) == (audit.NO_CLUSTER, 1)


def test_fewer_audit_tasks_than_places_and_no_seed() -> None:
    assert tasks_of(audit.interleaved(seeds(1, 2, 3, 4), slice_of(91))) == [1, 2, 91, 3, 4]
    assert tasks_of(audit.interleaved(seeds(1, 2, 3, 4), [])) == [1, 2, 3, 4]
    assert audit.interleaved([], slice_of(91)) == []


def test_the_slice_does_not_depend_on_the_order_of_the_pool(store: Embeddings) -> None:
    drawn = draw_slice(POOL, KNOWN, store, CHOICES)
    assert len(drawn) >= 10
    assert all(one.audit and one.uri == uri(one.task) for one in drawn)
    assert draw_slice(random.Random(1).sample(POOL, len(POOL)), KNOWN, store, CHOICES) == drawn
    assert draw_slice(POOL, KNOWN, store, replace(CHOICES, random_seed=1)) != drawn


def test_labelled_tasks_are_drawn_like_others_and_images_without_embedding_are_not(store: Embeddings) -> None:
    labelled = [replace(task, labelled=task.task < 30) for task in POOL]
    assert draw_slice(labelled, KNOWN, store, CHOICES) == draw_slice(POOL, KNOWN, store, CHOICES)
    drawn = {
        task
        for seed in range(9)
        for task in tasks_of(draw_slice(POOL, KNOWN, store, replace(CHOICES, random_seed=seed)))
    }
    assert drawn > {1, 2, 3}
    assert not {39, 40} & drawn


def test_what_is_labelled_outside_of_a_tab_is_not_drawn(store: Embeddings) -> None:
    inside = [task for task in POOL if task.task < 30]
    pool = inside + [replace(task, labelled=True, outside=True) for task in POOL if task.task >= 30]
    assert draw_slice(pool, KNOWN, store, CHOICES) == draw_slice(inside, KNOWN, store, CHOICES)


def test_patients_and_near_duplicates_are_drawn_whole(store: Embeddings) -> None:
    for seed in range(12):
        alike = set(tasks_of(draw_slice(POOL, KNOWN, store, replace(CHOICES, random_seed=seed, near_duplicate=0.95))))
        assert ({9, 10} <= alike) == bool({9, 10} & alike)
        drawn = set(tasks_of(draw_slice(POOL, KNOWN, store, replace(CHOICES, random_seed=seed, group_field="patient"))))
        assert drawn == {task for task in range(1, 39) if task // 4 in {one // 4 for one in drawn}}
    named = draw_slice(POOL, KNOWN, store, replace(CHOICES, group_field="patient"))
    assert all(one.group == str(one.task // 4) for one in named), "later images of a patient must be told apart"


def test_a_slice_that_leaves_nothing_to_label_is_refused(store: Embeddings) -> None:
    with pytest.raises(AuditExceedsPool, match="200 audit tasks of 38 readable images"):
        draw_slice(POOL, KNOWN, store, replace(CHOICES, audit=200))
    done = [replace(task, labelled=True) for task in POOL]  # nothing is left anyhow: that is told by others
    assert len(draw_slice(done, KNOWN, store, replace(CHOICES, audit=200))) == 38


def test_the_first_slice_stays(place: Path | str) -> None:
    records = Records(open_home(place), "http://ls")
    assert audit.frozen(records, 1) == []
    audit.freeze(records, 1, 1, slice_of(5, 3))
    audit.freeze(records, 1, 2, slice_of(8))
    audit.freeze(records, 2, 1, slice_of(9))
    assert audit.frozen(records, 1) == slice_of(5, 3)
    assert audit.frozen(records, 2) == slice_of(9)
    assert audit.waiting(slice_of(5, 3), {5}) == slice_of(3)
