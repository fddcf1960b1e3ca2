"""label-studio-ml's base class over our own functions: one stateless subclass for 1.0.9 and 2.x.

Our routes in `app` answer Label Studio; this class is for those who serve with label-studio-ml's own
`init_app`. It is not imported by the app: label-studio-ml 1.0.9 imports torch and sets the start method
of multiprocessing, which a web process has no use for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from label_studio_ml.model import LabelStudioMLBase

from seedqueue.backend import events, settings, triggers
from seedqueue.backend.context import Context
from seedqueue.backend.prelabels import Head, Untrained, project_id


class SeedQueueModel(LabelStudioMLBase):  # type: ignore[misc]
    """`predict` gives the head's predictions; `fit` takes any event, in both versions' calling forms."""

    head: Head = Untrained()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.model_version = self.head.version(None)  # 1.0.9 reads the attribute in /setup and /predict

    def setup(self) -> None:
        """2.x: called after construction."""
        self.set("model_version", self.head.version(project_id(self.project_id)))

    def predict(
        self, tasks: Sequence[Mapping[str, Any]], context: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> list[list[dict[str, Any]]]:
        project = project_id(getattr(self, "project_id", None)) or _project_of(tasks)
        return self.head.predict(project, tasks, str(getattr(self, "label_config", "") or ""))

    def fit(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """1.0.9 calls `fit((), event=, data=, job_id=)`, 2.x `fit(event, data)`."""
        event = kwargs.get("event") or (args[0] if args else None)
        data = kwargs.get("data") or (args[1] if len(args) > 1 else {})
        triggers.receive(Context(settings.load()), events.parse({**data, "action": event}))
        return {}


def _project_of(tasks: Sequence[Mapping[str, Any]]) -> int | None:
    return project_id(tasks[0].get("project")) if tasks else None
