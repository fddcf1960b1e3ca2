"""Which images at all: filters, labels of another control, a locked test list; and a project left as it was found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from image_server import ImageServer
from running import Backend

from seedqueue.backend import chosen, connection, demand, detaching, locking, narrowing, pool, publish, seeding
from seedqueue.backend.audit import frozen
from seedqueue.backend.demo.annotator import Annotator
from seedqueue.backend.demo.project import LABEL_CONFIG, create_project
from seedqueue.backend.gathering import gather
from seedqueue.backend.locked import locked
from seedqueue.backend.page_errors import TasksUnknown
from seedqueue.backend.people import overlaps
from seedqueue.backend.pool_errors import NothingLocked, NothingToLock, TasksInAudit, UnreadableFilter
from seedqueue.backend.why import why

ANSWER = [{"from_name": "finding", "to_name": "image", "type": "choices", "value": {"choices": ["finding"]}}]


@pytest.fixture
def mixed(backend: Backend, images: ImageServer) -> int:
    """Forty tasks, two of a patient, with a view and a date: every fourth is lateral, and the last ten are of 2026."""
    number = create_project(backend.context.studio, "mixed", LABEL_CONFIG)
    body = [
        {
            "image": uri,
            "patient": f"p{at // 2}",
            "view": "LAT" if at % 4 == 0 else "PA",
            "date": f"202{6 if at >= 30 else 5}-03-{at % 28 + 1:02}",
        }
        for at, uri in enumerate(images.urls())
    ]
    backend.context.studio.call("POST", f"/api/projects/{number}/import", json=body)
    backend.attach(number)
    return number


def fields(backend: Backend, project: int) -> dict[int, dict[str, Any]]:
    return pool.task_data(backend.context.studio, project, [])


@pytest.mark.slow
def test_a_filter_narrows_seeds_and_rounds(backend: Backend, mixed: int) -> None:
    told = fields(backend, mixed)
    kept = min(task for task, one in told.items() if one["view"] == "PA" and one["date"] >= "2026")
    locking.lock(backend.context, mixed, tasks=[kept])
    narrow = {"where": "view=PA and date>=2026-01-01", "group_field": "patient"}
    run = backend.ended(backend.request(mixed, budget=6, per_group=2, **narrow))
    assert any("1 tasks that share their patient with" in line for line in run.warnings)
    queue = backend.context.records.queue(mixed, run.number)
    assert len(queue) == 6  # of eight, less the locked one and the other of its patient
    assert {told[one.task]["patient"] for one in queue}.isdisjoint({told[kept]["patient"]})
    [sibling] = [task for task, one in told.items() if task != kept and one["patient"] == told[kept]["patient"]]
    for task, reason in ((sibling, "its patient"), (kept, "on the locked test list")):
        assert reason in why(backend.context, mixed, task).sentences[0]
    assert all(told[one.task]["view"] == "PA" and told[one.task]["date"] >= "2026" for one in queue)
    more = backend.ended(backend.request(mixed, budget=7, per_group=2, **narrow))
    assert "7 requested, 6 available: 2 more have no label, but are locked" in more.error
    none = backend.ended(backend.request(mixed, budget=1, where="view=oblique"))
    assert "fulfil 'view=oblique'" in none.error
    slip = backend.ended(backend.request(mixed, budget=1, where="veiw!=PA"))
    assert "none of 40 tasks has a field 'veiw'; the project's have date, image, patient, view" in slip.error


@pytest.mark.slow
def test_a_label_of_another_control_narrows_too(backend: Backend, mixed: int) -> None:
    studio, numbers = backend.context.studio, sorted(fields(backend, mixed))
    said, other, unsaid = numbers[:3]
    for task, choice in ((said, "finding"), (other, "no finding")):
        result = [{**ANSWER[0], "value": {"choices": [choice]}}]
        studio.call("POST", "/api/predictions/", json={"task": task, "result": result, "model_version": "triage"})
    studio.call("POST", f"/api/tasks/{unsaid}/annotations/", json={"result": ANSWER, "was_cancelled": True})
    assert [one.task for one in narrowing.inside_of(studio, mixed, where="label:finding=finding")] == [said]
    german = [{**ANSWER[0], "value": {"choices": ['"Erguß"']}}]  # SQLite has it as \\"Ergu\\u00df\\"
    studio.call("POST", f"/api/tasks/{numbers[3]}/annotations/", json={"result": german})
    assert narrowing.labelled_so(studio, mixed, "finding", '"Erguß"') == {numbers[3]}
    with pytest.raises(UnreadableFilter, match="no control 'fnding', but finding"):
        narrowing.inside_of(studio, mixed, where="label:fnding!=finding")
    admitted = {one.task for one in narrowing.inside_of(studio, mixed, where="label:finding!=finding")}
    assert admitted == set(numbers) - {said}


def test_a_locked_task_is_never_chosen_served_or_learnt_from(
    backend: Backend, mixed: int, annotators: Callable[[int, int], list[Annotator]]
) -> None:
    context, studio = backend.context, backend.context.studio
    queue, told = backend.seed(mixed, budget=4, audit=2, group_field="patient"), fields(backend, mixed)
    seeds = [one.task for one in queue if not one.audit]
    with pytest.raises(TasksInAudit, match="1 of 1 tasks"):
        locking.lock(context, mixed, tasks=[frozen(context.records, mixed)[0].task])
    with pytest.raises(NothingToLock, match="no task"):
        locking.lock(context, mixed, where="view=oblique")
    lateral = [task for task, one in told.items() if one["view"] == "LAT"]
    kept = sorted({*lateral, seeds[0]} - {one.task for one in frozen(context.records, mixed)})
    studio.call("POST", f"/api/tasks/{kept[-1]}/annotations/", json={"result": ANSWER})
    locking.lock(context, mixed, tasks=kept)
    assert locked(context.records, mixed) == set(kept)

    def ranks() -> set[int]:
        standing = context.records.published_run(mixed)
        return {one.task for one in context.records.queue(mixed, standing.number)} if standing else set()

    backend.eventually(lambda: not ranks().intersection(kept), 60, "a stand-in for the locked seed")
    stand_ins = ranks().difference(one.task for one in queue)
    assert stand_ins
    assert {told[task]["patient"] for task in stand_ins}.isdisjoint(told[task]["patient"] for task in kept)
    (annotator,) = annotators(mixed, 1)
    served = {one.task for one in annotator.work(40)}
    assert served == set(told) - set(kept)  # to the last task, where the order is at random
    gathered = gather(context, mixed)
    assert [one.task for one in gathered.locked] == [kept[-1]]
    assert not set(kept).intersection(one.task for one in gathered.training)
    assert backend.context.studio.call("GET", f"/api/projects/{mixed}/next", missing_ok=True) is None

    opened = locking.unlock(context, mixed)
    assert opened.tasks == tuple(kept)
    with pytest.raises(NothingLocked):
        locking.unlock(context, mixed)
    assert {one.task for one in annotator.work(40)} == set(kept[:-1])


@pytest.mark.slow
def test_what_is_read_in_common_is_locked_and_opened_too(
    backend: Backend, mixed: int, annotators: Callable[[int, int], list[Annotator]]
) -> None:
    context, studio = backend.context, backend.context.studio

    def served() -> dict[int, tuple[int, bool]]:
        """{task of the list: its overlap, whether it is finished}."""
        return {t: (e["overlap"], e["is_labeled"]) for t, e in demand.stored(studio, mixed, common).items()}

    backend.seed(mixed, budget=4)
    common = overlaps.share_reading(context, mixed, 2, first=2, share=0).tasks
    (reader,) = annotators(mixed, 1)
    assert [one.task for one in reader.work(1)] == [common[0]]
    longer = backend.ended(seeding.request_extension(context, mixed, 6))
    assert publish.tasks_with_version(studio, mixed, longer.version) >= set(common)  # its second reader comes to it

    locking.lock(context, mixed, tasks=common)
    assert served() == dict.fromkeys(common, (0, True))
    overlaps.release(context, mixed)
    assert served() == dict.fromkeys(common, (0, True))
    studio.call("PATCH", f"/api/projects/{mixed}/", json={"maximum_annotations": 2})  # gives every task an overlap of 2
    body = {"action": "TASKS_CREATED", "project": {"id": mixed}, "tasks": [{"id": common[0]}]}
    assert backend.post("/webhook", body).status_code == 202
    backend.eventually(lambda: served() == dict.fromkeys(common, (0, True)), 60, "the locked list closed again")
    studio.call("POST", f"/api/tasks/{common[1]}/annotations/", json={"result": ANSWER})
    locking.unlock(context, mixed)
    assert served() == dict.fromkeys(common, (1, True))  # both are read once, as they were to be


@pytest.mark.slow
def test_a_dry_run_is_published_without_what_was_locked_since(backend: Backend, mixed: int) -> None:
    context = backend.context
    dry = backend.ended(backend.request(mixed, budget=4, audit=3, dry_run=True))
    queue = context.records.queue(mixed, dry.number)
    apart = [next(one.task for one in queue if one.audit == drawn) for drawn in (True, False)]
    locking.lock(context, mixed, tasks=apart)
    with pytest.raises(TasksUnknown, match="1 of 1 tasks are labelled, locked"):
        chosen.request_publication(context, mixed, dry.number, apart[:1], [])
    run = backend.ended(chosen.request_publication(context, mixed, dry.number, [], apart[1:]))
    stands = [one.task for one in context.records.queue(mixed, run.number)]
    assert (run.state, stands) == ("published", [one.task for one in queue if one.task not in apart])
    assert apart[0] not in {one.task for one in frozen(context.records, mixed)}


@pytest.mark.slow
def test_detach_leaves_a_project_as_it_was(backend: Backend, images: ImageServer) -> None:
    context, studio = backend.context, backend.context.studio
    project = backend.new_project(images.urls())
    kept = ("sampling", "model_version", "label_config", "maximum_annotations", "show_collab_predictions")

    def state() -> dict[str, Any]:
        told = backend.described(project)
        tasks = studio.call("GET", "/api/tasks", params={"project": project, "fields": "all", "page_size": 100})
        return {
            "project": {name: told[name] for name in kept},
            "tabs": pool.views(studio, project),
            "connections": connection.connections(studio, project),
            "webhooks": studio.call("GET", "/api/webhooks/", params={"project": project}),
            "tasks": [(one["id"], one["data"], one["overlap"], one["is_labeled"]) for one in tasks["tasks"]],
            "predictions": studio.call("GET", f"/api/projects/{project}/model-versions", params={"extended": "true"}),
        }

    before = state()
    backend.attach(project)
    queue = backend.seed(project, budget=4)
    locking.lock(context, project, where=f"id={queue[-1].task}")
    done = detaching.detach(context, project)
    assert (done.queue, done.unlocked, done.connections) == (True, 1, 1)
    assert state() == before
    again = detaching.detach(context, project)
    assert (again.queue, again.unlocked, again.connections, again.webhooks) == (False, 0, 0, 0)
    assert seeding.status(context, project).published is None
