"""The pool as Label Studio lists it: all tasks, in few requests, or those of one Data Manager tab."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from image_server import ImageServer
from running import Backend

from seedqueue.backend.demo.label_studio import LabelStudioServer
from seedqueue.backend.demo.project import create_project
from seedqueue.backend.label_studio import Studio
from seedqueue.backend.pool import PoolTask, list_pool
from seedqueue.backend.pool_errors import EmptyProject, TabNotFound

pytestmark = pytest.mark.slow

TASKS = 3000
CONFIG = """
<View>
  <Text name="report" value="$report"/>
  <Image name="picture" value="$scan"/>
  <Choices name="finding" toName="picture"><Choice value="finding"/></Choices>
</View>
"""


@pytest.fixture(scope="module")
def studio(label_studio: LabelStudioServer) -> Iterator[Studio]:
    with closing(Studio(label_studio.url, label_studio.token)) as opened:
        yield opened


@pytest.fixture(scope="module")
def big_project(studio: Studio) -> int:
    """3,000 tasks with a decoy field, every tenth of the right side."""
    project = create_project(studio, "big", CONFIG)
    data = [
        {
            "scan": f"http://scans.invalid/{number}.png",
            "image": f"http://decoy.invalid/{number}.png",
            "report": "none",
            "side": "left" if number % 10 else "right",
        }
        for number in range(TASKS)
    ]
    studio.call("POST", f"/api/projects/{project}/import", json=data)
    return project


def make_tab(studio: Studio, project: int, title: str, **layout: Any) -> int:
    body = {"project": project, "data": {"title": title, **layout}}
    return int(studio.call("POST", "/api/dm/views", json=body)["id"])


def only(field: str, value: str) -> dict[str, Any]:
    """A tab's filter: one column equals a text."""
    item = {"filter": f"filter:tasks:{field}", "operator": "equal", "type": "String", "value": value}
    return {"conjunction": "and", "items": [item]}


def numbers(pool: list[PoolTask]) -> list[int]:
    """The number that each task's URI ends in."""
    return [int(task.uri.rpartition("/")[2].removesuffix(".png")) for task in pool]


def test_three_thousand_tasks_are_listed_in_four_requests(studio: Studio, big_project: int) -> None:
    asked: list[str] = []
    studio.http.event_hooks = {"request": [lambda request: asked.append(request.url.path)]}
    pool = list_pool(studio, big_project)
    studio.http.event_hooks = {}
    assert asked == [f"/api/projects/{big_project}"] + ["/api/tasks"] * 3
    assert numbers(pool) == list(range(TASKS))
    assert len({task.task for task in pool}) == TASKS
    assert {task.uri.split("/")[2] for task in pool} == {"scans.invalid"}  # $scan of the label config, not $image
    assert not any(task.labelled for task in pool)


def test_a_tab_narrows_the_pool_by_title_and_by_number(studio: Studio, big_project: int) -> None:
    tab = make_tab(studio, big_project, "Right side", filters=only("data.side", "right"))
    wanted = list(range(0, TASKS, 10))
    assert numbers(list_pool(studio, big_project, "Right side")) == wanted
    assert numbers(list_pool(studio, big_project, str(tab))) == wanted


def test_tabs_of_one_title_are_told_apart_by_number(studio: Studio, big_project: int) -> None:
    first = make_tab(studio, big_project, "New Tab", filters=only("data.side", "right"))
    second = make_tab(studio, big_project, "New Tab", filters=only("data.side", "left"))
    assert len(list_pool(studio, big_project, str(first))) == TASKS // 10
    assert len(list_pool(studio, big_project, str(second))) == TASKS - TASKS // 10


def test_a_sorted_tab_is_listed_whole(studio: Studio, big_project: int) -> None:
    make_tab(studio, big_project, "Sorted", ordering=["-tasks:data.side"])
    assert sorted(numbers(list_pool(studio, big_project, "Sorted"))) == list(range(TASKS))


def test_an_image_inside_another_field_is_found(studio: Studio) -> None:
    project = create_project(studio, "nested", CONFIG.replace("$scan", "$scan.front"))
    data = {"report": "", "image": "decoy", "scan": {"side": "x.png", "front": "http://scans.invalid/0.png"}}
    studio.call("POST", f"/api/projects/{project}/import", json=[data])
    assert numbers(list_pool(studio, project)) == [0]


def test_an_unknown_tab_is_told_with_the_known_ones(studio: Studio) -> None:
    project = create_project(studio, "tabs", CONFIG)
    with pytest.raises(TabNotFound, match="no Data Manager tab 'Lungs'; it has: none"):
        list_pool(studio, project, "Lungs")
    tab = make_tab(studio, project, "Hearts")
    for missing in ("Lungs", str(tab + 1)):
        with pytest.raises(TabNotFound, match=rf"tab '{missing}'; it has: Hearts \({tab}\)"):
            list_pool(studio, project, missing)


def test_a_seed_over_a_tab_takes_tasks_of_the_tab_alone(backend: Backend, images: ImageServer) -> None:
    studio = backend.context.studio
    project = create_project(studio, "tab", CONFIG)
    uris = images.urls()[:8]
    data = [{"scan": uri, "image": "decoy", "report": "", "side": "left"} for uri in uris]
    for one in data[:5]:
        one["side"] = "right"
    studio.call("POST", f"/api/projects/{project}/import", json=data)
    make_tab(studio, project, "Right side", filters=only("data.side", "right"))
    make_tab(studio, project, "Nothing", filters=only("data.side", "middle"))
    queue = backend.seed(project, budget=4, tab="Right side")
    assert len(queue) == 4
    assert {task.uri for task in queue} <= set(uris[:5])
    assert sum(images.hits.values()) == 5
    empty = backend.ended(backend.request(project, budget=1, tab="Nothing"))
    assert empty.error == str(EmptyProject(project, "Nothing"))
    unknown = backend.ended(backend.request(project, budget=1, tab="Lungs"))
    assert "no Data Manager tab 'Lungs'; it has: " in unknown.error
    assert "Right side (" in unknown.error
