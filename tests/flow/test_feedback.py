"""What Label Studio's model card says meanwhile, and that saying it disturbs neither the queue nor its predictions."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from image_server import ImageServer
from running import Backend, Eventually

from seedqueue.backend import connection, serving
from seedqueue.backend.demo.annotator import Annotator

Annotators = Callable[[int, int], list[Annotator]]
IN_PLACE = "seed queue 1 is in place, nothing trained yet"


class Card:
    """The connection's card as Label Studio has it; looking at it makes Label Studio ask the backend anew."""

    def __init__(self, backend: Backend, project: int) -> None:
        self.backend, self.project = backend, project

    def read(self) -> dict[str, Any]:
        [found] = self.backend.context.studio.call("GET", "/api/ml", params={"project": self.project})
        assert (found["readable_state"], found["error_message"]) == ("Connected", None)
        return dict(found)

    def says(self) -> str:
        return str(self.read()["model_version"])

    def eventually(self, words: str) -> None:
        self.backend.eventually(lambda: words in self.says(), 60, f"{words!r} on the card")

    def press(self, extra_params: object = None) -> None:
        """Start Training."""
        studio = self.backend.context.studio
        attached = connection.find(studio, self.project, self.backend.url)
        assert attached is not None
        if extra_params is not None:
            change = {"url": attached.url, "project": self.project, "extra_params": extra_params}
            studio.call("PATCH", f"/api/ml/{attached.number}", json=change)
        studio.call("POST", f"/api/ml/{attached.number}/train", json={})


@pytest.fixture
def card(backend: Backend, project: int) -> Card:
    return Card(backend, project)


def test_start_training_is_seen_within_a_second_and_then_all_the_way(
    card: Card, images: ImageServer, backend: Backend
) -> None:
    assert card.says() == "untrained"
    images.gate.clear()
    card.press()
    began = time.monotonic()
    first = card.says()
    assert time.monotonic() - began < 1
    assert first != "untrained"
    card.eventually("seed queue 1: embedding 0 of 40")
    images.gate.set()
    card.eventually(IN_PLACE)
    # A look during the switch may have written the old title back: the tidying mends it.
    backend.eventually(lambda: card.read()["title"] == "Seed queue 1", 60, "the queue's name on the card")
    assert backend.described(card.project)["model_version"] == "Seed queue 1"


@pytest.mark.slow
def test_a_title_that_was_written_back_is_mended(card: Card, backend: Backend, project: int) -> None:
    backend.seed(project, budget=4)
    context, run = backend.context, backend.context.records.published_run(project)
    assert run is not None
    attached = connection.find(context.studio, project, backend.url)
    assert attached is not None
    connection.rename(context.studio, project, attached, "seedqueue")
    serving.name_again(context, run)
    assert card.read()["title"] == backend.described(project)["model_version"] == "Seed queue 1"


@pytest.mark.slow
def test_the_order_holds_while_the_version_text_changes(
    card: Card, backend: Backend, project: int, images: ImageServer, annotators: Annotators
) -> None:
    first = [one.task for one in backend.seed(project, budget=8)]
    [annotator] = annotators(project, 1)
    card.eventually(IN_PLACE)
    assert [one.task for one in annotator.work(2)] == first[:2]
    images.gate.clear()
    second = backend.request(project, embedder="pixels", budget=6)
    card.eventually("seed queue 2: embedding 0 of")
    assert [one.task for one in annotator.work(2)] == first[2:4]
    assert backend.described(project)["model_version"] == card.read()["title"] == "Seed queue 1"
    images.gate.set()
    assert backend.ended(second).state == "published"
    queue = [one.task for one in backend.context.records.queue(project, second.number)]
    card.eventually("seed queue 2 is in place")
    assert [one.task for one in annotator.work(3)] == queue[:3]
    stored = backend.context.studio.call("GET", "/api/predictions/", params={"task": queue[0]})
    assert {one["model_version"] for one in stored} <= {"Seed queue 1", "Seed queue 2"}


@pytest.mark.slow
def test_a_training_in_vain_is_told_and_the_queue_goes_on(
    card: Card, backend: Backend, project: int, annotators: Annotators
) -> None:
    queue = [one.task for one in backend.seed(project, budget=6)]
    [annotator] = annotators(project, 1)
    card.press()
    card.eventually("learning failed: There is nothing to train")
    assert "0 labelled tasks" in card.says()
    assert [one.task for one in annotator.work(3)] == queue[:3]


@pytest.mark.slow
def test_a_run_that_fails_tells_its_reason_and_the_queue_goes_on(
    card: Card, backend: Backend, project: int, annotators: Annotators
) -> None:
    queue = [one.task for one in backend.seed(project, budget=6)]
    assert backend.ended(backend.request(project, embedder="txrv", budget=2)).state == "failed"
    card.eventually("seed queue 2 failed: ")
    assert "weights" in card.says()
    [annotator] = annotators(project, 1)
    assert [one.task for one in annotator.work(3)] == queue[:3]


@pytest.mark.slow
def test_wrong_params_are_told_and_a_right_press_mends_it(card: Card, backend: Backend, project: int) -> None:
    card.press({"budget": 0})
    card.eventually("seed queue 1 failed: the budget is 0")
    broker = backend.context.broker
    double_click = broker.key("once", f"start-training-{project}")
    backend.eventually(lambda: not broker.redis.exists(double_click), 10, "a press that is no double click")
    card.press({"budget": 4})
    card.eventually("seed queue 2 is in place")


@pytest.mark.slow
def test_a_project_that_was_told_of_a_failure_can_be_attached_again(
    card: Card, backend: Backend, project: int, eventually: Eventually
) -> None:
    """The reason is words in a good answer: an error of /setup would refuse the connection."""
    assert backend.ended(backend.request(project, embedder="txrv", budget=2)).state == "failed"
    backend.attach(project)
    card.eventually("seed queue 1 failed: ")


@pytest.mark.slow
def test_undo_is_told(card: Card, backend: Backend, project: int) -> None:
    backend.seed(project, budget=2)
    card.eventually(IN_PLACE)
    assert backend.delete(f"/api/projects/{project}/queue").status_code == 200
    card.eventually("untrained")
    assert card.read()["title"] == connection.TITLE
