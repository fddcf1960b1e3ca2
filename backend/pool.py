"""The pool: a project's tasks with their image URIs, listed quickly and in whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from seedqueue.backend.errors import NoImageInLabelConfig, TabNotFound
from seedqueue.backend.label_studio import Studio

PAGE = 1000

Place = tuple[int, str]  # a task and the URI of its image


@dataclass(frozen=True)
class PoolTask:
    """One task: its id, the URI of its image as task data holds it, whether it has an annotation or a skip.

    fields: the fields of task data that were asked for, as far as the task has them.
    """

    task: int
    uri: str
    labelled: bool
    skipped: bool = False
    fields: Mapping[str, str] = field(default_factory=dict, hash=False)


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


def list_pool(studio: Studio, project: int, tab: str | None = None, fields: Sequence[str] = ()) -> list[PoolTask]:
    """Every task of the project, or of one Data Manager tab, given by its title or number.

    fields: fields of task data to bring along.

    `fields=task_only` with these columns is what makes 10,000 tasks a matter of seconds; a task
    without the image field is listed with an empty URI, so that it can be counted as unreadable.
    """
    key = describe(studio, project).image_key
    params: dict[str, Any] = {
        "project": project,
        "page_size": PAGE,
        "fields": "task_only",
        "include": "id,data,total_annotations,cancelled_annotations",
        "resolve_uri": "false",
    }
    if tab is not None:
        params["view"] = find_tab(studio, project, tab)
    found: dict[int, PoolTask] = {}
    for page in pages(studio, project, params):
        for entry in page:
            uri = value_of(entry["data"], key)
            labelled = bool(entry.get("total_annotations"))
            skipped = bool(entry.get("cancelled_annotations"))
            kept = {name: value for name in fields if (value := _text(value_of(entry["data"], name)))}
            found[entry["id"]] = PoolTask(entry["id"], uri if isinstance(uri, str) else "", labelled, skipped, kept)
    return list(found.values())


def pages(studio: Studio, project: int, params: Mapping[str, Any]) -> list[list[dict[str, Any]]]:
    """All pages of a task list. Raises `ProjectNotFound`."""
    gathered: list[list[dict[str, Any]]] = []
    seen, total = 0, 1
    while seen < total:
        page = {**params, "page": len(gathered) + 1}
        # A later page that is not there: tasks were deleted since the first one told how many there are.
        answer = studio.call("GET", "/api/tasks", project=project, params=page, slow=True, missing_ok=bool(gathered))
        if answer is None or not answer["tasks"]:
            break
        gathered.append(answer["tasks"])
        seen, total = seen + len(answer["tasks"]), answer["total"]
    return gathered


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


def _text(value: Any) -> str:
    """A field as text: numbers as they are written, a list's entries joined by |, nothing for anything else."""
    if isinstance(value, list):
        return "|".join(filter(None, map(_text, value)))
    return str(value).strip() if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def value_of(data: Mapping[str, Any], key: str) -> Any:
    """What task data holds for a key; `scan.front` of a label config is the front of the scan."""
    if key in data or "." not in key:
        return data.get(key)
    first, _, rest = key.partition(".")
    inner = data.get(first)
    return value_of(inner, rest) if isinstance(inner, Mapping) else None
