"""The queue as an annotator meets it: next-task calls, each answered with an annotation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from seedqueue.backend.label_studio import Studio


@dataclass(frozen=True)
class Served:
    """A task that Label Studio served, and the annotation that answered it."""

    task: int
    annotation: int


class Annotator:
    """One annotator of a project, with a token of their own."""

    def __init__(self, url: str, token: str, project: int) -> None:
        self.studio = Studio(url, token)
        self.project = project

    def close(self) -> None:
        self.studio.close()

    def next_task(self) -> dict[str, Any] | None:
        """The task that Label Studio serves now, or None where it says that there are none."""
        task: dict[str, Any] | None = self.studio.call("GET", f"/api/projects/{self.project}/next", missing_ok=True)
        return task

    def submit(self, task: int, result: list[dict[str, Any]] | None = None) -> int:
        """Answer a task; the annotation's number."""
        body = {"result": result or []}
        return int(self.studio.call("POST", f"/api/tasks/{task}/annotations/", json=body)["id"])

    def work(self, count: int) -> list[Served]:
        """Take and answer up to `count` tasks, in the order in which they are served."""
        served: list[Served] = []
        while len(served) < count and (task := self.next_task()) is not None:
            served.append(Served(task["id"], self.submit(task["id"])))
        return served

    def take_back(self, served: list[Served]) -> None:
        """Delete the annotations: the tasks are unlabelled again."""
        for one in served:
            self.studio.call("DELETE", f"/api/annotations/{one.annotation}/", missing_ok=True)
