"""The pool: a project's tasks with their image URIs, listed quickly and in whole."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from seedqueue.backend.field_values import text_of, value_of
from seedqueue.backend.label_studio import Studio
from seedqueue.backend.pool_errors import NoImageInLabelConfig, TabNotFound

PAGE = 1000
IDS = 400  # in one request: they stand in its address

Place = tuple[int, str]  # a task and the URI of its image


@dataclass(frozen=True)
class PoolTask:
    """One task: its id, the URI of its image as task data holds it, whether it has an annotation or a skip.

    fields: the fields of task data that were asked for, as far as the task has them. outside: of the tab or filter of
    the run that lists it; there because it is labelled.
    """

    task: int
    uri: str
    labelled: bool
    skipped: bool = False
    fields: Mapping[str, str] = field(default_factory=dict, hash=False)
    outside: bool = False


@dataclass(frozen=True)
class Described:
    """A project as one call tells it: the field of task data with the image, tasks without an annotation."""

    image_key: str
    unlabelled: int


def describe(studio: Studio, project: int) -> Described:
    """The label config's first `<Image value="$field"/>`, and how many tasks have no annotation.

    Raises `NoImageInLabelConfig`, `ProjectNotFound`.
    """
    found = studio.call("GET", f"/api/projects/{project}", project=project)
    key = image_key_of(found.get("parsed_label_config") or {}, project)
    return Described(key, found["task_number"] - found["num_tasks_with_annotations"])


def image_key_of(parsed_label_config: Mapping[str, Any], project: int) -> str:
    inputs = [i for control in parsed_label_config.values() for i in control.get("inputs", [])]
    values = [i.get("value") for i in inputs if str(i.get("type")).lower() == "image"]
    if not inputs:
        raise NoImageInLabelConfig(project, "it has no control that labels an object")
    if not values:
        kinds = ", ".join(sorted({str(i.get("type")) for i in inputs}))
        raise NoImageInLabelConfig(project, f"its objects are: {kinds}")
    if not values[0]:
        raise NoImageInLabelConfig(project, "its Image tag has no value")
    return str(values[0])


def list_pool(
    studio: Studio,
    project: int,
    tab: str | None = None,
    fields: Sequence[str] = (),
    items: Sequence[Mapping[str, Any]] = (),
) -> list[PoolTask]:
    """Every task of the project, or of one Data Manager tab, given by its title or number.

    fields: fields of task data to bring along. items: filters as `filtered` makes them, which all have to admit it.

    `fields=task_only` with these columns is what makes 10,000 tasks a matter of seconds; a task
    without the image field is listed with an empty URI, so that it can be counted as unreadable.
    """
    key = describe(studio, project).image_key
    params = _params(project)
    if tab is not None:
        params["view"] = find_tab(studio, project, tab)
    if items:
        params["query"] = json.dumps({"filters": {"conjunction": "and", "items": items}})
    listed = [_listed(entry, key, fields) for page in pages(studio, project, params) for entry in page]
    return list({one.task: one for one in listed}.values())


def tasks_of(studio: Studio, project: int, tasks: Collection[int], fields: Sequence[str] = ()) -> list[PoolTask]:
    """Those of these tasks that are there. Raises `NoImageInLabelConfig`, `ProjectNotFound`."""
    key = describe(studio, project).image_key
    return [_listed(entry, key, fields) for entry in entries_of(studio, project, tasks, _params(project))]


def entries_of(
    studio: Studio, project: int, tasks: Collection[int], params: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    """Those of these tasks that are there, as a list with such parameters tells them. Raises `ProjectNotFound`."""
    numbers = sorted(set(tasks))
    for start in range(0, len(numbers), IDS):
        items = [filtered("id", "in_list", "Number", numbers[start : start + IDS])]
        query = json.dumps({"filters": {"conjunction": "and", "items": items}})
        for page in page_by_page(studio, project, {**params, "query": query}):
            yield from page


def unlabelled_of(studio: Studio, project: int, tasks: Collection[int]) -> set[int]:
    """Those of these tasks that are there and have no annotation."""
    return {one.task for one in tasks_of(studio, project, tasks) if not one.labelled}


def pool_state(studio: Studio, project: int) -> list[int]:
    """What changes when tasks come or go: their number, and the newest one's id. One cheap call."""
    params = {**_params(project), "page_size": 1, "query": json.dumps({"ordering": ["-tasks:id"]})}
    answer = studio.call("GET", "/api/tasks", project=project, params=params)
    return [answer["total"], *(entry["id"] for entry in answer["tasks"])]


