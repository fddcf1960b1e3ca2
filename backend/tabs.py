"""The Data Manager tab that shows the seed queue. It displays only: the order is made by sampling."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from seedqueue.backend.label_studio import Studio

TITLE = "Seed queue"
DEFAULT_TITLE = "Default"


def show(studio: Studio, project: int, tasks: Sequence[int]) -> bool:
    """Make or renew the "Seed queue" tab over these tasks; True where a "Default" tab was made too.

    A tab made through the API replaces Label Studio's virtual Default tab, hence the second one.
    The filter is `in_list`: a view with 1,000 `id equal` items is a 500.
    """
    present = _views(studio, project)
    made_default = not present
    if made_default:
        _save(studio, project, None, {"title": DEFAULT_TITLE})
    filters = {"filter": "filter:tasks:id", "operator": "in_list", "type": "Number", "value": list(tasks)}
    layout = {
        "title": TITLE,
        "ordering": ["tasks:predictions_score"],
        "filters": {"conjunction": "and", "items": [filters]},
    }
    _save(studio, project, _numbers(present, TITLE)[:1], layout)
    return made_default


def remove(studio: Studio, project: int, *, default_too: bool) -> None:
    """Take the "Seed queue" tab away, and the "Default" one where it was made with it."""
    present = _views(studio, project)
    doomed = _numbers(present, TITLE) + (_numbers(present, DEFAULT_TITLE) if default_too else [])
    for number in doomed:
        studio.call("DELETE", f"/api/dm/views/{number}", missing_ok=True)


def _views(studio: Studio, project: int) -> list[dict[str, Any]]:
    return list(studio.call("GET", "/api/dm/views", project=project, params={"project": project}))


def _numbers(views: Sequence[dict[str, Any]], title: str) -> list[int]:
    return [view["id"] for view in views if view["data"].get("title") == title]


def _save(studio: Studio, project: int, number: list[int] | None, layout: dict[str, Any]) -> None:
    body = {"project": project, "data": layout}
    if number:
        studio.call("PATCH", f"/api/dm/views/{number[0]}", json=body)
    else:
        studio.call("POST", "/api/dm/views", json=body)
