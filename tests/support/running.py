"""A running backend as the flow tests use it, and the project it works on."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from seedqueue.backend import connection, seeding
from seedqueue.backend.children import Children
from seedqueue.backend.context import Context
from seedqueue.backend.demo.project import LABEL_CONFIG, create_project
from seedqueue.backend.records import QueuedTask, Run

Eventually = Callable[..., None]
CHOICE = [{"from_name": "finding", "to_name": "image", "type": "choices", "value": {"choices": ["finding"]}}]


@dataclass
class Backend:
    """A running `seedqueue serve` and a context over the same Redis and home."""

    context: Context
    children: Children
    log_file: Path
    eventually: Eventually
    pid: int = 0  # of `seedqueue serve`
    projects: list[int] = field(default_factory=list)  # that were made here and are still there

    @property
    def url(self) -> str:
        return self.context.settings.backend_url

    def own_address(self) -> str:
        """Where it listens itself, whatever address its settings give to others."""
        listens = re.compile(r" at (http://127\.0\.0\.1:\d+)$", re.MULTILINE)
        self.eventually(lambda: listens.search(self.log_file.read_text()), 20, "the line with its own address")
        return str(listens.findall(self.log_file.read_text())[0])

    def post(self, path: str, json: Any = None, **options: Any) -> httpx.Response:
        return httpx.post(f"{self.url}{path}", json=json, timeout=30, **options)

    def get(self, path: str, **options: Any) -> httpx.Response:
        return httpx.get(f"{self.url}{path}", timeout=30, **options)

    def delete(self, path: str) -> httpx.Response:
        return httpx.delete(f"{self.url}{path}", timeout=60)

    def attach(self, project: int) -> connection.Connection:
        s = self.context.settings
        return connection.attach(self.context.studio, project, self.url, s.basic_auth_user, s.basic_auth_pass)

    def start_training(self, project: int, extra_params: object = None) -> None:
        """Press "Start Training" on the connection's card, its extra params set before."""
        attached = connection.find(self.context.studio, project, self.url)
        assert attached is not None
        if extra_params is not None:
            change = {"url": attached.url, "project": project, "extra_params": extra_params}
            self.context.studio.call("PATCH", f"/api/ml/{attached.number}", json=change)
        self.context.studio.call("POST", f"/api/ml/{attached.number}/train", json={})

    def described(self, project: int) -> dict[str, Any]:
        """The project as Label Studio describes it."""
        found: dict[str, Any] = self.context.studio.call("GET", f"/api/projects/{project}")
        return found

    def request(self, project: int, **choices: Any) -> Run:
        return seeding.request_seed(self.context, project, seeding.choices_from(choices, self.context.settings))

    def ended(self, run: Run, seconds: float = 120) -> Run:
        """The run once it is no longer active."""

        def current() -> Run:
            found = self.context.records.run(run.project, run.number)
            assert found is not None
            return found

        self.eventually(lambda: not current().active, seconds, f"the end of run {run.number} ({current().state})")
        return current()

    def seed(self, project: int, **choices: Any) -> list[QueuedTask]:
        """Ask for a queue, wait until it is published, and give it."""
        ended = self.ended(self.request(project, **choices))
        assert ended.state == "published", ended.error
        return self.context.records.queue(project, ended.number)

    def drop(self, projects: list[int]) -> None:
        """Delete them: workers look at every queue in place now and then, which is work for Label Studio."""
        for number in projects:
            self.context.studio.call("DELETE", f"/api/projects/{number}", missing_ok=True)
            self.projects.remove(number)

    def new_project(self, uris: list[str], label_config: str = LABEL_CONFIG) -> int:
        """A project with one task per URI."""
        number = create_project(self.context.studio, "flow", label_config)
        self.projects.append(number)
        if uris:
            body = [{"image": uri} for uri in uris]
            self.context.studio.call("POST", f"/api/projects/{number}/import", json=body)
        return number
