"""Our own web app: Label Studio's ML routes and the REST routes of the admin. Every route only enqueues."""

from __future__ import annotations

from dataclasses import asdict
from http import HTTPStatus
from importlib.metadata import version
from typing import Annotated, Any

from fastapi import Body, FastAPI, Path, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware

from seedqueue.backend import detaching, events, metrics, seeding, triggers
from seedqueue.backend.attached import AttachedProjects
from seedqueue.backend.basic_auth import BasicAuth
from seedqueue.backend.body_limit import BodyLimit
from seedqueue.backend.context import Context
from seedqueue.backend.doctor_routes import add_doctor_routes
from seedqueue.backend.errors import KNOWN, InvalidRequest, problem
from seedqueue.backend.learning_routes import add_learning_routes
from seedqueue.backend.login import MACHINES, Login
from seedqueue.backend.page_routes import add_page_routes, run_fields
from seedqueue.backend.prelabels import Head, project_id
from seedqueue.backend.same_origin import SameOrigin
from seedqueue.backend.sub_path import SubPath
from seedqueue.backend.trained import TrainedHeads
from seedqueue.backend.ui import add_ui

Project = Annotated[int, Path(ge=1, le=events.LARGEST_ID)]
COMPRESSED_FROM = 10_000  # bytes: the map of a large pool has megabytes


class SetupBody(BaseModel):
    """What Label Studio sends to `/setup`; `project` is `"<id>.<created timestamp>"`."""

    project: str | int | None = None
    extra_params: Any = None


class PredictBody(BaseModel):
    """What Label Studio sends to `/predict`."""

    tasks: list[dict[str, Any]]
    project: str | int | None = None
    label_config: str | None = None


class ChoicesBody(BaseModel):
    """The choices of a seed queue; what is left out comes from the settings. Checked in `seeding`."""

    model_config = ConfigDict(extra="allow")


def create_app(context: Context, head: Head | None = None) -> FastAPI:
    """The app over one context. `head` answers `/predict`: the home's promoted versions, unless another is given."""
    # The documentation's page loads scripts from elsewhere: there is none where passwords are given.
    s = context.settings
    openapi_url = None if s.basic_auth_user or s.login_header else "/openapi.json"
    app = FastAPI(
        title="seedqueue",
        version=version("seedqueue"),
        openapi_url=openapi_url,
        redoc_url=None,
        redirect_slashes=False,  # these redirects name a host and a path, and behind a proxy the wrong ones
    )
    app.add_middleware(GZipMiddleware, minimum_size=COMPRESSED_FROM)
    app.add_middleware(BodyLimit)
    # By name: the Starlette of fastapi 0.115 hands positions over beside `app`. The last is asked first.
    app.add_middleware(
        BasicAuth, user=s.basic_auth_user, password=s.basic_auth_pass, only=MACHINES if s.login_header else None
    )
    app.add_middleware(Login, header=s.login_header, proxies=s.proxy_networks)
    app.add_middleware(SameOrigin)
    app.add_middleware(SubPath, prefix=s.sub_path)
    _add_errors(app)
    projects = AttachedProjects(context)
    _add_machine_routes(app, context, head or TrainedHeads(context), projects)
    _add_project_routes(app, context)
    add_learning_routes(app, context)
    add_doctor_routes(app, context)
    add_page_routes(app, context, projects)
    add_ui(app)
    return app


