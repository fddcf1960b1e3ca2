"""What the admin's page asks for, on a real Label Studio: projects, dry runs, changes by hand, the map, reasons."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from image_server import ImageServer
from PIL import Image
from running import CHOICE, Backend

from seedqueue.backend.demo.annotator import Annotator

Annotators = Callable[[int, int], list[Annotator]]


def dry_run(backend: Backend, project: int, **choices: Any) -> dict[str, Any]:
    """Ask for one over REST, wait until it has chosen, and give what its route tells."""
    asked = backend.post(f"/api/projects/{project}/seed", {**choices, "dry_run": True})
    assert asked.status_code == 202, asked.text
    number = asked.json()["number"]
    run = backend.context.records.run(project, number)
    assert run is not None
    assert backend.ended(run).state == "chosen"
    told: dict[str, Any] = backend.get(f"/api/projects/{project}/runs/{number}/queue").json()
    return told


def published(backend: Backend, project: int, number: int, **changes: list[int]) -> dict[str, Any]:
    """Publish a run with changes over REST, wait, and give the new one's queue."""
    answer = backend.post(f"/api/projects/{project}/runs/{number}/publish", changes)
    assert answer.status_code == 202, answer.text
    run = backend.context.records.run(project, answer.json()["number"])
    assert run is not None
    ended = backend.ended(run)
    assert ended.state == "published", ended.error
    told: dict[str, Any] = backend.get(f"/api/projects/{project}/queue").json()
    return told


def map_of(backend: Backend, project: int, run: int) -> dict[str, Any]:
    """The map once it shows this run."""

    def found() -> dict[str, Any] | None:
        answer = backend.get(f"/api/projects/{project}/map")
        return answer.json() if answer.status_code == 200 and answer.json()["run"] == run else None

    drawn: dict[str, Any] | None = backend.eventually(found, 60, f"the map of run {run}")
    assert drawn is not None
    return drawn


def tasks_of(told: dict[str, Any]) -> list[int]:
    return [one["task"] for one in told["queue"]]


def test_a_dry_run_changes_nothing_in_label_studio_and_is_published_as_it_was_shown(
    backend: Backend, project: int, annotators: Annotators
) -> None:
    before = backend.described(project)
    shown = dry_run(backend, project, budget=6)
    assert len(shown["queue"]) == 6
    after = backend.described(project)
    for name in ("sampling", "model_version", "total_predictions_number"):
        assert after[name] == before[name]
    assert backend.context.records.published_run(project) is None
    stands = published(backend, project, shown["run"]["number"])
    assert stands["queue"] == shown["queue"]
    assert stands["run"]["copies"] == shown["run"]["number"]
    [annotator] = annotators(project, 1)
    assert [one.task for one in annotator.work(6)] == tasks_of(shown)
    refused = backend.post(f"/api/projects/{project}/runs/{stands['run']['number']}/publish", {})
    assert (refused.status_code, refused.json()["error"]) == (422, "NothingChanged")


@pytest.mark.slow
def test_tasks_added_and_taken_out_by_hand(backend: Backend, project: int, annotators: Annotators) -> None:
    queue = [one.task for one in backend.seed(project, budget=5)]
    drawn = map_of(backend, project, 1)
    others = [task for task in drawn["tasks"] if task not in queue][:2]
    stands = published(backend, project, 1, add=others, remove=[queue[0]])
    assert tasks_of(stands) == [*queue[1:], *others]
    assert [one["rank"] for one in stands["queue"]] == [1, 2, 3, 4, 5, 6]
    assert [one["by_hand"] for one in stands["queue"]] == [False] * 4 + [True] * 2
    [annotator] = annotators(project, 1)
    assert [one.task for one in annotator.work(6)] == tasks_of(stands)
    number = stands["run"]["number"]
    refused = backend.post(f"/api/projects/{project}/runs/{number}/publish", {"add": [999_999]})
    assert (refused.status_code, refused.json()["error"]) == (422, "TasksUnknown")
    assert "999999" in refused.json()["message"]
    [labelled] = [one.task for one in annotators(project, 1)[0].work(1)]
    refused = backend.post(f"/api/projects/{project}/runs/{number}/publish", {"add": [labelled]})
    assert (refused.status_code, refused.json()["error"]) == (422, "TasksUnknown")
    refused = backend.post(f"/api/projects/{project}/runs/{number}/publish", {"remove": others[:1]})
    assert (refused.status_code, refused.json()["error"]) == (422, "NothingLeft")  # all six were labelled above
    refused = backend.post(f"/api/projects/{project}/runs/1/publish", {"add": [queue[0]]})
    assert (refused.status_code, refused.json()["error"]) == (409, "NotPublishable")


