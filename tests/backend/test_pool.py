"""The image's field, from label configs as Label Studio parses them, and the pages of a task list."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from seedqueue.backend.errors import ProjectNotFound
from seedqueue.backend.label_studio import Studio
from seedqueue.backend.pool import image_key_of, pages
from seedqueue.backend.pool_errors import NoImageInLabelConfig


def config(*inputs: dict[str, Any]) -> dict[str, Any]:
    return {"choice": {"type": "Choices", "to_name": ["x"], "inputs": list(inputs), "labels": []}}


def test_the_image_key_of_a_recorded_project(payload: Callable[[str], Any]) -> None:
    assert image_key_of(payload("PROJECT_UPDATED")["project"]["parsed_label_config"], 1) == "image"


def test_the_image_is_found_beside_other_objects() -> None:
    text, image = {"type": "Text", "value": "report"}, {"type": "image", "value": "scan"}
    assert image_key_of(config(text, image), 1) == "scan"
    assert image_key_of({**config(text), "mask": {"inputs": [image]}}, 1) == "scan"


@pytest.mark.parametrize(
    ("parsed", "reason"),
    [
        ({}, "no control that labels an object"),
        ({"choice": {"type": "Choices"}}, "no control that labels an object"),
        (config({"type": "Text", "value": "t"}, {"type": "Audio", "value": "a"}), "its objects are: Audio, Text"),
        (config({"type": "Image", "value": ""}), "its Image tag has no value"),
        (config({"type": "Image", "value": None}), "its Image tag has no value"),
    ],
)
def test_no_image_in_the_label_config(parsed: dict[str, Any], reason: str) -> None:
    with pytest.raises(NoImageInLabelConfig, match=f"project 3 has no usable .*{reason}"):
        image_key_of(parsed, 3)


def of_two_pages(there: int) -> Studio:
    """A Label Studio that tells of two tasks, a page each, of which so many pages are there when asked."""

    def answer(request: httpx.Request) -> httpx.Response:
        page = int(request.url.params["page"])
        if page > there:
            return httpx.Response(404, json={"detail": "Invalid page."})
        return httpx.Response(200, json={"tasks": [{"id": page}], "total": 2})

    studio = Studio("http://label-studio", "a" * 40)
    studio.http = httpx.Client(transport=httpx.MockTransport(answer))
    return studio


def test_all_pages_are_asked_for() -> None:
    assert pages(of_two_pages(2), 3, {}) == [[{"id": 1}], [{"id": 2}]]


def test_a_later_page_whose_tasks_were_deleted_meanwhile_is_the_end() -> None:
    assert pages(of_two_pages(1), 3, {}) == [[{"id": 1}]]


def test_a_first_page_that_is_not_there_is_a_project_that_is_not_there() -> None:
    with pytest.raises(ProjectNotFound, match="Project 3"):
        pages(of_two_pages(0), 3, {})
