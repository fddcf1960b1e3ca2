"""What the doctor looks at: the context, and of a project what several checks want, each fetched once."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from seedqueue.backend import connection
from seedqueue.backend.connection import Connection
from seedqueue.backend.context import Context
from seedqueue.backend.label_studio import Studio
from seedqueue.backend.records import QueuedTask, Run


class Subject:
    """One project of one Label Studio. Reading raises what Label Studio, the home and Redis do."""

    def __init__(self, context: Context, project: int) -> None:
        self.context = context
        self.project = project

    @property
    def studio(self) -> Studio:
        return self.context.studio

    @property
    def backend_url(self) -> str:
        return self.context.settings.backend_url

    @cached_property
    def described(self) -> dict[str, Any]:
        """The project as Label Studio describes it. Raises `ProjectNotFound`."""
        found: dict[str, Any] = self.studio.call("GET", f"/api/projects/{self.project}", project=self.project)
        return found

    @cached_property
    def connections(self) -> list[Connection]:
        """All of the project's; asking makes Label Studio call each one's /health and /setup."""
        return connection.connections(self.studio, self.project)

    @property
    def attached(self) -> Connection | None:
        """The one that leads to this backend."""
        return connection.ours(self.connections, self.backend_url)

    @cached_property
    def webhooks(self) -> list[dict[str, Any]]:
        """Those that lead to this backend."""
        return connection.webhooks(self.studio, self.project, self.backend_url)

    @cached_property
    def published(self) -> Run | None:
        return self.context.records.published_run(self.project)

    @cached_property
    def queue(self) -> list[QueuedTask]:
        """The published queue in rank order; empty where there is none."""
        return self.context.records.queue(self.project, self.published.number) if self.published else []
