"""Which tasks a run is about: all, those of a Data Manager tab, those that a filter admits."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from seedqueue.backend.filters import ID, Condition, parse
from seedqueue.backend.label_studio import Studio
from seedqueue.backend.pool import PoolTask, filtered, list_pool, page_by_page
from seedqueue.backend.pool_errors import UnreadableFilter
from seedqueue.backend.records import Choices

PAGE = 200  # tasks with all their regions: a page of brush masks is megabytes

# Label Studio stores results as JSON: what is escaped there, in some databases all but ASCII, cannot be looked for.
_PLAIN = re.compile(r"[ !#-\[\]-~]+")


def inside_of(
    studio: Studio, project: int, tab: str | None = None, where: str = "", fields: Sequence[str] = ()
) -> list[PoolTask]:
    """The tasks of a tab that fulfil a filter, labelled or not; of the project where there is no tab.

    fields: of task data, to bring along. Raises `TabNotFound`, `UnreadableFilter`, `NoImageInLabelConfig`,
    `ProjectNotFound`.
    """
    conditions = parse(where)
    asked = [one.name for one in conditions if not one.control and one.name != ID]
    listed = list_pool(studio, project, tab, [*fields, *asked])
    _check_fields(studio, project, where, asked, listed)
    _check_controls(studio, project, where, [one.control for one in conditions if one.control])
    said = {one: labelled_so(studio, project, one.control, one.value) for one in conditions if one.control}
    return [one for one in listed if all(_admits(each, one, said) for each in conditions)]


def pool_of(studio: Studio, project: int, choices: Choices, fields: Sequence[str] = ()) -> list[PoolTask]:
    """The tasks that a run may choose from, and every labelled one: what is labelled is known ground everywhere.

    Raises what `inside_of` does.
    """
    found = inside_of(studio, project, choices.tab, choices.where, fields)
    if choices.tab is None and not choices.where:
        return found
    inside = {one.task for one in found}
    labelled = [one for one in list_pool(studio, project, None, fields, LABELLED) if one.task not in inside]
    return found + [replace(one, outside=True) for one in labelled]


def _check_fields(studio: Studio, project: int, where: str, asked: Sequence[str], listed: Sequence[PoolTask]) -> None:
    """A slip would be a field that no task has, and `!=` would admit every task. Raises `UnreadableFilter`."""
    absent = next((name for name in asked if listed and not any(name in one.fields for one in listed)), None)
    if absent is not None:
        known = studio.call("GET", f"/api/projects/{project}/summary", project=project)["all_data_columns"]
        there = ", ".join(sorted(known))
        raise UnreadableFilter(where, f"none of {len(listed)} tasks has a field {absent!r}; the project's have {there}")


def _check_controls(studio: Studio, project: int, where: str, controls: Sequence[str]) -> None:
    """A slip would be a label that nobody gave, and `!=` would admit every task. Raises `UnreadableFilter`."""
    if not controls:
        return
    known = studio.call("GET", f"/api/projects/{project}", project=project).get("parsed_label_config") or {}
    if absent := next((one for one in controls if one not in known), None):
        raise UnreadableFilter(where, f"the label config has no control {absent!r}, but {', '.join(sorted(known))}")


def labelled_so(studio: Studio, project: int, control: str, value: str) -> set[int]:
    """The tasks in which an annotation or a prediction says this value in this control."""
    found: set[int] = set()
    for column, kind in (("annotations_results", "annotations"), ("predictions_results", "predictions")):
        # Label Studio looks for the text anywhere in the results: a superset, judged below.
        items = [filtered(column, "contains", "String", _looked_for(value) or _looked_for(control) or "from_name")]
        query = json.dumps({"filters": {"conjunction": "and", "items": items}})
        params = {"project": project, "page_size": PAGE, "fields": "all", "resolve_uri": "false", "query": query}
        for page in page_by_page(studio, project, params):
            found |= {task["id"] for task in page if _says(task.get(kind) or (), control, value)}
    return found


LABELLED: list[dict[str, Any]] = [filtered("total_annotations", "greater", "Number", 0)]


def _looked_for(text: str) -> str:
    """The longest part of a text that stands in JSON as it is; "" where there is none."""
    return max(_PLAIN.findall(text), key=len, default="")


def _says(answers: Iterable[Mapping[str, Any]], control: str, value: str) -> bool:
    return any(
        item.get("from_name") == control and value in _values(item.get("value") or {})
        for answer in answers
        if not answer.get("was_cancelled")
        for item in answer.get("result") or ()
    )


def _values(value: Mapping[str, Any]) -> list[str]:
    """All that stands in a result's value as text: choices and labels in lists, a taxonomy's paths in lists of them."""
    found: list[str] = []
    waiting: list[Any] = list(value.values())
    while waiting:
        one = waiting.pop()
        if isinstance(one, list):
            waiting += one
        elif isinstance(one, str | int | float):
            found.append(str(one))
    return found


def _admits(condition: Condition, task: PoolTask, said: Mapping[Condition, set[int]]) -> bool:
    if condition.control:
        return (task.task in said[condition]) == (condition.operator == "=")
    return condition.holds(str(task.task) if condition.name == ID else task.fields.get(condition.name, ""))
