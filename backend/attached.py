"""The projects to which this backend is attached, as Label Studio tells them."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from seedqueue.backend import connection
from seedqueue.backend.context import Context
from seedqueue.backend.errors import LabelStudioRefused, ProjectNotFound
from seedqueue.backend.label_studio import Studio

LOOKED_AT = 200  # the newest projects whose connections are asked for, and all with a run of ours
AT_ONCE = 4
BELIEVED, DOUBTED = 60.0, 600.0  # seconds: that a project is attached, and that it is not
ALL_DATA = 10_000


@dataclass(frozen=True)
class ProjectSummary:
    """A project as Label Studio has it; url: its Data Manager."""

    id: int
    title: str
    tasks: int
    labelled: int
    url: str


class AttachedProjects:
    """Which projects are attached, believed for a while: each look makes Label Studio call our /health and /setup.

    Safe to use from several threads.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._known: dict[int, tuple[bool, float]] = {}

    def greeted(self, project: int | None) -> None:
        """Label Studio called /setup for a project, as it does on attaching: one that was not attached is looked at."""
        attached, _ = self._known.get(project or 0, (True, 0.0))
        if not attached:
            self._known.pop(project or 0, None)

    def listed(self) -> list[ProjectSummary]:
        """Newest first; of the newest 200, and of all that had a seed queue."""
        found = {one.id: one for one in _all(self._context.studio)}
        ours = {run.project for run in self._context.records.runs()}
        looked_at = [number for at, number in enumerate(found) if at < LOOKED_AT or number in ours]
        now = time.monotonic()
        due = [number for number in looked_at if self._known.get(number, (False, 0.0))[1] <= now]
        with ThreadPoolExecutor(AT_ONCE) as threads:
            for number, attached in zip(due, threads.map(self._is_attached, due), strict=True):
                self._known[number] = attached, now + (BELIEVED if attached else DOUBTED)
        return [found[number] for number in looked_at if self._known.get(number, (False, 0.0))[0]]

    def _is_attached(self, project: int) -> bool:
        try:
            url = self._context.settings.backend_url
            return connection.find(self._context.studio, project, url) is not None
        except (ProjectNotFound, LabelStudioRefused):  # deleted meanwhile, or not this token's to see
            return False


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
