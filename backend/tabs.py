"""The Data Manager tabs: the one that shows the seed queue, and those with a list of tasks.

They display only: the annotators' order is made by sampling.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from seedqueue.backend import publish
from seedqueue.backend.label_studio import Studio
from seedqueue.backend.pool import filtered, views

TITLE = "Seed queue"
DEFAULT_TITLE = "Default"
LISTED = 200  # a Data Manager with so many filters loads in 2 s; a view with 1,000 is a 500


def show(studio: Studio, project: int) -> None:
    """Make or renew the "Seed queue" tab, and a "Default" tab where there is none.

    A tab made through the API replaces Label Studio's virtual Default tab, hence the second one. The seeds
    are those whose score lies below the tail's. A list of ids would not do: `in_list` works in the API,
    but a Data Manager that meets it never loads, and a view with 1,000 `id equal` items is a 500.
    """
    seeds = filtered("predictions_score", "less", "Number", publish.TAIL_FLOOR)
    layout = {
        "title": TITLE,
        "ordering": ["tasks:predictions_score"],
        "filters": {"conjunction": "and", "items": [seeds]},
        "hiddenColumns": _hidden(studio, project, shown=("predictions_score",)),
    }
    _renew(studio, project, layout)


def show_tasks(studio: Studio, project: int, title: str, tasks: Sequence[int]) -> int:
    """Make or renew the tab with these tasks, the first `LISTED` of them; how many it has. No task: no tab.

    One filter a task, since no Data Manager loads `in_list` (see `show`). A tab orders by columns alone: it shows
    them by number, whatever their order here.
    """
    if not tasks:
        remove_titled(studio, project, [title])
        return 0
    items = [filtered("id", "equal", "Number", task) for task in sorted(tasks[:LISTED])]
    layout = {
        "title": title,
        "ordering": ["tasks:id"],
        "filters": {"conjunction": "or", "items": items},
        "hiddenColumns": _hidden(studio, project),
    }
    _renew(studio, project, layout)
    return len(items)


def remove_titled(studio: Studio, project: int, titles: Collection[str]) -> None:
    """Take tabs with lists away, and the "Default" one where it alone is left as it was made with them."""
    present = views(studio, project)
    doomed = [view for view in present if view["data"].get("title") in titles]
    left = [view for view in present if view not in doomed]
    if doomed and len(left) == 1 and left[0]["data"] == _default(studio, project):
        doomed += left
    for view in doomed:
        studio.call("DELETE", f"/api/dm/views/{view['id']}", missing_ok=True)


def remove(studio: Studio, project: int, *, default_too: bool) -> None:
    """Take the "Seed queue" tab away, and the "Default" one where it was made with it."""
    present = views(studio, project)
    doomed = _numbers(present, TITLE) + (_numbers(present, DEFAULT_TITLE) if default_too else [])
    for number in doomed:
        studio.call("DELETE", f"/api/dm/views/{number}", missing_ok=True)


def _renew(studio: Studio, project: int, layout: dict[str, Any]) -> None:
    """Save the tab with this title, new or again; a "Default" one is made first where there is none at all."""
    present = views(studio, project)
    if not present:
        _save(studio, project, None, _default(studio, project))
    _save(studio, project, next(iter(_numbers(present, layout["title"])), None), layout)


def _default(studio: Studio, project: int) -> dict[str, Any]:
    return {"title": DEFAULT_TITLE, "hiddenColumns": _hidden(studio, project)}


def _hidden(studio: Studio, project: int, shown: Sequence[str] = ()) -> dict[str, list[str]]:
    """The columns that Label Studio's own Default tab hides, less `shown`: without a list all would stand there."""
    columns = studio.call("GET", "/api/dm/columns", project=project, params={"project": project})["columns"]
    return {
        panel: [
            _name(column)
            for column in columns
            if not (column.get("visibility_defaults") or {panel: True})[panel] and column["id"] not in shown
        ]
        for panel in ("explore", "labeling")
    }


def _name(column: Mapping[str, Any]) -> str:
    """As a tab names a column; one of task data is a child of `data`."""
    parent = column.get("parent")
    return f"tasks:{parent}.{column['id']}" if parent else f"tasks:{column['id']}"


def _numbers(views: Sequence[dict[str, Any]], title: str) -> list[int]:
    return [view["id"] for view in views if view["data"].get("title") == title]


def _save(studio: Studio, project: int, number: int | None, layout: dict[str, Any]) -> None:
    body = {"project": project, "data": layout}
    if number is None:
        studio.call("POST", "/api/dm/views", json=body)
    else:
        studio.call("PATCH", f"/api/dm/views/{number}", json=body)
