"""Mixed traffic for half an hour: every process of the backend levels off. Samples are in build/memory.csv.

In the first half annotations, versions and rounds are made, and what is read of them grows with them. In the second
half the same events, pages and predictions come, but nothing new is learnt: from there on memory must be level.

make soak SEEDQUEUE_SOAK_MINUTES=30
"""

from __future__ import annotations

import time
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from growth import LARGEST_SLOPE, Growth, serving
from image_server import ImageServer
from load import MINUTES, RESULTS, event, note, post
from running import CHOICE, Backend

from seedqueue.backend import seeding
from seedqueue.backend.demo.annotator import Annotator

pytestmark = pytest.mark.soak

Annotators = Callable[[int, int], list[Annotator]]


def test_memory_stays_level_under_mixed_traffic(
    make_backend: Callable[..., Backend], many: Callable[..., ImageServer], annotators: Annotators
) -> None:
    backend = make_backend(budget=6)
    projects = [backend.new_project(many(60, 32, 80 + number).urls()) for number in range(4)]
    for project in projects:
        backend.attach(project)
        backend.seed(project, budget=6)
    [annotator] = annotators(projects[0], 1)
    port = urlsplit(backend.url).port
    serve = serving(lambda command: "serve" in command and str(port) in command and "children.py" not in str(command))
    turn, kept, minutes = 0, list[int](), 0
    ends = time.monotonic() + 60 * MINUTES
    with Growth(serve, backend.context, RESULTS.with_name("memory.csv")) as growth:
        while time.monotonic() < ends:
            turn += 1
            left = (ends - time.monotonic()) / 60
            _traffic(backend, annotator, left > MINUTES / 2, projects, turn, kept)
            if left > MINUTES / 2 and (due := int(MINUTES - left)) > minutes:
                minutes = due
                _seed_again(backend, projects[minutes % len(projects)], minutes)
    assert growth.error is None
    missed = []
    for name in growth.columns(" MB"):
        first, early, late = growth.quarters(name)
        slope, level = growth.slope(name), growth.is_level(name)
        seen = f"{first:.0f}, then {early:.0f} and {late:.0f} MB in the last quarters, {slope:+.2f} MB a minute there"
        made = growth.slope(name, half=0)
        note(f"{name} while versions and rounds are made", "below 1 MB a minute", f"{made:+.2f}", made < LARGEST_SLOPE)
        note(f"{name} over {MINUTES:g} min", "5 % and 10 MB more, below 1 MB a minute", seen, level)
        missed += [] if level else [name]
    for name in growth.columns(" open files"):
        _, early, late = growth.quarters(name)
        level = late <= early + 10
        note(f"{name} over {MINUTES:g} min", "at most 10 more", f"{early:.0f}, then {late:.0f}", level)
        missed += [] if level else [name]
    for name in (*growth.columns("home"), "keys in Redis"):
        told = [sample[name] for sample in growth.samples]
        note(f"{name} over {MINUTES:g} min", "reported", f"{told[0]:.0f}, then {told[-1]:.0f}", True)
    made = {project: len(backend.context.versions.all(project)) for project in projects}
    note(f"turns, rounds and versions of {MINUTES:g} min", "reported", f"{turn}, {minutes}, {sum(made.values())}", True)
    assert not missed


def _traffic(
    backend: Backend, annotator: Annotator, labels: bool, projects: list[int], turn: int, kept: list[int]
) -> None:
    """A second's work or so: events, looks at the page, predictions, an annotation. kept: annotations that stand."""
    project = projects[turn % len(projects)]
    for _ in range(10):
        assert post(backend.url, event("ANNOTATION_CREATED", project, 1, 1)) == 202
    for path in ("", "/queue", "/learning", "/pool", "/versions"):
        assert backend.get(f"/api/projects/{project}{path}").status_code in (200, 404)
    assert backend.get("/metrics").status_code == 200
    backend.post("/setup", {"project": f"{project}.1"})
    task = annotator.next_task()
    if task is not None:
        shown = {"tasks": [{"id": task["id"], "data": task["data"]}], "project": f"{projects[0]}.1"}
        assert backend.post("/predict", shown).status_code == 200
        backend.get(f"/api/projects/{projects[0]}/tasks/{task['id']}/thumbnail")
        if labels:
            kept.append(annotator.submit(task["id"], CHOICE))
    if len(kept) > 30:  # the pool lasts, and there is always something new to learn
        annotator.studio.call("DELETE", f"/api/annotations/{kept.pop(0)}/", missing_ok=True)
    time.sleep(0.2)


def _seed_again(backend: Backend, project: int, minute: int) -> None:
    latest = seeding.status(backend.context, project).run
    if latest is None or not latest.active:
        assert backend.post(f"/api/projects/{project}/seed", {"budget": 4 + minute % 5}).status_code < 300
