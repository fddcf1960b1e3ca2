"""What learning meets in the field: bursts, lost events, labels that tell little or nothing, annotations that go."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from annotating import served, submit
from image_server import ImageServer
from running import Backend, Eventually
from taught import SECONDS, Annotators, Taught, teach
from truth import Truth, choice, ultrasound_kinds

from seedqueue.backend import learning, learning_jobs

PAYLOAD = Path(__file__).resolve().parents[1] / "payloads/ANNOTATION_CREATED.json"


@pytest.fixture(scope="module")
def truth(test_data: Path) -> Truth:
    return ultrasound_kinds(test_data, 60)


@pytest.fixture(scope="module")
def ultrasound(truth: Truth) -> Iterator[ImageServer]:
    with served(truth) as server:
        yield server


@pytest.fixture
def make(backend: Backend, ultrasound: ImageServer, truth: Truth, annotators: Annotators) -> Callable[..., Taught]:
    """`make(count, budget=...)`: a project over so many images with its seed queue."""
    return lambda count, **choices: teach(backend, ultrasound, truth, annotators, count, **choices)


def event(project: int, task: int, annotation: int) -> dict[str, Any]:
    """ANNOTATION_CREATED as Label Studio sends it."""
    body: dict[str, Any] = json.loads(PAYLOAD.read_text())["body"]
    body["project"]["id"], body["task"]["id"], body["annotation"]["id"] = project, task, annotation
    return body


@pytest.mark.soak
def test_a_burst_of_events_causes_few_trainings_and_loses_no_annotation(make: Callable[..., Taught]) -> None:
    taught = make(60, budget=3)
    taught.expert.work(3)
    known = len(taught.learnt(3).annotations)
    before, jobs, tasks = len(taught.versions()), taught.jobs(), taught.unlabelled()[:30]
    posted = [event(taught.project, task, number) for number, task in enumerate(tasks * 17, start=10**6)][:500]
    with ThreadPoolExecutor(8) as threads:
        answered = threads.submit(taught.expert.answer, tasks)
        codes = list(threads.map(lambda body: taught.backend.post("/webhook", body).status_code, posted))
        annotations = answered.result()
    assert codes == [202] * 500
    last = taught.learnt(known + 30)
    assert set(annotations.values()) < {number for number, _ in last.annotations}
    assert last.promoted
    assert len(taught.versions()) - before <= 3
    assert taught.jobs() - jobs <= 30  # one a look, and one each 2 seconds while events come


def test_annotations_whose_events_were_lost_are_found_by_the_periodic_look(make: Callable[..., Taught]) -> None:
    taught = make(12, budget=3)
    taught.expert.work(3)
    taught.learnt(3)
    context = taught.backend.context
    [hook] = context.studio.call("GET", "/api/webhooks/", params={"project": taught.project})
    context.studio.call("DELETE", f"/api/webhooks/{hook['id']}/")
    taught.expert.work(2)
    with context.broker.lock(f"learn-{taught.project}"):  # a look is under way
        learning_jobs.tick(context, taught.project)
        assert not context.broker.is_set(f"learn-{taught.project}")
    learning_jobs.tick(context, taught.project)  # each minute, as part of the reconciliation
    assert len(taught.learnt(5).annotations) == 5


@pytest.mark.soak
def test_one_class_and_fewer_labels_than_classes_make_a_version_that_says_so(make: Callable[..., Taught]) -> None:
    taught = make(12, budget=4)
    one, other = taught.seeds[:2]
    submit(taught.expert.annotator.studio, one, choice("benign"))
    assert "1 labelled tasks for linear" in taught.train()
    assert taught.versions() == []
    submit(taught.expert.annotator.studio, other, choice("benign"))
    assert taught.train().startswith("trained: linear-1 learnt from 2 tasks: unaudited")
    [version] = taught.versions()
    assert (version.per_class, version.audited) == ((2, 0, 0), False)
    assert version.primary["value"] is None
    assert version.primary["reason"]
    [[prediction]] = taught.predict(taught.seeds[2])
    assert prediction["result"][0]["value"] == {"choices": ["benign"]}


@pytest.mark.slow
def test_labels_that_left_the_config_and_deleted_tasks_are_left_out(make: Callable[..., Taught]) -> None:
    taught = make(12, budget=4)
    studio = taught.expert.annotator.studio
    stray = submit(studio, taught.seeds[0], choice("cyst"))
    annotations = taught.expert.answer(taught.seeds[1:])
    gone = annotations.pop(taught.seeds[3])
    studio.call("DELETE", f"/api/tasks/{taught.seeds[3]}/")
    body = event(taught.project, taught.seeds[3], gone)  # told late, of what is no more
    assert taught.backend.post("/webhook", body).status_code == 202
    taught.train()  # of itself it would wait for the seed that has the deleted one's rank now
    version = taught.learnt(2)
    assert {number for number, _ in version.annotations} == set(annotations.values())
    assert stray not in {number for number, _ in version.annotations}
    assert taught.serving() == [version.name]
    [problem] = learning.overview(taught.backend.context, taught.project).problems
    assert (problem.annotation, "'cyst'" in problem.reason) == (stray, True)


@pytest.mark.soak
def test_the_last_version_stays_in_service_when_all_annotations_are_deleted(
    make: Callable[..., Taught], eventually: Eventually
) -> None:
    taught = make(12, budget=3)
    answered = taught.expert.work(3)
    version = taught.learnt(3)
    for one in answered:
        taught.expert.annotator.studio.call("DELETE", f"/api/annotations/{one.annotation}/")
    taught.still()
    assert taught.train().startswith("failed: There is nothing to train")
    assert "0 labelled tasks for linear" in taught.last_message()
    assert taught.serving() == [version.name]
    [[prediction]] = taught.predict(taught.seeds[0])
    assert prediction["model_version"] == version.name
    assert taught.backend.get(f"/api/projects/{taught.project}/learning").status_code == 200
    taught.expert.work(3)  # the same tasks again
    eventually(lambda: len(taught.versions()) == 2, SECONDS, "a version of the new annotations")
