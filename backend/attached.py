"""The projects to which this backend is attached, as Label Studio tells them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from seedqueue.backend import connection
from seedqueue.backend.context import Context
from seedqueue.backend.errors import LabelStudioRefused, ProjectNotFound
from seedqueue.backend.label_studio import Studio

LOOKED_AT = 200  # the newest projects whose connections are asked for, and all with a run of ours
AT_ONCE = 4
ALL_DATA = 10_000


@dataclass(frozen=True)
class ProjectSummary:
    """A project as Label Studio has it; url: its Data Manager."""

    id: int
    title: str
    tasks: int
    labelled: int
    url: str


def attached_projects(context: Context) -> list[ProjectSummary]:
    """Newest first. Each look at a project's connections makes Label Studio call our /health and /setup."""
    studio = context.studio
    found = {one.id: one for one in _all(studio)}
    ours = {run.project for run in context.records.runs()}
    asked = [number for at, number in enumerate(found) if at < LOOKED_AT or number in ours]

    def is_attached(number: int) -> bool:
        try:
            return connection.find(studio, number, context.settings.backend_url) is not None
        except (ProjectNotFound, LabelStudioRefused):  # deleted meanwhile, or not this token's to see
            return False

    with ThreadPoolExecutor(AT_ONCE) as threads:
        return [found[number] for number, yes in zip(asked, threads.map(is_attached, asked), strict=True) if yes]


def summary(studio: Studio, project: int) -> ProjectSummary:
    """Raises `ProjectNotFound`."""
    return _summary(studio, studio.call("GET", f"/api/projects/{project}", project=project))


def fields_of_tasks(studio: Studio, project: int) -> list[str]:
    """The fields that task data have, the image's aside: by which tasks can be grouped."""
    described = studio.call("GET", f"/api/projects/{project}", project=project)
    counted = studio.call("GET", f"/api/projects/{project}/summary", project=project)["all_data_columns"]
    shown = {
        entry.get("value") for one in (described.get("parsed_label_config") or {}).values() for entry in one["inputs"]
    }
    return sorted(name for name in counted if name not in shown)


def task_url(studio: Studio, project: int, task: int) -> str:
    """Where a person opens a task in Label Studio."""
    return f"{studio.public_url}/projects/{project}/data?task={task}"


def _all(studio: Studio) -> list[ProjectSummary]:
    params = {"page_size": ALL_DATA, "include": "id,title,task_number,num_tasks_with_annotations", "ordering": "-id"}
    answer = studio.call("GET", "/api/projects/", params=params)
    return [_summary(studio, one) for one in answer["results"]]


def _summary(studio: Studio, told: dict[str, Any]) -> ProjectSummary:
    return ProjectSummary(
        told["id"],
        told["title"] or "",
        told["task_number"],
        told["num_tasks_with_annotations"],
        f"{studio.public_url}/projects/{told['id']}/data",
    )
