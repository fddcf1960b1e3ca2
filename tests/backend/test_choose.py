"""From a pool and stored embeddings to a queue: covered ground, order, and what is readable."""

import hashlib
import random
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from seedqueue.backend.choose import choose
from seedqueue.backend.embeddings import Embeddings, source_key
from seedqueue.backend.pool import PoolTask
from seedqueue.backend.pool_errors import NoGroups, NoReadableImage, NoWeakLabels
from seedqueue.backend.records import Choices, QueuedTask, Unreadable
from seedqueue.backend.tables import Home
from seedqueue.selectors.errors import BudgetExceedsGroups

CHOICES = Choices(6, "hog", "kmeans", 0)
POOL = [PoolTask(100 + n, f"/data/{n}.png", False) for n in range(40)]
KNOWN = {source_key(task.task, task.uri): hashlib.sha256(task.uri.encode()).hexdigest() for task in POOL}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Embeddings:
    """The embeddings of the pool; those of its last two images are not there."""
    stored = Embeddings(Home(tmp_path_factory.mktemp("home")), "f", 8)
    matrix = np.random.default_rng(0).standard_normal((38, 8)).astype(np.float32)
    stored.add([KNOWN[source_key(task.task, task.uri)] for task in POOL[:38]], matrix)
    return stored


def tasks_of(queue: Sequence[QueuedTask]) -> list[int]:
    return [task.task for task in queue]


def labelled(pool: Sequence[PoolTask], tasks: set[int]) -> list[PoolTask]:
    return [replace(task, labelled=task.task in tasks) for task in pool]


@pytest.mark.parametrize("selector", ["kmeans", "uniform"])
def test_the_order_of_the_tasks_does_not_matter(store: Embeddings, selector: str) -> None:
    choices = replace(CHOICES, selector=selector)
    expected, warnings = choose(POOL, KNOWN, store, choices)
    shuffled = random.Random(1).sample(POOL, len(POOL))
    assert choose(shuffled, KNOWN, store, choices) == (expected, ())
    assert choose(POOL, KNOWN, store, choices) == (expected, ())
    assert warnings == ()
    assert choose(POOL, KNOWN, store, replace(choices, random_seed=9))[0] != expected


def test_ranks_weights_and_uris(store: Embeddings) -> None:
    queue, _ = choose(POOL, KNOWN, store, CHOICES)
    assert [task.rank for task in queue] == [1, 2, 3, 4, 5, 6]
    assert len(set(tasks_of(queue))) == 6
    assert {task.task: task.uri for task in queue}.items() <= {task.task: task.uri for task in POOL}.items()
    assert sum(task.weight for task in queue) == 38
    assert {type(value) for task in queue for value in (task.task, task.cluster, task.weight)} == {int}


def test_labelled_tasks_are_covered_ground(store: Embeddings) -> None:
    first = set(tasks_of(choose(POOL, KNOWN, store, CHOICES)[0]))
    again, _ = choose(labelled(POOL, first), KNOWN, store, CHOICES)
    assert len(again) == 6
    assert not first & set(tasks_of(again))


def test_an_extension_keeps_the_queue_and_continues_its_ranks(store: Embeddings) -> None:
    kept, _ = choose(POOL, KNOWN, store, CHOICES)
    longer, _ = choose(POOL, KNOWN, store, replace(CHOICES, budget=10), kept=kept)
    assert longer[:6] == kept
    assert [task.rank for task in longer] == list(range(1, 11))
    assert len(set(tasks_of(longer))) == 10


def test_an_extension_of_a_queue_that_is_labelled_by_now(store: Embeddings) -> None:
    kept, _ = choose(POOL, KNOWN, store, CHOICES)
    pool = labelled(POOL, set(tasks_of(kept)))
    longer, _ = choose(pool, KNOWN, store, replace(CHOICES, budget=8), kept=kept)
    assert longer[:6] == kept
    assert len(set(tasks_of(longer))) == 8


def test_an_extension_whose_first_task_was_deleted(store: Embeddings) -> None:
    kept, _ = choose(POOL, KNOWN, store, CHOICES)
    pool = [task for task in POOL if task.task != kept[0].task]
    longer, _ = choose(pool, KNOWN, store, replace(CHOICES, budget=8), kept=kept)
    assert [task.rank for task in longer] == list(range(1, 9))


