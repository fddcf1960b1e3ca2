"""The annotators' queue as Label Studio serves it: rank order, several annotators, rounds, undo."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from image_server import ImageServer
from running import Backend

from seedqueue.backend import connection, pool, publish, seeding, serving, tabs
from seedqueue.backend.demo.annotator import Annotator
from seedqueue.backend.errors import NoSeedQueue, PredictionsDropped

Annotators = Callable[[int, int], list[Annotator]]


def test_one_annotator_gets_the_tasks_in_rank_order(backend: Backend, project: int, annotators: Annotators) -> None:
    queue = backend.seed(project, budget=8)
    assert [task.rank for task in queue] == list(range(1, 9))
    [annotator] = annotators(project, 1)
    assert [one.task for one in annotator.work(8)] == [task.task for task in queue]


def test_the_queue_is_published_as_label_studio_needs_it(backend: Backend, project: int) -> None:
    queue = backend.seed(project, budget=8)
    studio = backend.context.studio
    described = backend.described(project)
    assert (described["sampling"], described["model_version"]) == (publish.SAMPLING, "Seed queue 1")
    attached = connection.find(studio, project, backend.url)
    assert attached is not None
    assert attached.title == "Seed queue 1"  # only then are live pre-annotations shown
    predictions = studio.call("GET", "/api/predictions/", params={"project": project})
    scores = {one["task"]: one["score"] for one in predictions}
    assert len(scores) == len(predictions) == 40  # every task of this small pool: the seeds and the tail
    seeds = [scores[task.task] for task in queue]
    assert seeds == sorted(seeds)
    assert max(seeds) < 0.5 <= min(score for task, score in scores.items() if task not in {q.task for q in queue})
    backend.eventually(lambda: len(pool.views(studio, project)) == 2, 30, "the tabs")
    views = pool.views(studio, project)
    assert [view["data"]["title"] for view in views] == [tabs.DEFAULT_TITLE, tabs.TITLE]
    # What the browser's Data Manager knows; it never loads when it meets another operator, such as in_list.
    known = {"equal", "not_equal", "less", "greater", "less_or_equal", "greater_or_equal", "in", "not_in", "contains"}
    assert {item["operator"] for item in views[1]["data"]["filters"]["items"]} <= known
    shown = studio.call(
        "GET", "/api/tasks", params={"project": project, "view": views[1]["id"], "fields": "all", "include": "id"}
    )
    assert [task["id"] for task in shown["tasks"]] == [task.task for task in queue]


@pytest.mark.parametrize("count", [2, 3])
def test_annotators_share_the_seeds_without_collision(
    backend: Backend, project: int, annotators: Annotators, count: int
) -> None:
    queue = [task.task for task in backend.seed(project, budget=9)]
    group = annotators(project, count)
    served: list[int] = []
    for _ in range(9 // count):
        taken = [annotator.next_task() for annotator in group]  # all of them hold a task at once
        for annotator, task in zip(group, taken, strict=True):
            assert task is not None
            served.append(task["id"])
            annotator.submit(task["id"])
    assert served == queue[: len(served)]


def test_nobody_meets_no_tasks_while_unlabelled_ones_exist(
    backend: Backend, images: ImageServer, annotators: Annotators
) -> None:
    project = backend.new_project(images.urls()[:12])
    backend.seed(project, budget=2)  # fewer seeds than annotators: without a tail the third gets a 404
    group = annotators(project, 3)
    labelled: set[int] = set()
    held: dict[int, int] = {}
    while len(labelled) < 12:
        for number, annotator in enumerate(group):
            task = annotator.next_task()
            if task is None:
                assert labelled | set(held.values()) == set(range_of(backend, project)), "tasks were left"
                continue
            held[number] = task["id"]
        for number, task_id in list(held.items()):
            assert task_id not in labelled, "two annotators were given the same task"
            group[number].submit(task_id)
            labelled.add(held.pop(number))


def range_of(backend: Backend, project: int) -> list[int]:
    answer = backend.context.studio.call("GET", "/api/tasks", params={"project": project, "page_size": 100})
    return [task["id"] for task in answer["tasks"]]


@pytest.mark.slow
def test_a_tab_narrows_the_seeds_and_not_the_tail(
    backend: Backend, images: ImageServer, annotators: Annotators
) -> None:
    project = backend.new_project(images.urls()[:10])
    studio = backend.context.studio
    first = min(range_of(backend, project))
    narrow = {"filter": "filter:tasks:id", "operator": "less", "type": "Number", "value": first + 2}
    layout = {"title": "Few", "filters": {"conjunction": "and", "items": [narrow]}}
    studio.call("POST", "/api/dm/views", json={"project": project, "data": layout})
    queue = backend.seed(project, budget=2, tab="Few")
    assert {task.task for task in queue} == {first, first + 1}
    served = [annotator.next_task() for annotator in annotators(project, 3)]
    assert None not in served, "the third annotator is told that there are no tasks"


@pytest.mark.soak
def test_skipped_tasks_do_not_count_as_free(
    make_backend: Callable[..., Backend], images: ImageServer, annotators: Annotators
) -> None:
    backend = make_backend()
    project = backend.new_project([f"{uri}?copy={copy}" for copy in range(6) for uri in images.urls()])
    backend.attach(project)
    backend.seed(project, budget=2)
    studio = backend.context.studio
    ranked = publish.tasks_with_version(studio, project, "Seed queue 1")
    [annotator] = annotators(project, 1)
    for _ in range(3):
        task = annotator.next_task()
        assert task is not None
        body = {"result": [], "was_cancelled": True}
        annotator.studio.call("POST", f"/api/tasks/{task['id']}/annotations/", json=body)
    backend.eventually(
        lambda: len(publish.tasks_with_version(studio, project, "Seed queue 1")) == len(ranked) + 1, 60, "a longer tail"
    )


@pytest.mark.slow
def test_the_tail_is_topped_up_as_annotations_come(
    backend: Backend, images: ImageServer, annotators: Annotators
) -> None:
    uris = [f"{uri}?copy={copy}" for copy in range(6) for uri in images.urls()]
    project = backend.new_project(uris)
    backend.attach(project)
    backend.seed(project, budget=2)
    studio = backend.context.studio
    length = publish.tail_length(studio)
    ranked = publish.tasks_with_version(studio, project, "Seed queue 1")
    assert len(ranked) == 2 + length < len(uris)
    [annotator] = annotators(project, 1)
    served = annotator.work(5)
    assert {one.task for one in served} <= ranked
    backend.eventually(
        lambda: publish.untouched_tasks(studio, project, "Seed queue 1") == length, 60, "a tail of full length again"
    )
    assert len(publish.tasks_with_version(studio, project, "Seed queue 1")) == 5 + length


def test_the_next_round_comes_without_a_moment_of_random_order(
    backend: Backend, project: int, annotators: Annotators
) -> None:
    first = backend.seed(project, budget=6)
    studio = backend.context.studio
    [annotator] = annotators(project, 1)
    every_task = range_of(backend, project)
    unseeded = [task for task in every_task if task not in {one.task for one in first}]
    publish.import_scores(studio, project, "Seed queue 77", publish.seed_scores(unseeded))
    held = annotator.next_task()
    assert held is not None
    assert held["id"] == first[0].task  # imported, and nothing has changed yet
    annotator.submit(held["id"])
    attached = connection.find(studio, project, backend.url)
    publish.switch(studio, project, "Seed queue 77", attached)
    assert [one.task for one in annotator.work(3)] == unseeded[:3]


def test_seeding_again_replaces_the_queue_and_removes_the_old_one(
    backend: Backend, project: int, annotators: Annotators
) -> None:
    backend.seed(project, budget=8)
    second = backend.seed(project, budget=5, random_seed=7, selector="uniform")
    [annotator] = annotators(project, 1)
    assert [one.task for one in annotator.work(5)] == [task.task for task in second]
    studio = backend.context.studio
    backend.eventually(lambda: list(publish.versions(studio, project)) == ["Seed queue 2"], 60, "round 1 removed")
    assert backend.described(project)["model_version"] == "Seed queue 2"


@pytest.mark.slow
def test_clearing_the_round_before_goes_on_where_its_time_ran_out(backend: Backend, project: int) -> None:
    context = backend.context
    with context.broker.lock(f"tidy-{project}"):  # the worker waits: here it is cleared by hand
        backend.seed(project, budget=8)
        backend.seed(project, budget=5)
        standing = context.records.published_run(project)
        assert standing is not None
        assert not serving.clear_earlier(context, standing, seconds=0)
        assert publish.versions(context.studio, project) == {"Seed queue 1": 40, "Seed queue 2": 40}
        assert serving.clear_earlier(context, standing)
    assert publish.versions(context.studio, project) == {"Seed queue 2": 40}


def test_extending_keeps_the_first_ranks_and_never_takes_a_labelled_task(
    backend: Backend, project: int, annotators: Annotators
) -> None:
    first = backend.seed(project, budget=6)
    [annotator] = annotators(project, 1)
    annotator.work(2)
    run = backend.ended(seeding.request_extension(backend.context, project, 10))
    assert run.state == "published", run.error
    longer = backend.context.records.queue(project, run.number)
    assert longer[:6] == first
    assert [task.rank for task in longer] == list(range(1, 11))
    assert [one.task for one in annotator.work(8)] == [task.task for task in longer[2:]]


def test_undo_gives_the_project_back_as_it_was(backend: Backend, project: int) -> None:
    studio = backend.context.studio
    before, attached = backend.described(project), connection.find(studio, project, backend.url)
    assert attached is not None
    backend.seed(project, budget=4)
    backend.seed(project, budget=5)
    seeding.undo(backend.context, project)
    after, now = backend.described(project), connection.find(studio, project, backend.url)
    assert now is not None
    for field in ("sampling", "model_version"):
        assert after[field] == before[field]
    assert now.title == attached.title
    assert studio.call("GET", "/api/dm/views", params={"project": project}) == []
    assert publish.versions(studio, project) == {}
    with pytest.raises(NoSeedQueue):
        seeding.standing_queue(backend.context, project)
    backend.seed(project, budget=4)  # and it can be seeded anew
    assert backend.described(project)["model_version"] == "Seed queue 3"


def test_ranks_that_label_studio_drops_are_noticed(backend: Backend, images: ImageServer) -> None:
    project = backend.new_project(images.urls()[:3])
    good, bad, _ = range_of(backend, project)
    with pytest.raises(PredictionsDropped, match="stored 1 of 2 ranks"):
        publish.import_scores(backend.context.studio, project, "v", {good: 0.1, bad: 1.5})


@pytest.mark.slow
def test_a_run_that_fails_after_the_switch_can_be_undone(backend: Backend, project: int) -> None:
    """Killed between the switch and its record: Label Studio serves the queue, the records say "failed"."""
    before = backend.described(project)
    backend.seed(project, budget=4)
    published = backend.context.records.published_run(project)
    assert published is not None
    backend.context.records.save_run(published.moved("failed", error="killed"))
    seeding.undo(backend.context, project)
    after = backend.described(project)
    assert (after["sampling"], after["model_version"]) == (before["sampling"], before["model_version"])


@pytest.mark.soak
def test_a_lost_home_does_not_repeat_a_version(
    make_backend: Callable[..., Backend], backend: Backend, project: int, annotators: Annotators
) -> None:
    backend.seed(project, budget=8)
    other = make_backend()  # an empty home on the same Label Studio
    queue = other.seed(project, budget=5, selector="uniform", random_seed=3)
    assert other.described(project)["model_version"] == "Seed queue 2"
    [annotator] = annotators(project, 1)
    assert [one.task for one in annotator.work(5)] == [task.task for task in queue]


@pytest.mark.slow
def test_a_project_without_the_backend_attached_is_served_in_rank_order_too(
    backend: Backend, images: ImageServer, annotators: Annotators
) -> None:
    project = backend.new_project(images.urls())
    queue = backend.seed(project, budget=4)
    [annotator] = annotators(project, 1)
    assert [one.task for one in annotator.work(4)] == [task.task for task in queue]
    run = seeding.status(backend.context, project).run
    assert run is not None
    assert "seedqueue attach" in run.warnings[0]
