"""Load, measured: what each check expects and what was seen goes into build/soak.jsonl, a line a figure.

    make soak

The load comes from this process, on the cores that backend, Label Studio and Redis share.
"""

from __future__ import annotations

import http.client
import io
import json
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from growth import Growth, serving
from image_server import ImageServer
from PIL import Image
from running import CHOICE, Backend, Eventually

from seedqueue.backend import jobs, seeding
from seedqueue.backend.demo.annotator import Annotator

pytestmark = pytest.mark.soak

PAYLOADS = Path(__file__).resolve().parents[1] / "payloads"
RESULTS = Path(__file__).resolve().parents[2] / "build/soak.jsonl"
MINUTES = float(os.environ.get("SEEDQUEUE_SOAK_MINUTES", "30"))
TASKS = int(os.environ.get("SEEDQUEUE_SOAK_TASKS", "50000"))

Annotators = Callable[[int, int], list[Annotator]]


def note(what: str, expected: str, seen: object, met: bool) -> None:
    """One figure, as it was seen."""
    RESULTS.parent.mkdir(exist_ok=True)
    told = {"what": what, "expected": expected, "seen": seen, "met": met}
    with RESULTS.open("a") as sink:
        sink.write(json.dumps(told) + "\n")
    print(f"{what}: {seen} (expected {expected}){'' if met else ': MISSED'}")


def pictures(count: int, side: int = 16, seed: int = 0) -> dict[str, bytes]:
    """Small grey noise, each picture another one."""
    rng = np.random.default_rng(seed)
    made: dict[str, bytes] = {}
    for number in range(count):
        stream = io.BytesIO()
        Image.fromarray(rng.integers(0, 256, (side, side), dtype=np.uint8)).save(stream, "PNG")
        made[f"{seed}-{number:06d}.png"] = stream.getvalue()
    return made


@pytest.fixture
def many(request: pytest.FixtureRequest) -> Iterator[Callable[..., ImageServer]]:
    opened: list[ImageServer] = []

    def start(*arguments: int) -> ImageServer:
        opened.append(ImageServer(pictures(*arguments)))
        opened[-1].__enter__()
        return opened[-1]

    yield start
    for server in opened:
        server.__exit__(None, None, None)


def event(name: str, project: int, task: int, annotation: int) -> bytes:
    body = json.loads((PAYLOADS / f"{name}.json").read_text())["body"]
    body["project"]["id"] = project
    for key, value in (("task", task), ("annotation", annotation)):
        if isinstance(body.get(key), dict):
            body[key]["id"] = value
    return json.dumps(body).encode()


