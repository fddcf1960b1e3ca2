"""What the admin's page asks for beside seed queues and heads: projects, menus, dry runs, the map, reasons."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import Body, FastAPI, Path
from fastapi.responses import Response

from seedqueue.backend import attached, chosen, drawing, menus, seeding
from seedqueue.backend.attached import AttachedProjects, ProjectSummary
from seedqueue.backend.context import Context
from seedqueue.backend.events import LARGEST_ID
from seedqueue.backend.page_errors import NoMap
from seedqueue.backend.records import Run
from seedqueue.backend.thumbnails import Thumbnails
from seedqueue.backend.why import why

Project = Annotated[int, Path(ge=1, le=LARGEST_ID)]
Number = Annotated[int, Path(ge=1, le=LARGEST_ID)]
Tasks = Annotated[list[Annotated[int, Body(ge=1, le=LARGEST_ID)]], Body()]
KEPT = {"Cache-Control": "private, max-age=3600"}


def add_page_routes(app: FastAPI, context: Context, projects: AttachedProjects) -> None:
    _add_menus(app, context, projects)
    _add_queues(app, context)
    _add_map(app, context)


def _add_menus(app: FastAPI, context: Context, attached_ones: AttachedProjects) -> None:
    @app.get("/api/projects")
    def projects() -> dict[str, Any]:
        """The projects to which this backend is attached, with the state of their seed queues."""
        listed = [told(seeding.status(context, one.id), one) for one in attached_ones.listed()]
        return {"label_studio": context.studio.public_url, "projects": listed}

    @app.get("/api/projects/{project}/pool")
    def pool(project: Project) -> dict[str, Any]:
        """How many tasks Label Studio has and how many are labelled, and the fields by which they can be grouped."""
        described = attached.summary(context.studio, project)
        return {**asdict(described), "fields": attached.fields_of_tasks(context.studio, project)}

    @app.get("/api/options")
    def options() -> dict[str, Any]:
        """What a seed queue can be made with: the defaults, embedders and selectors, and what each lacks."""
        s = context.settings
        names = (
            "budget",
            "selector",
            "random_seed",
            "weak_label",
            "group_field",
            "per_group",
            "near_duplicate",
            "audit",
        )
        defaults = {name: getattr(s, name) for name in names}
        embedder_menu = menus.embedder_menu(s)
        return {
            "defaults": {**defaults, "embedder": embedder_menu[0].name},
            "embedders": [asdict(item) for item in embedder_menu],
            "selectors": [asdict(item) for item in menus.selector_menu(first_round=True)],
            "round_selectors": [asdict(item) for item in menus.selector_menu(first_round=False)],
        }


def _add_queues(app: FastAPI, context: Context) -> None:
    base = "/api/projects/{project}/runs/{number}"

    @app.get(f"{base}/queue")
    def queue(project: Project, number: Number) -> dict[str, Any]:
        """What a run chose, in rank order; of a dry run too."""
        run, tasks = chosen.queue_of(context, project, number)
        return {"run": run_fields(run), "queue": [asdict(task) for task in tasks]}

    @app.post(f"{base}/publish", status_code=202)
    def publish(project: Project, number: Number, add: Tasks = [], remove: Tasks = []) -> dict[str, Any]:  # noqa: B006
        """Put a dry run's queue in place, or change the standing one: `add` at its end, `remove` from it."""
        return run_fields(chosen.request_publication(context, project, number, add, remove))

    @app.delete(base)
    def stop(project: Project, number: Number) -> dict[str, Any]:
        """Stop a dry run that is under way; the queue that stands stays."""
        return run_fields(chosen.stop(context, project, number))


def _add_map(app: FastAPI, context: Context) -> None:
    base = "/api/projects/{project}"
    thumbnails = Thumbnails(context)

    @app.get(f"{base}/map")
    def pool_map(project: Project) -> dict[str, Any]:
        """The pool in the plane, a list a column: places, clusters, labels, predictions, the nearest labelled task."""
        found = context.maps.newest(project)
        if found is None:
            raise NoMap(project)
        return found.as_fields()

    @app.post(f"{base}/map", status_code=202)
    def draw(project: Project) -> dict[str, Any]:
        """Draw the map anew."""
        drawing.ask(context, project)
        return {"project": project, "outcome": "enqueued"}

    @app.get(f"{base}/tasks/{{task}}/why")
    def reasons(project: Project, task: Number) -> dict[str, Any]:
        """Why a task stands in the queue, or why not: rank, cluster, what it stands for, what it is most like."""
        return asdict(why(context, project, task))

    @app.get(f"{base}/tasks/{{task}}/thumbnail", response_class=Response)
    def thumbnail(project: Project, task: Number) -> Response:
        """A task's image as a JPEG of at most 160 x 160 pixels."""
        return Response(thumbnails.jpeg(project, task), media_type="image/jpeg", headers=KEPT)


def told(found: seeding.Status, project: ProjectSummary) -> dict[str, Any]:
    """A project in a line."""
    run, progress = found.run, found.progress
    published = found.published
    return {
        **asdict(project),
        "state": run.state if run else "no seed queue",
        "done": progress.done if progress else None,
        "total": progress.total if progress else None,
        "published": published.number if published else None,
        "budget": published.choices.budget if published else None,
    }


def run_fields(run: Run) -> dict[str, Any]:
    return {**asdict(run), "version": run.version}
