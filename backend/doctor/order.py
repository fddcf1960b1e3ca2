"""The queue as annotators meet it: sampling and version in place, nobody who shuffles it, the order as recorded."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from seedqueue.backend import publish
from seedqueue.backend.connection import Connection
from seedqueue.backend.doctor.lines import Line
from seedqueue.backend.doctor.subject import Subject
from seedqueue.backend.pool import PAGE, pages

PLACE, MEMBERS, ORDER = "queue in place", "project members", "queue order"
IDS = 200  # in one address, which proxies take to be some thousand characters long
SHOWN = 5  # tasks of an order in a message
ANNOTATION = "Settings > Annotation"


def in_place(subject: Subject) -> Sequence[Line]:
    run = subject.published
    if run is None:
        return [Line(PLACE, "skipped", "No seed queue stands in the project.")]
    return place_lines(subject.described, run.version, subject.attached)


def place_lines(described: Mapping[str, Any], version: str, attached: Connection | None) -> list[Line]:
    """What must be so that the sampler serves `version` by rank; one line for each thing that is not."""
    lines: list[Line] = []
    sampling, stands = described["sampling"], described["model_version"] or ""
    if sampling != publish.SAMPLING:
        told = f"Tasks are served by {sampling!r}: not in the order of {version!r}."
        lines.append(Line(PLACE, "red", told, f"Choose {publish.SAMPLING!r} under {ANNOTATION} > Task Sampling."))
    if stands != version:
        told = f"The project's model version is {stands!r}, not {version!r}: tasks come in another order."
        mend = f"Choose {version!r} for prelabeling under {ANNOTATION}, or ask for the seed queue again."
        lines.append(Line(PLACE, "red", told, mend))
    if attached is not None and attached.title != version:
        told = f"The connection is titled {attached.title!r}, not {version!r}: live pre-annotations are not shown."
        lines.append(Line(PLACE, "yellow", told, f"Rename it to {version!r} under Settings > Model."))
    if int(described.get("maximum_annotations") or 1) > 1:
        told = "Tasks get several annotations each: whoever comes later first gets those under way, in random order."
        lines.append(Line(PLACE, "yellow", told, "Leave it where that is meant; else set 'Annotations per task' to 1."))
    return lines or [Line(PLACE, "green", f"{version!r} is served by {publish.SAMPLING.lower()}.")]


def members(subject: Subject) -> Sequence[Line]:
    """Where a project has more than one member, Label Studio draws at random among the first tasks."""
    path = f"/api/projects/{subject.project}/members"
    found = subject.studio.call("GET", path, missing_ok=True)
    return [members_line(None if found is None else len(_entries(found)))]


def _entries(found: Any) -> Sequence[Any]:
    return found.get("results") or [] if isinstance(found, Mapping) else found


def members_line(count: int | None) -> Line:
    """None: this edition has no members of projects, as Community has none."""
    if count is None:
        return Line(
            MEMBERS, "green", "This Label Studio has no members of single projects, who would shuffle the queue."
        )
    if count > 1:
        told = f"The project has {count} members: Label Studio draws at random among the first {count + 1} tasks."
        return Line(
            MEMBERS, "yellow", told, "Take members off the project; the organisation's users may annotate anyway."
        )
    return Line(MEMBERS, "green", f"The project has {count} members: the order is not shuffled.")


def order(subject: Subject) -> Sequence[Line]:
    """Read only: the tasks that nobody has touched, sorted as the sampler sorts them, are those of the records."""
    assert subject.published is not None
    version = subject.published.version
    return [order_line(waiting(subject), _ranked(subject, version, len(subject.queue)), version)]


def waiting(subject: Subject) -> list[int]:
    """The tasks of the published queue, in order, that have neither an annotation nor a skip."""
    queued = [one.task for one in subject.queue]
    left: set[int] = set()
    for start in range(0, len(queued), IDS):
        some = queued[start : start + IDS]
        left.update(_tasks(subject, [_item("id", "in_list", some), *_UNTOUCHED], len(some)))
    return [task for task in queued if task in left]


def _ranked(subject: Subject, version: str, most: int) -> list[int]:
    has = {"filter": "filter:tasks:predictions_model_versions", "operator": "contains", "type": "List"}
    return _tasks(subject, [{**has, "value": [version]}, *_UNTOUCHED], most, ("tasks:predictions_score",))


def _item(column: str, operator: str, value: Any) -> dict[str, Any]:
    return {"filter": f"filter:tasks:{column}", "operator": operator, "type": "Number", "value": value}


_UNTOUCHED = [_item(column, "equal", 0) for column in ("total_annotations", "cancelled_annotations")]


def _tasks(subject: Subject, items: Sequence[Mapping[str, Any]], most: int, ordering: Sequence[str] = ()) -> list[int]:
    """The first tasks that fit all filters, at most so many."""
    query = {"filters": {"conjunction": "and", "items": list(items)}, "ordering": list(ordering)}
    params = {"project": subject.project, "page_size": PAGE, "fields": "task_only", "include": "id"}
    found = pages(subject.studio, subject.project, {**params, "query": json.dumps(query)})
    return [entry["id"] for page in found for entry in page][:most]


def order_line(expected: Sequence[int], served: Sequence[int], version: str) -> Line:
    """expected: what is left of the queue; served: at least as many tasks, as the sampler would give them."""
    if not expected:
        return Line(ORDER, "green", f"All tasks of {version!r} are labelled or skipped.")
    first = list(served[: len(expected)])
    if first == list(expected):
        return Line(ORDER, "green", f"The {len(expected)} tasks of {version!r} that are left come in rank order.")
    at = next((n for n, pair in enumerate(zip(expected, first, strict=False)) if pair[0] != pair[1]), len(first))
    told = (
        f"From place {at + 1} on Label Studio serves the tasks {_some(first[at:])} where {version!r} has "
        f"{_some(expected[at:])}."
    )
    return Line(
        ORDER, "red", told, "Ask for the seed queue again: it is published anew, and nothing is embedded twice."
    )


def _some(tasks: Sequence[int]) -> str:
    shown = ", ".join(map(str, tasks[:SHOWN])) or "none"
    return f"{shown}, ..." if len(tasks) > SHOWN else shown