@pytest.mark.slow
def test_the_map_tells_what_is_known_of_every_task(backend: Backend, project: int, annotators: Annotators) -> None:
    queue = [one.task for one in backend.seed(project, budget=5)]
    drawn = map_of(backend, project, 1)
    assert (len(drawn["tasks"]), drawn["method"]) == (40, "t-SNE")
    assert {len(drawn[name]) for name in ("x", "y", "cluster", "label", "round", "nearest_labelled")} == {40}
    assert all(0 <= value <= 1 for value in drawn["x"] + drawn["y"])
    rank = dict(zip(drawn["tasks"], drawn["cluster"], strict=True))
    assert [rank[task] for task in queue] == [1, 2, 3, 4, 5]  # a chosen task stands for itself
    assert set(drawn["nearest_labelled"]) == {None}
    [annotator] = annotators(project, 1)
    annotator.submit(queue[0], CHOICE)
    assert backend.post(f"/api/projects/{project}/map").status_code == 202

    def labelled() -> dict[str, Any] | None:
        again: dict[str, Any] = backend.get(f"/api/projects/{project}/map").json()
        return again if queue[0] in again["nearest_labelled"] else None

    again = backend.eventually(labelled, 60, "the map with the label")
    assert (again["x"], again["y"]) == (drawn["x"], drawn["y"])  # points stay where they were
    at = again["tasks"].index(queue[0])
    assert again["label"][at] == "finding"
    assert again["nearest_labelled"][at] is None  # the only labelled one is like no other
    assert {near for i, near in enumerate(again["nearest_labelled"]) if i != at} == {queue[0]}


@pytest.mark.slow
def test_why_a_task_stands_in_the_queue(backend: Backend, project: int) -> None:
    queue = backend.seed(project, budget=5)
    drawn = map_of(backend, project, 1)
    told = backend.get(f"/api/projects/{project}/tasks/{queue[2].task}/why").json()
    assert (told["rank"], told["weight"], told["represented_by"]) == (3, queue[2].weight, None)
    assert told["sentences"][0].startswith("Rank 3 of 5 in Seed queue 1, chosen by K-means")
    assert f"{queue[2].weight} image" in told["sentences"][0]
    assert told["url"].endswith(f"/projects/{project}/data?task={queue[2].task}")
    other = next(task for task in drawn["tasks"] if task not in {one.task for one in queue})
    told = backend.get(f"/api/projects/{project}/tasks/{other}/why").json()
    by = told["represented_by"]
    assert told["rank"] is None
    assert queue[by["rank"] - 1].task == by["task"]
    assert told["sentences"][0].startswith(f"Not in the queue: rank {by['rank']}, task {by['task']}, stands for it")


@pytest.mark.slow
def test_the_projects_are_those_to_which_this_backend_is_attached(backend: Backend, images: ImageServer) -> None:
    attached = backend.new_project(images.urls())
    backend.attach(attached)
    other = backend.new_project(images.urls())
    told = {one["id"]: one for one in backend.get("/api/projects").json()["projects"]}
    assert (told[attached]["tasks"], told[attached]["state"]) == (40, "no seed queue")
    assert other not in told
    backend.seed(attached, budget=4)
    [one] = [one for one in backend.get("/api/projects").json()["projects"] if one["id"] == attached]
    assert (one["state"], one["published"], one["budget"]) == ("published", 1, 4)
    backend.attach(other)  # seen at once, though it was believed not to be
    assert other in {one["id"] for one in backend.get("/api/projects").json()["projects"]}
    pool = backend.get(f"/api/projects/{attached}/pool").json()
    assert (pool["tasks"], pool["labelled"], pool["fields"]) == (40, 0, [])


@pytest.mark.slow
def test_thumbnails_are_small_and_of_the_project_alone(backend: Backend, project: int, images: ImageServer) -> None:
    queue = backend.seed(project, budget=4)
    answer = backend.get(f"/api/projects/{project}/tasks/{queue[0].task}/thumbnail")
    assert answer.headers["content-type"] == "image/jpeg"
    assert max(Image.open(io.BytesIO(answer.content)).size) <= 160
    other = backend.new_project(images.urls()[:1])
    refused = backend.get(f"/api/projects/{other}/tasks/{queue[0].task}/thumbnail")
    assert (refused.status_code, refused.json()["error"]) == (404, "TaskNotFound")
