"""What sets a queue going, and what Label Studio asks meanwhile: Start Training, events, live pre-annotations."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from threading import Thread
from typing import Any

import pytest
import uvicorn
from image_server import ImageServer
from running import CHOICE, Backend, Eventually

from seedqueue.backend import connection, publish, seeding
from seedqueue.backend.app import create_app
from seedqueue.backend.children import free_port
from seedqueue.backend.context import Context
from seedqueue.backend.demo.annotator import Annotator

Annotators = Callable[[int, int], list[Annotator]]


@pytest.mark.parametrize("quoted", [False, True])
def test_start_training_seeds_with_the_connections_extra_params(
    backend: Backend, project: int, quoted: bool, eventually: Eventually
) -> None:
    wanted = {"budget": 5, "selector": "uniform"}
    backend.start_training(project, json.dumps(wanted) if quoted else wanted)
    records = backend.context.records
    eventually(lambda: records.published_run(project), 60, "a published run")
    run = records.published_run(project)
    assert run is not None
    assert (run.choices.budget, run.choices.selector) == (5, "uniform")
    assert len(records.queue(project, run.number)) == 5


def test_start_training_without_params_takes_the_settings(
    backend: Backend, project: int, eventually: Eventually
) -> None:
    backend.start_training(project)
    records = backend.context.records
    eventually(lambda: records.published_run(project), 60, "a published run")
    run = records.published_run(project)
    assert run is not None
    assert run.choices.budget == backend.context.settings.budget
    assert run.choices.embedder == "hog"


def test_wrong_extra_params_are_shown_in_the_status(backend: Backend, project: int, eventually: Eventually) -> None:
    backend.start_training(project, {"budget": 0})
    eventually(lambda: seeding.status(backend.context, project).run, 60, "a recorded failure")
    run = seeding.status(backend.context, project).run
    assert run is not None
    assert run.state == "failed"
    assert "budget is 0" in run.error


def test_rest_seeds_shows_and_undoes(backend: Backend, project: int, eventually: Eventually) -> None:
    asked = backend.post(f"/api/projects/{project}/seed", {"budget": 4})
    assert asked.status_code == 202
    again = backend.post(f"/api/projects/{project}/seed", {"budget": 4})
    assert again.status_code == 202
    assert again.json()["number"] in (1, 2)  # 1 unless the first was published in between
    eventually(lambda: backend.get(f"/api/projects/{project}").json()["published"], 60, "a published queue")
    queue = backend.get(f"/api/projects/{project}/queue").json()["queue"]
    assert [task["rank"] for task in queue] == [1, 2, 3, 4]
    extended = backend.post(f"/api/projects/{project}/extend", {"budget": 6})
    assert extended.status_code == 202
    eventually(lambda: len(backend.get(f"/api/projects/{project}/queue").json()["queue"]) == 6, 60, "six tasks")
    assert backend.post(f"/api/projects/{project}/train").status_code == 202  # in vain, as nothing is labelled yet
    told = f"/api/projects/{project}/learning"
    eventually(lambda: backend.get(told).json()["last"], 60, "the end of the training")
    assert "0 labelled tasks for linear" in backend.get(told).json()["last"]["message"]
    assert backend.get(f"/api/projects/{project}/versions").json() == {"versions": []}
    assert backend.delete(f"/api/projects/{project}/queue").status_code == 200
    assert backend.get(f"/api/projects/{project}/queue").status_code == 404


class StubHead:
    """A head that has learnt one answer."""

    def version(self, project: int | None) -> str:
        return "linear-3"

    def versions(self) -> list[str]:
        return ["linear-3"]

    def predict(
        self, project: int | None, tasks: Sequence[Mapping[str, Any]], label_config: str
    ) -> list[list[dict[str, Any]]]:
        return [[{"result": CHOICE, "score": 0.9, "model_version": "linear-3"}] for _ in tasks]


@pytest.fixture
def url_with_a_head(backend: Backend) -> Iterator[str]:
    """The app with a trained head, over the same Redis and home as the running backend."""
    port = free_port()
    settings = replace(backend.context.settings, backend_url=f"http://127.0.0.1:{port}")
    with Context(settings) as context:
        app = create_app(context, StubHead())
        server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning"))
        thread = Thread(target=server.run)
        thread.start()
        backend.eventually(lambda: server.started, 30, "the app")
        yield settings.backend_url
        server.should_exit = True
        thread.join()


def test_live_pre_annotations_are_shown_in_the_queue(
    backend: Backend, images: ImageServer, url_with_a_head: str, annotators: Annotators
) -> None:
    studio = backend.context.studio
    project = backend.new_project(images.urls()[:8])
    attached = connection.attach(studio, project, url_with_a_head)
    tasks = sorted(task["id"] for task in studio.call("GET", "/api/tasks", params={"project": project})["tasks"])
    queue = [tasks[5], tasks[2]]
    publish.import_scores(studio, project, "Seed queue 1", publish.seed_scores(queue))
    publish.switch(studio, project, "Seed queue 1", attached)
    [annotator] = annotators(project, 1)
    for wanted in queue:
        served = annotator.next_task()
        assert served is not None
        assert served["id"] == wanted
        assert [one["model_version"] for one in served["predictions"]] == ["linear-3"]
        assert served["predictions"][0]["result"] == CHOICE
        annotator.submit(wanted)


def test_without_a_head_nothing_is_stored_for_a_served_task(
    backend: Backend, project: int, annotators: Annotators
) -> None:
    queue = backend.seed(project, budget=2)
    [annotator] = annotators(project, 1)
    served = annotator.next_task()
    assert served is not None
    assert served["predictions"] == []
    stored = backend.context.studio.call("GET", "/api/predictions/", params={"task": queue[0].task})
    assert [one["model_version"] for one in stored] == ["Seed queue 1"]