def test_fewer_readable_than_wanted(store: Embeddings) -> None:
    queue, warnings = choose(POOL, KNOWN, store, replace(CHOICES, budget=40))
    assert sorted(tasks_of(queue)) == [task.task for task in POOL[:38]]
    assert warnings == ("40 tasks requested, 38 readable: all of them are in the queue",)


def test_exactly_as_many_readable_as_wanted(store: Embeddings) -> None:
    queue, warnings = choose(POOL, KNOWN, store, replace(CHOICES, budget=38))
    assert (len(queue), warnings) == (38, ())


def test_the_same_image_in_two_tasks_may_stand_in_both(store: Embeddings) -> None:
    twin = PoolTask(999, POOL[0].uri, False)
    known = {**KNOWN, source_key(twin.task, twin.uri): KNOWN[source_key(POOL[0].task, POOL[0].uri)]}
    queue, _ = choose([*POOL, twin], known, store, replace(CHOICES, budget=39))
    assert {100, 999} <= set(tasks_of(queue))


def test_none_readable_names_the_first_reason(store: Embeddings) -> None:
    bad = [Unreadable(138, "/data/38.png", "truncated PNG")]
    with pytest.raises(NoReadableImage, match="None of the 2 images could be read; the first: task 138: truncated PNG"):
        choose(POOL[38:], KNOWN, store, CHOICES, unreadable=bad)
    with pytest.raises(NoReadableImage):
        choose([], KNOWN, store, CHOICES)


def grouped(field: str, values: Sequence[str]) -> list[PoolTask]:
    return [replace(task, fields={field: value}) for task, value in zip(POOL, values, strict=True)]


def test_few_images_of_one_patient(store: Embeddings) -> None:
    patients = [str(n % 7) for n in range(40)]
    choices = replace(CHOICES, group_field="patient")
    pool = grouped("patient", patients)
    queue, warnings = choose(pool, KNOWN, store, choices)
    assert len({task.task % 100 % 7 for task in queue}) == 6
    assert warnings == ()
    longer, warnings = choose(pool, KNOWN, store, replace(choices, budget=9), kept=queue)
    assert longer[:6] == queue
    assert len(longer) == 7
    assert warnings == ("3 tasks requested, 1 are in the queue: at most 1 with the same patient",)
    with pytest.raises(BudgetExceedsGroups, match="2 requested, 0 available with at most 1 of a group"):
        choose(pool, KNOWN, store, replace(choices, budget=9), kept=longer)
    assert len(choose(pool, KNOWN, store, replace(choices, budget=9, per_group=2))[0]) == 9


def test_a_group_field_that_no_task_has(store: Embeddings) -> None:
    with pytest.raises(NoGroups, match="No image has a value in the field 'patient'"):
        choose(POOL, KNOWN, store, replace(CHOICES, group_field="patient"))


def test_strata_of_a_field(store: Embeddings) -> None:
    pool = grouped("finding", ["rare" if n in (4, 9) else "usual" for n in range(40)])
    choices = replace(CHOICES, selector="weak-label", weak_label="field:finding", budget=4)
    queue, _ = choose(pool, KNOWN, store, choices)
    assert {task.task for task in queue[:2]} & {104, 109}
    with pytest.raises(NoWeakLabels, match="the embedder has no classifier"):
        choose(pool, KNOWN, store, replace(choices, weak_label="findings"))


def test_copies_of_an_image_are_counted_and_not_chosen_twice(store: Embeddings) -> None:
    copies = [PoolTask(500 + n, f"/copy/{n}.png", False) for n in range(38)]
    known = {
        **KNOWN,
        **{source_key(c.task, c.uri): KNOWN[source_key(t.task, t.uri)] for c, t in zip(copies, POOL, strict=False)},
    }
    queue, warnings = choose([*POOL, *copies], known, store, replace(CHOICES, budget=38, near_duplicate=0.999))
    assert len({known[source_key(task.task, task.uri)] for task in queue}) == 38
    assert warnings == ("38 tasks hold the same image as another one",)