def post(url: str, body: bytes) -> int:
    """As Label Studio delivers events: a connection each."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=5)
    try:
        connection.request("POST", "/webhook", body, {"Content-Type": "application/json"})
        return connection.getresponse().status
    finally:
        connection.close()


def test_a_hundred_events_a_second(
    make_backend: Callable[..., Backend],
    many: Callable[..., ImageServer],
    annotators: Annotators,
    eventually: Eventually,
) -> None:
    backend, seconds, rate = make_backend(), 60, 100
    project = backend.new_project(many(120).urls())
    backend.attach(project)
    backend.seed(project, budget=4)
    [annotator] = annotators(project, 1)
    for one in annotator.work(4):
        annotator.studio.call("PATCH", f"/api/annotations/{one.annotation}/", json={"result": CHOICE})
    bodies = [event(name, project, 1, 1) for name in ("ANNOTATION_CREATED", "ANNOTATION_UPDATED", "TASKS_CREATED")]
    before = len(backend.context.records.bodies("learning", project))
    began, latencies, codes = time.monotonic() + 1, [0.0] * (rate * seconds), Counter[int]()

    def deliver(number: int) -> None:
        due = began + number / rate
        time.sleep(max(0.0, due - time.monotonic()))
        codes[post(backend.url, bodies[number % len(bodies)])] += 1
        latencies[number] = time.monotonic() - due  # from when it was due: waiting counts

    answered = [task for task in (annotator.next_task() for _ in range(1)) if task]
    with ThreadPoolExecutor(64) as threads:
        list(threads.map(deliver, range(rate * seconds)))
    for one in annotator.work(10):
        annotator.studio.call("PATCH", f"/api/annotations/{one.annotation}/", json={"result": CHOICE})
    median, p99 = (1000 * float(np.percentile(latencies, share)) for share in (50, 99))
    note("events answered 2xx", "all of 6000", sum(n for code, n in codes.items() if code < 300), set(codes) == {202})
    note("events, median", "20 ms", f"{median:.1f} ms", median <= 20)
    note("events, p99", "100 ms", f"{p99:.1f} ms", p99 <= 100)
    note("events, slowest", "1 s", f"{max(latencies):.3f} s", max(latencies) < 1)

    def learnt() -> bool:
        made = backend.context.versions.all(project)
        return bool(made) and len(made[-1].annotations) >= 14

    eventually(learnt, 180, "a version of all annotations")
    told = len(backend.context.records.bodies("learning", project)) - before
    note("trainings and refreshes of 6000 events", "at most 40", told, told <= 40)
    assert answered
    assert set(codes) == {202}


def test_ten_projects_at_once_share_the_workers(
    make_backend: Callable[..., Backend], many: Callable[..., ImageServer]
) -> None:
    backend = make_backend(workers=2, shard_images=5)
    equal = [backend.new_project(many(40, 64, seed).urls()) for seed in range(1, 11)]
    began = time.monotonic()
    runs = [backend.request(project, budget=5) for project in equal]
    first, embedded, ends = dict[int, float](), dict[int, float](), dict[int, float]()
    while len(ends) < len(runs):
        for run in runs:
            found, seconds = backend.context.records.run(run.project, run.number), time.monotonic() - began
            assert found is not None
            assert found.state != "failed", found.error
            progress = backend.context.broker.progress(jobs.progress_key(run))
            if progress is not None and progress.done:
                first.setdefault(run.project, seconds)
            if found.state in ("selecting", "publishing", "published"):
                embedded.setdefault(run.project, seconds)
            if found.state == "published":
                ends.setdefault(run.project, seconds)
        time.sleep(0.02)
    shared = max(first.values()) <= min(embedded.values())
    told = f"last begins after {max(first.values()):.1f} s, first ends after {min(embedded.values()):.1f} s"
    note("10 equal projects: each embeds before one is through", "all of them", told, shared)
    spread = max(embedded.values()) / min(embedded.values())
    note("10 equal projects: last embedded by first embedded", "below 2", f"{spread:.2f}", spread < 2)
    note("10 equal projects: published after", "reported", " ".join(f"{t:.0f}" for t in sorted(ends.values())), True)
    large = backend.new_project(many(2000, 64, 20).urls())
    small = [backend.new_project(many(40, 64, seed).urls()) for seed in range(21, 26)]
    ahead = backend.request(large, budget=5)
    others = [backend.request(project, budget=5) for project in small]
    ended = [backend.ended(run, seconds=300) for run in others]
    still = backend.context.records.run(large, ahead.number)
    assert still is not None
    waits = still.state == "embedding"
    note("5 small projects behind one of 2,000 images", "end before it", "they do" if waits else "they do not", waits)
    assert {run.state for run in ended} == {"published"}
    assert backend.ended(ahead, seconds=600).state == "published"
    assert waits
    assert shared


def test_three_annotators_meet_tasks_all_the_time_while_rounds_are_published(
    make_backend: Callable[..., Backend], many: Callable[..., ImageServer], annotators: Annotators
) -> None:
    backend = make_backend()
    project = backend.new_project(many(400, 32, 40).urls())
    backend.attach(project)
    backend.seed(project, budget=20)
    done, empty, served = threading.Event(), Counter[int](), Counter[int]()
    drawn: dict[Annotator, list[tuple[str, float]]] = {}

    def label(annotator: Annotator) -> None:
        path, order = f"/api/projects/{project}", drawn.setdefault(annotator, [])
        while not done.is_set():
            before = annotator.studio.call("GET", path)["model_version"]
            task = annotator.next_task()
            if task is None:
                empty[0] += 1
                continue
            served[task["id"]] += 1
            if annotator.studio.call("GET", path)["model_version"] == before:  # no switch while it was drawn
                order += [(before, one["score"]) for one in task["predictions"] if one["model_version"] == before]
            annotator.submit(task["id"], CHOICE)

    with ThreadPoolExecutor(3) as threads:
        working = [threads.submit(label, one) for one in annotators(project, 3)]
        for number in range(5):
            ended = backend.ended(backend.request(project, budget=20 + number), seconds=180)
            assert ended.state == "published", ended.error
        done.set()
        for each in working:
            each.result()
    repeated = sum(count - 1 for count in served.values())
    note("'no tasks' told to three annotators over five publications", "never", empty[0], not empty)
    note("tasks served twice (sqlite locks no rows)", "reported", f"{repeated} of {sum(served.values())}", True)
    pairs = [pair for order in drawn.values() for pair in pairwise(order)]
    back = sum(one[0] == two[0] and two[1] < one[1] for one, two in pairs)
    # A task that was locked when the round changed comes first, once an annotator and round.
    note("draws behind one of a higher rank", "at most 1 each and round", f"{back} of {len(pairs)}", back <= 15)
    note("rounds in which they drew", "reported", len({version for one in pairs for version, _ in one}), True)
    assert not empty
    assert sum(served.values()) > 20
    assert len(pairs) > 20
    assert back <= 15


def test_a_project_of_50000_tasks(
    make_backend: Callable[..., Backend],
    many: Callable[..., ImageServer],
    annotators: Annotators,
    eventually: Eventually,
) -> None:
    backend, images = make_backend(workers=2, embedder="pixels"), many(TASKS + 1000, 16, 60)
    urls, studio = images.urls(), backend.context.studio
    project = backend.new_project([])
    for start in range(0, TASKS, 10_000):
        body = [{"image": url} for url in urls[start : min(start + 10_000, TASKS)]]
        studio.call("POST", f"/api/projects/{project}/import", json=body, slow=True)
    backend.attach(project)
    began = time.monotonic()
    ended = backend.ended(backend.request(project, budget=100), seconds=3600)
    assert ended.state == "published", ended.error
    assert ended.tasks == TASKS
    spent = time.monotonic() - began
    note(f"{TASKS} tasks: seed queue of 100 in place after", "reported", f"{spent:.0f} s", True)
    [annotator] = annotators(project, 1)
    queue = [one.task for one in backend.context.records.queue(project, 1)]
    assert [one.task for one in annotator.work(5)] == queue[:5]
    for path in (f"/api/projects/{project}", f"/api/projects/{project}/queue"):
        began = time.monotonic()
        assert backend.get(path).status_code == 200
        spent = time.monotonic() - began
        note(f"{TASKS} tasks: GET {path.replace(str(project), 'N')}", "1 s", f"{spent:.2f} s", spent < 1)
    studio.call("POST", f"/api/projects/{project}/import", json=[{"image": url} for url in urls[TASKS:]], slow=True)
    began, instance = time.monotonic(), backend.context.settings.label_studio_url

    def embedded() -> bool:
        return len(backend.context.sources.known(instance, project)) == TASKS + 1000

    eventually(embedded, 900, "the embeddings of the 1,000 new tasks")
    note(f"{TASKS} tasks: 1,000 more embedded after", "reported", f"{time.monotonic() - began:.0f} s", True)


def test_memory_stays_level_under_mixed_traffic(
    make_backend: Callable[..., Backend], many: Callable[..., ImageServer], annotators: Annotators
) -> None:
    backend = make_backend(budget=6)
    projects = [backend.new_project(many(60, 32, 80 + number).urls()) for number in range(4)]
    for project in projects:
        backend.attach(project)
        backend.seed(project, budget=6)
    [annotator] = annotators(projects[0], 1)
    port, warm_up = urlsplit(backend.url).port, min(8.0, MINUTES / 3)
    serve = serving(lambda command: "serve" in command and str(port) in command and "children.py" not in str(command))
    turn, kept, minutes = 0, list[int](), 0
    ends = time.monotonic() + 60 * MINUTES
    with Growth(serve, backend.context, RESULTS.with_name("memory.csv")) as growth:
        while time.monotonic() < ends:
            turn += 1
            _traffic(backend, annotator, projects, turn, kept)
            if (due := int((60 * MINUTES - ends + time.monotonic()) / 60)) > minutes:
                minutes = due
                _seed_again(backend, projects[minutes % len(projects)], minutes)
    assert growth.error is None
    missed = []
    for name in growth.columns(" MB"):
        early, late = growth.quarters(name)
        slope, level = growth.slope(name, warm_up), growth.is_level(name, warm_up)
        seen = f"{early:.0f} MB in the second quarter, {late:.0f} MB in the last, {slope:+.2f} MB a minute"
        note(f"{name} over {MINUTES:g} min", "5 % and 10 MB more, below 1 MB a minute", seen, level)
        missed += [] if level else [name]
    for name in growth.columns(" open files"):
        early, late = growth.quarters(name)
        level = late <= early + 10
        note(f"{name} over {MINUTES:g} min", "at most 10 more", f"{early:.0f}, then {late:.0f}", level)
        missed += [] if level else [name]
    for name in (*growth.columns("home"), *growth.columns("disk, MB"), "keys in Redis"):
        told = [sample[name] for sample in growth.samples]
        note(f"{name} over {MINUTES:g} min", "reported", f"{told[0]:.0f}, then {told[-1]:.0f}", True)
    made = {project: len(backend.context.versions.all(project)) for project in projects}
    note(f"turns, rounds and versions of {MINUTES:g} min", "reported", f"{turn}, {minutes}, {sum(made.values())}", True)
    assert not missed


def _traffic(backend: Backend, annotator: Annotator, projects: list[int], turn: int, kept: list[int]) -> None:
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
        kept.append(annotator.submit(task["id"], CHOICE))
    if len(kept) > 30:  # the pool lasts, and there is always something new to learn
        annotator.studio.call("DELETE", f"/api/annotations/{kept.pop(0)}/", missing_ok=True)
    time.sleep(0.2)


def _seed_again(backend: Backend, project: int, minute: int) -> None:
    latest = seeding.status(backend.context, project).run
    if latest is None or not latest.active:
        assert backend.post(f"/api/projects/{project}/seed", {"budget": 4 + minute % 5}).status_code < 300
