"""The admin's routes about heads, under /api/projects/<id>: train, versions, the next round, how learning goes."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import Body, FastAPI, Path

from seedqueue.backend import learning, seeding
from seedqueue.backend.context import Context
from seedqueue.backend.events import LARGEST_ID
from seedqueue.backend.versions import ModelVersion

Project = Annotated[int, Path(ge=1, le=LARGEST_ID)]
Number = Annotated[int, Path(ge=1, le=LARGEST_ID)]
HeadName = Annotated[str | None, Body(embed=True)]
Choices = Annotated[dict[str, Any] | None, Body()]


def add_learning_routes(app: FastAPI, context: Context) -> None:
    base = "/api/projects/{project}"

    @app.post(f"{base}/train", status_code=202)
    def train(project: Project, head: HeadName = None) -> dict[str, Any]:
        """Train now: `head`, or all heads that train of themselves. What came of it is under `learning`."""
        learning.request_training(context, project, head)
        return {"project": project, "head": head, "outcome": "enqueued"}

    @app.get(f"{base}/learning")
    def how(project: Project) -> dict[str, Any]:
        """The training under way, how the last one ended, what serves; curves, advice, agreement, problems."""
        found = learning.told(context, project)
        return {
            "serving": [summary(one) for one in found.serving],
            "progress": found.progress,
            "last": found.last,
            "audit": found.audit,
            **asdict(learning.overview(context, project)),
        }

    @app.get(f"{base}/versions")
    def versions(project: Project) -> dict[str, Any]:
        """The versions of the project's heads, oldest first, in full."""
        return {"versions": [{**asdict(one), "name": one.name} for one in context.versions.all(project)]}

    @app.post(f"{base}/versions/{{number}}/promote")
    def promote(project: Project, number: Number) -> dict[str, Any]:
        """Let this version serve."""
        return summary(learning.promote(context, project, number))

    @app.post(f"{base}/rollback")
    def roll_back(project: Project, head: HeadName = None) -> dict[str, Any]:
        """Let the version serve that did before the one that serves now; `head` where the project has two."""
        return summary(learning.roll_back(context, project, head))

    @app.post(f"{base}/round", status_code=202)
    def next_round(project: Project, choices: Choices = None) -> dict[str, Any]:
        """The next round, chosen by what a head says: `budget`, `selector` and the other choices of a seed queue."""
        run = seeding.request_round(context, project, choices or {})
        return {**asdict(run), "version": run.version}


def summary(version: ModelVersion) -> dict[str, Any]:
    """A version in short."""
    kept = (
        "number",
        "head",
        "kind",
        "classes",
        "labels",
        "parent",
        "held_out",
        "primary",
        "verdict",
        "promoted",
        "made",
    )
    return {"name": version.name, **{name: getattr(version, name) for name in kept}}
