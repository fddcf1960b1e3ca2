"""Fields of task data in a seed queue: patients as groups, a report's words as weak labels."""

from __future__ import annotations

import pytest
from image_server import ImageServer
from running import Backend

from seedqueue.backend.demo.project import create_project
from seedqueue.backend.records import QueuedTask

PATIENTS = 5


@pytest.fixture
def project(backend: Backend, images: ImageServer) -> int:
    """Forty images of five patients, numbers in their data; a report that mentions a finding in two."""
    project = create_project(backend.context.studio, "with fields")
    data = [
        {
            "image": uri,
            "patient": {"number": number % PATIENTS},
            "report": "A small effusion." if number in (7, 22) else "No effusion.",
        }
        for number, uri in enumerate(images.urls()[:40])
    ]
    backend.context.studio.call("POST", f"/api/projects/{project}/import", json=data)
    return project


def reports(backend: Backend, project: int) -> dict[int, dict[str, object]]:
    params = {"project": project, "page_size": 100, "fields": "task_only", "include": "id,data"}
    tasks = backend.context.studio.call("GET", "/api/tasks", params=params)["tasks"]
    return {task["id"]: task["data"] for task in tasks}


@pytest.mark.slow
def test_one_image_of_each_patient(backend: Backend, project: int) -> None:
    known = reports(backend, project)

    def patients(queue: list[QueuedTask]) -> list[object]:
        return [known[task.task]["patient"]["number"] for task in queue]  # type: ignore[index]

    first = backend.seed(project, budget=3, group_field="patient.number")
    assert len(set(patients(first))) == 3
    run = backend.ended(backend.request(project, budget=8, group_field="patient.number"))
    assert run.warnings[0] == "8 tasks requested, 5 are in the queue: at most 1 with the same patient.number"
    assert sorted(patients(backend.context.records.queue(project, run.number))) == list(range(PATIENTS))
    twice = backend.seed(project, budget=8, group_field="patient.number", per_group=2)
    assert max(map(patients(twice).count, range(PATIENTS))) == 2


@pytest.mark.slow
def test_a_rare_finding_of_the_reports_comes_first(backend: Backend, project: int) -> None:
    known = reports(backend, project)
    queue = backend.seed(project, budget=7, selector="weak-label", weak_label="keywords:report:effusion")
    found = [known[task.task]["report"] == "A small effusion." for task in queue]
    assert any(found[:2])
    assert sum(found) == 2  # all there are


@pytest.mark.slow
def test_a_field_that_no_task_has_fails_the_run_with_its_name(backend: Backend, project: int) -> None:
    run = backend.ended(backend.request(project, budget=3, group_field="person"))
    assert run.state == "failed"
    assert run.error.startswith("No image has a value in the field 'person'")


@pytest.mark.slow
def test_choices_that_a_seed_queue_cannot_feed_are_refused_at_once(backend: Backend, project: int) -> None:
    for choices, message in (
        ({"selector": "weak-label"}, "needs a weak label to go by"),
        ({"selector": "weak-label", "weak_label": "nonsense"}, "give findings, field:NAME or keywords"),
        ({"per_group": 0}, "per_group is 0; give a whole number of at least 1"),
        ({"near_duplicate": "close"}, "near_duplicate is 'close'; give a number from 0 to 1"),
    ):
        answer = backend.post(f"/api/projects/{project}/seed", json={"budget": 3, **choices})
        assert answer.status_code == 422
        assert message in answer.text
