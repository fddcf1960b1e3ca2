"""label-studio-ml's base class over our own functions: one stateless subclass for 1.0.9 and 2.x.

Our routes in `app` answer Label Studio; this class is for those who serve with label-studio-ml's own
`init_app`. It is not imported by the app: label-studio-ml 1.0.9 imports torch and sets the start method
of multiprocessing, which a web process has no use for.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from label_studio_ml.model import LabelStudioMLBase

from seedqueue.backend import events, settings, triggers
from seedqueue.backend.context import Context
from seedqueue.backend.prelabels import Head, project_id
from seedqueue.backend.trained import TrainedHeads


class SeedQueueModel(LabelStudioMLBase):  # type: ignore[misc]
    """`predict` gives the head's predictions; `fit` takes any event, in both versions' calling forms."""

    head: Head | None = None  # another than the home's promoted versions
    TRAIN_EVENTS = events.ACTIONS  # 1.0.9 calls `fit` for these alone, and its own list lacks START_TRAINING

    def setup(self) -> None:
        """2.x: called after construction; what is set here is what /setup answers."""
        self.set("model_version", self._answering().version(project_id(self.project_id)))

    def set_extra_params(self, extra_params: Any) -> None:
        """2.x: it stores strings only, and Label Studio sends a dict: unchanged, /setup would be a 500."""
        super().set_extra_params(extra_params if isinstance(extra_params, str) else json.dumps(extra_params))

    def predict(
        self, tasks: Sequence[Mapping[str, Any]], context: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> list[list[dict[str, Any]]]:
        project = project_id(getattr(self, "project_id", None)) or _project_of(tasks)
        return self._answering().predict(project, tasks, str(getattr(self, "label_config", "") or ""))

    def fit(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """1.0.9 calls `fit((), event=, data=, job_id=)`, 2.x `fit(event, data)`."""
        event = kwargs.get("event") or (args[0] if args else None)
        data = kwargs.get("data") or (args[1] if len(args) > 1 else {})
        with Context(settings.load()) as context:
            triggers.receive(context, events.parse({**data, "action": event}))
        return {}

    def _answering(self) -> Head:
        return self.head or _trained()


@lru_cache(maxsize=1)
def _trained() -> Head:
    """Warm over all requests: 2.x makes a new model for each of them."""
    return TrainedHeads(Context(settings.load()))


def _project_of(tasks: Sequence[Mapping[str, Any]]) -> int | None:
    return project_id(tasks[0].get("project")) if tasks else None
