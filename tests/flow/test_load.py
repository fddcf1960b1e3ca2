"""Load, measured: what each check expects and what was seen goes into build/soak.jsonl, a line a figure.

    make soak

The load comes from this process, on the cores that backend, Label Studio and Redis share.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import pytest
from image_server import ImageServer
from load import TASKS, event, note, post
from running import CHOICE, Backend, Eventually

from seedqueue.backend import progress, publish, steps
from seedqueue.backend.demo.annotator import Annotator

pytestmark = pytest.mark.soak

Annotators = Callable[[int, int], list[Annotator]]


def burst(url: str, bodies: list[bytes], seconds: int, rate: int = 100) -> tuple[Counter[int], list[float]]:
    """Events at fixed times whatever the answers; the codes, and ms from when each was due: waiting counts."""
    began, latencies, codes = time.monotonic() + 1, [0.0] * (rate * seconds), Counter[int]()

    def deliver(number: int) -> None:
        due = began + number / rate
        time.sleep(max(0.0, due - time.monotonic()))
        codes[post(url, bodies[number % len(bodies)])] += 1
        latencies[number] = 1000 * (time.monotonic() - due)

    with ThreadPoolExecutor(64) as threads:
        list(threads.map(deliver, range(rate * seconds)))
    return codes, latencies


def note_latencies(beside: str, codes: Counter[int], latencies: list[float]) -> None:
    median, p99 = (float(np.percentile(latencies, share)) for share in (50, 99))
    count = len(latencies)
    note(f"events {beside}: answered 202", f"{count} of {count}", codes[202], codes[202] == count)
    note(f"events {beside}: median", "20 ms", f"{median:.1f} ms", median <= 20)
    note(f"events {beside}: p99", "100 ms", f"{p99:.1f} ms", p99 <= 100)
    note(f"events {beside}: slowest", "1000 ms", f"{max(latencies):.0f} ms", max(latencies) < 1000)


def test_a_hundred_events_a_second(
    make_backend: Callable[..., Backend],
    many: Callable[..., ImageServer],
    annotators: Annotators,
    eventually: Eventually,
) -> None:
    backend = make_backend()
    project = backend.new_project(many(400).urls())
    backend.attach(project)
    backend.seed(project, budget=4)
    [annotator] = annotators(project, 1)
    made, done = set[int](), threading.Event()

    def label() -> None:
        while not done.is_set() and (task := annotator.next_task()) is not None:
            made.add(annotator.submit(task["id"], CHOICE))

    names = ("ANNOTATION_CREATED", "ANNOTATION_UPDATED", "TASKS_CREATED", "PROJECT_UPDATED")
    bodies = [event(name, project, 1, 1) for name in names]
    note_latencies("with Label Studio idle", *burst(backend.url, bodies, 30))
    reconciles = backend.context.broker.queue("control").finished_job_registry
    before = len(backend.context.records.bodies("learning", project)), reconciles.count
    with ThreadPoolExecutor(1) as threads:
        working = threads.submit(label)
        codes, latencies = burst(backend.url, bodies, 60)
        done.set()
        working.result()
    note_latencies("while an annotator works", codes, latencies)

    def learnt() -> bool:
        versions = backend.context.versions.all(project)
        return bool(versions) and {number for number, _ in versions[-1].annotations} == made

    eventually(learnt, 180, "a version of all annotations")
    note("annotations made meanwhile that the newest version has learnt from", "all", f"{len(made)} of them", True)
    told = len(backend.context.records.bodies("learning", project)) - before[0]
    note("trainings of 6000 events", "at most 40", told, told <= 40)
    told = reconciles.count - before[1]
    note("reconciles and other control jobs of 6000 events", "at most 60", told, told <= 60)
    assert set(codes) == {202}
    assert max(latencies) < 1000


def test_ten_projects_at_once_share_the_workers(
    make_backend: Callable[..., Backend], many: Callable[..., ImageServer]
) -> None:
    backend = make_backend(workers=2, shard_images=5)
    equal = [backend.new_project(many(100, 64, seed).urls()) for seed in range(1, 11)]
    began = time.monotonic()
    runs = [backend.request(project, budget=5) for project in equal]
    first, embedded, ends, done = dict[int, float](), dict[int, float](), dict[int, float](), list[float]()
    while len(ends) < len(runs):
        for run in runs:
            found, seconds = backend.context.records.run(run.project, run.number), time.monotonic() - began
            assert found is not None
            assert found.state != "failed", found.error
            share = progress.of(backend.context.broker, steps.progress_key(run))
            if share is not None and share.done:
                first.setdefault(run.project, seconds)
            if found.state in ("selecting", "publishing", "published"):
                embedded.setdefault(run.project, seconds)
            if found.state == "published":
                ends.setdefault(run.project, seconds)
        if embedded and not done:
            shares = [progress.of(backend.context.broker, steps.progress_key(run)) for run in runs]
            done = [each.done / each.total for each in shares if each and each.total]
            assert len(done) == len(runs)
        time.sleep(0.02)
    shared = max(first.values()) <= min(embedded.values())
    told = f"last begins after {max(first.values()):.1f} s, first ends after {min(embedded.values()):.1f} s"
    note("10 equal projects: each embeds before one is through", "all of them", told, shared)
    # Later ones wait for publications, which go before shards: no share of the embedding, and better for the mean.
    told = f"{min(done):.0%} to {max(done):.0%}"
    note("10 equal projects: embedded when the first is through", "half at least", told, min(done) >= 0.5)
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


def score_of(backend: Backend, project: int, version: str) -> dict[int, float]:
    """What the seeds of a round are served by."""
    queue = backend.context.records.queue(project, int(version.removeprefix("Seed queue ")))
    return publish.seed_scores([one.task for one in queue])


def test_three_annotators_meet_tasks_all_the_time_while_rounds_are_published(
    make_backend: Callable[..., Backend], many: Callable[..., ImageServer], annotators: Annotators
) -> None:
    backend = make_backend()
    project = backend.new_project(many(2000, 32, 40).urls())
    backend.attach(project)
    ended = backend.ended(backend.request(project, budget=20), seconds=180)
    assert ended.state == "published", ended.error
    done, empty, served = threading.Event(), Counter[int](), Counter[int]()
    drawn: dict[Annotator, list[tuple[str, int]]] = {}

    def label(annotator: Annotator) -> None:
        path, order = f"/api/projects/{project}", drawn.setdefault(annotator, [])
        while not done.is_set():
            before = annotator.studio.call("GET", path)["model_version"]
            task = annotator.next_task()
            if task is None:
                empty[0] += 1
                done.wait(0.2)
                continue
            served[task["id"]] += 1
            if annotator.studio.call("GET", path)["model_version"] == before:  # no switch while it was drawn
                order.append((before, task["id"]))
            annotator.submit(task["id"], CHOICE)

    with ThreadPoolExecutor(3) as threads:
        working = [threads.submit(label, one) for one in annotators(project, 3)]
        try:
            for number in range(5):
                ended = backend.ended(backend.request(project, budget=20 + number), seconds=180)
                assert ended.state == "published", ended.error
        finally:
            done.set()
        for each in working:
            each.result()
    repeated = sum(count - 1 for count in served.values())
    note("'no tasks' told to three annotators over five publications", "never", empty[0], not empty)
    note("tasks served twice (sqlite locks no rows)", "reported", f"{repeated} of {sum(served.values())}", True)
    pairs = [pair for order in drawn.values() for pair in pairwise(order) if pair[0][0] == pair[1][0]]
    seeds = {version: score_of(backend, project, version) for one in pairs for version, _ in one}
    back = sum(
        seeds[version].get(two, publish.tail_score(two)) < seeds[version].get(one, publish.tail_score(one))
        for (version, one), (_, two) in pairs
    )
    # A task that was locked when the round changed comes first, once an annotator and round.
    note("draws behind one of a higher rank", "at most 1 each and round", f"{back} of {len(pairs)}", back <= 15)
    note("rounds in which they drew", "reported", len(seeds), True)
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
    backend, images = make_backend(workers=2), many(TASKS + 1000, 16, 60)
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
