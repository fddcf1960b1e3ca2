"""The Data Manager tab that shows the seed queue. It displays only: the order is made by sampling."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from seedqueue.backend import publish
from seedqueue.backend.label_studio import Studio
from seedqueue.backend.pool import views

TITLE = "Seed queue"
DEFAULT_TITLE = "Default"
SCORE = "filter:tasks:predictions_score"


def show(studio: Studio, project: int) -> None:
    """Make or renew the "Seed queue" tab, and a "Default" tab where there is none.

    A tab made through the API replaces Label Studio's virtual Default tab, hence the second one. The seeds
    are those whose score lies below the tail's. A list of ids would not do: `in_list` works in the API,
    but a Data Manager that meets it never loads, and a view with 1,000 `id equal` items is a 500.
    """
    present = views(studio, project)
    if not present:
        _save(studio, project, None, {"title": DEFAULT_TITLE, "hiddenColumns": _hidden(studio, project)})
    seeds = {"filter": SCORE, "operator": "less", "type": "Number", "value": publish.TAIL_FLOOR}
    layout = {
        "title": TITLE,
        "ordering": ["tasks:predictions_score"],
        "filters": {"conjunction": "and", "items": [seeds]},
        "hiddenColumns": _hidden(studio, project, shown=("predictions_score",)),
    }
    _save(studio, project, next(iter(_numbers(present, TITLE)), None), layout)


def remove(studio: Studio, project: int, *, default_too: bool) -> None:
    """Take the "Seed queue" tab away, and the "Default" one where it was made with it."""
    present = views(studio, project)
    doomed = _numbers(present, TITLE) + (_numbers(present, DEFAULT_TITLE) if default_too else [])
    for number in doomed:
        studio.call("DELETE", f"/api/dm/views/{number}", missing_ok=True)


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