def _add_errors(app: FastAPI) -> None:
    def known(request: Request, error: Exception) -> JSONResponse:
        found = problem(error)
        return JSONResponse({"error": found.name, "message": found.message}, found.status)

    def invalid(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        return known(request, InvalidRequest(f"{field}: {first['msg']} (given: {first.get('input')!r:.80})"))

    def http(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        name = HTTPStatus(error.status_code).phrase.replace(" ", "")
        body = {"error": name, "message": f"{request.method} {request.url.path}: {error.detail}"}
        return JSONResponse(body, error.status_code, error.headers)

    app.add_exception_handler(HTTPException, http)
    for kind in KNOWN:
        app.add_exception_handler(kind, known)
    app.add_exception_handler(RequestValidationError, invalid)


def _add_machine_routes(app: FastAPI, context: Context, head: Head, projects: AttachedProjects) -> None:
    """The routes that Label Studio calls. It waits 1 s for /health and /webhook, 3 s for /setup."""

    @app.get("/health")
    def health() -> dict[str, str]:
        """Whether the backend is up; the one route that never asks for a password."""
        return {"status": "UP", "model_class": "SeedQueue", "version": version("seedqueue")}

    @app.post("/setup")
    def setup(body: SetupBody) -> dict[str, str]:
        """Label Studio's greeting: the version of the project's head."""
        project = project_id(body.project)
        projects.greeted(project)
        return {"model_version": head.version(project)}

    @app.post("/predict")
    def predict(body: PredictBody) -> dict[str, Any]:
        """Pre-annotations: one list of predictions per task."""
        project = project_id(body.project)
        results = head.predict(project, body.tasks, body.label_config or "")
        return {"results": results, "model_version": head.version(project)}

    @app.post("/webhook", status_code=202)
    def webhook(body: Annotated[Any, Body()]) -> dict[str, str]:
        """Events of Label Studio: accepted at once, worked off by the workers."""
        event = events.parse(body)
        outcome = triggers.receive(context, event)
        return {"event": event.action, "outcome": outcome, **triggers.told(context, event)}

    @app.get("/metrics", response_class=PlainTextResponse)
    def prometheus() -> Response:
        """Jobs, workers, runs, queues, versions and event lag, for Prometheus."""
        return Response(metrics.exposition(context), media_type=metrics.CONTENT_TYPE)

    @app.get("/versions")
    def versions() -> dict[str, list[str]]:
        """All versions of the heads."""
        return {"versions": head.versions()}


def _add_project_routes(app: FastAPI, context: Context) -> None:
    """The admin's routes, under /api/projects/<id>."""
    base = "/api/projects/{project}"

    @app.get(base)
    def state(project: Project) -> dict[str, Any]:
        """The newest run with its progress, the published one, and the unreadable images."""
        return describe(seeding.status(context, project))

    @app.post(f"{base}/seed", status_code=202)
    def seed(project: Project, body: ChoicesBody | None = None) -> dict[str, Any]:
        """Make a seed queue, or replace the one that stands: `budget`, `selector`, ...; `dry_run` only shows it."""
        choices = seeding.choices_from(body.model_dump() if body else {}, context.settings)
        return run_fields(seeding.request_seed(context, project, choices))

    @app.post(f"{base}/extend", status_code=202)
    def extend(project: Project, budget: Annotated[Any, Body(embed=True)]) -> dict[str, Any]:
        """Lengthen the seed queue to `budget` tasks; the first ones keep their ranks."""
        return run_fields(seeding.request_extension(context, project, budget))

    @app.get(f"{base}/queue")
    def queue(project: Project) -> dict[str, Any]:
        """The seed queue that stands, in rank order."""
        run, tasks = seeding.standing_queue(context, project)
        return {"run": run_fields(run), "queue": [asdict(task) for task in tasks]}

    @app.delete(f"{base}/queue")
    def undo(project: Project) -> dict[str, Any]:
        """Take the seed queue away: the project is as it was before."""
        return run_fields(detaching.undo(context, project))


def describe(found: seeding.Status) -> dict[str, Any]:
    """A project's status as JSON."""
    return {
        "project": found.project,
        "run": run_fields(found.run) if found.run else None,
        "progress": asdict(found.progress) if found.progress else None,
        "waiting": found.waiting,
        "published": found.published.number if found.published else None,
        "unreadable": [asdict(one) for one in found.unreadable],
    }