def _params(project: int) -> dict[str, Any]:
    return {
        "project": project,
        "page_size": PAGE,
        "fields": "task_only",
        "include": "id,data,total_annotations,cancelled_annotations",
        "resolve_uri": "false",
    }


def _listed(entry: Mapping[str, Any], key: str, fields: Sequence[str] = ()) -> PoolTask:
    uri = value_of(entry["data"], key)
    kept = {name: value for name in fields if (value := text_of(value_of(entry["data"], name)))}
    labelled, skipped = bool(entry.get("total_annotations")), bool(entry.get("cancelled_annotations"))
    return PoolTask(entry["id"], uri if isinstance(uri, str) else "", labelled, skipped, kept)


def pages(studio: Studio, project: int, params: Mapping[str, Any]) -> list[list[dict[str, Any]]]:
    """All pages of a task list. Raises `ProjectNotFound`."""
    return list(page_by_page(studio, project, params))


def page_by_page(studio: Studio, project: int, params: Mapping[str, Any]) -> Iterator[list[dict[str, Any]]]:
    """The same, each page when it is wanted: nobody holds what 100,000 tasks say. Raises `ProjectNotFound`."""
    number, seen, total = 0, 0, 1
    while seen < total:
        page = {**params, "page": number + 1}
        # A later page that is not there: tasks were deleted since the first one told how many there are.
        answer = studio.call("GET", "/api/tasks", project=project, params=page, slow=True, missing_ok=number > 0)
        if answer is None or not answer["tasks"]:
            break
        number, seen, total = number + 1, seen + len(answer["tasks"]), answer["total"]
        yield answer["tasks"]


def task_data(studio: Studio, project: int, items: Sequence[Mapping[str, Any]]) -> dict[int, dict[str, Any]]:
    """{task: its data} of the tasks that all these filters admit, as it is stored.

    By a list: asking for a task itself (`GET /api/tasks/ID`) may set `/predict` going, whose answer is stored.
    """
    params = {
        "project": project,
        "page_size": PAGE,
        "fields": "task_only",
        "include": "id,data",
        "resolve_uri": "false",  # else cloud addresses come rewritten
        "query": json.dumps({"filters": {"conjunction": "and", "items": items}}),
    }
    return {entry["id"]: entry["data"] for page in pages(studio, project, params) for entry in page}


def filtered(column: str, operator: str, kind: str, value: object) -> dict[str, Any]:
    """One filter of a task list, as the Data Manager writes it."""
    return {"filter": f"filter:tasks:{column}", "operator": operator, "type": kind, "value": value}


def views(studio: Studio, project: int) -> list[dict[str, Any]]:
    """The project's own Data Manager tabs, which Label Studio's API calls views."""
    return list(studio.call("GET", "/api/dm/views", project=project, params={"project": project}))


def find_tab(studio: Studio, project: int, tab: str) -> int:
    """The number of the Data Manager tab with this title or number. Raises `TabNotFound`."""
    # titles may repeat
    titles = {int(view["id"]): str(view["data"].get("title", "")) for view in views(studio, project)}
    number = next((number for number, title in titles.items() if title == tab), None)
    if number is None and tab.isdecimal() and int(tab) in titles:
        number = int(tab)
    if number is None:
        raise TabNotFound(tab, [f"{title} ({number})" for number, title in titles.items()])
    return number
