"""The routes of the page's health view: what the doctor says, and what goes on."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import FastAPI, Query

from seedqueue.backend import activity
from seedqueue.backend.context import Context
from seedqueue.backend.doctor.examination import examine
from seedqueue.backend.doctor.lines import told
from seedqueue.backend.events import LARGEST_ID

Project = Annotated[int | None, Query(ge=1, le=LARGEST_ID)]


def add_doctor_routes(app: FastAPI, context: Context) -> None:
    @app.get("/api/doctor")
    def doctor(project: Project = None) -> dict[str, Any]:
        """What `seedqueue doctor` says, of `project` too where it is given: a level, a sentence and a mend a check."""
        return told(examine(context, project))

    @app.get("/api/activity")
    def goes_on() -> dict[str, Any]:
        """Jobs in their lanes, workers, the last events of Label Studio, the last errors."""
        return asdict(activity.activity(context))
