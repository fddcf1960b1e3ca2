"""Jobs, workers, events and errors as the health view tells them, over a real Redis and real RQ workers."""

from __future__ import annotations

import importlib
import re
import sys
import uuid
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from fastapi.testclient import TestClient
from rq import Queue, Worker
from rq.serializers import JSONSerializer

from seedqueue.backend import activity, events, known_jobs, presence, triggers
from seedqueue.backend.app import create_app
from seedqueue.backend.broker import Broker
from seedqueue.backend.context import Context
from seedqueue.backend.records import Choices, Run
from seedqueue.backend.settings import Settings
from seedqueue.backend.worker import WarmWorker

Payload = Callable[[str], dict[str, Any]]


@pytest.fixture
def context(redis_url: str, nobody: str, tmp_path: Path) -> Iterator[Context]:
    url = f"http://{nobody}/{uuid.uuid4().hex}"
    settings = Settings(
        label_studio_url=url, label_studio_api_key="a" * 40, redis_url=redis_url, home=tmp_path / "home"
    )
    with Context(settings) as opened:
        yield opened


def worker(broker: Broker) -> WarmWorker:
    lanes = ("control", "embed")
    return WarmWorker([broker.queue(lane) for lane in lanes], connection=broker.redis, serializer=JSONSerializer)


def test_every_event_is_noted_newest_first_and_20_are_kept(context: Context, payload: Payload) -> None:
    start = events.parse(payload("START_TRAINING"))
    updated = events.parse(payload("PROJECT_UPDATED"))
    for _ in range(activity.EVENTS):
        triggers.receive(context, updated)
    assert triggers.receive(context, start) == "enqueued"
    assert triggers.receive(context, start) == "repeated"
    found = activity.last_events(context.broker)
    assert len(found) == activity.EVENTS
    assert [one.outcome for one in found[:3]] == ["repeated", "enqueued", "ignored"]
    assert [one.action for one in found[:3]] == ["START_TRAINING", "START_TRAINING", "PROJECT_UPDATED"]
    assert {one.project for one in found} == {updated.project}
    assert len({one.at for one in found}) == activity.EVENTS
    assert [one.at for one in found] == sorted((one.at for one in found), reverse=True)


def test_an_event_is_noted_in_one_exchange(context: Context, payload: Payload, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []
    broker = context.broker
    pipeline = broker.redis.pipeline
    monkeypatch.setattr(broker.redis, "execute_command", lambda *command: sent.append(command[0]))
    monkeypatch.setattr(broker.redis, "pipeline", lambda: sent.append("pipeline") or pipeline())
    activity.note_event(broker, events.parse(payload("PROJECT_UPDATED")), "ignored")
    assert sent == ["pipeline"]


def test_two_backends_on_one_redis_keep_their_events_apart(redis_url: str, payload: Payload) -> None:
    one, other = (Broker(redis_url, uuid.uuid4().hex[:8]) for _ in range(2))
    activity.note_event(one, events.parse(payload("PROJECT_UPDATED")), "ignored")
    assert len(activity.last_events(one)) == 1
    assert activity.last_events(other) == []
    for broker in (one, other):
        broker.close()


def test_jobs_are_counted_by_lane(broker: Broker) -> None:
    broker.enqueue("embed", "probe.work", 1)
    broker.enqueue("embed", "probe.work", 2)
    broker.enqueue("control", "probe.work", 1, delay=60)
    found = {load.lane: (load.waiting, load.running, load.failed) for load in activity.loads(broker)}
    assert found == {"control": (1, 0, 0), "embed": (2, 0, 0), "learn": (0, 0, 0), "experiment": (0, 0, 0)}


def test_a_worker_is_known_with_its_lanes_and_lost_without_a_sign_of_life(broker: Broker) -> None:
    assert presence.workers(broker) == []
    one = worker(broker)
    one.register_birth()
    [found] = presence.workers(broker)
    assert (found.name, found.state, found.lanes) == (one.name, "lost", ("control", "embed"))
    presence.sign_of_life(broker, one.name)
    [found] = presence.workers(broker)
    assert found.state != "lost"
    assert found.seen.endswith("+00:00")
    one.register_death()
    assert presence.workers(broker) == []


def test_the_workers_of_another_backend_are_not_ours(redis_url: str, broker: Broker) -> None:
    strangers = presence.strangers(broker)  # those that other tests have killed
    other = Broker(redis_url, uuid.uuid4().hex[:8])
    theirs = worker(other)
    theirs.register_birth()
    assert presence.workers(broker) == []
    assert presence.strangers(broker) == strangers + 1
    assert presence.strangers(other) == strangers
    label_studios_own = Worker([Queue("low", connection=broker.redis)], connection=broker.redis)
    label_studios_own.register_birth()
    assert presence.strangers(broker) == strangers + 1
    label_studios_own.register_death()
    theirs.register_death()
    other.close()


@pytest.mark.usefixtures("signals_as_before")
def test_a_failed_job_is_told_in_one_line(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    broker = context.broker

    def fails(project: int, number: int) -> None:
        raise ValueError("the picture fell\n  off the wall")

    jobs = ModuleType("seedqueue.backend.probe")
    jobs.__dict__["work"] = fails
    monkeypatch.setitem(known_jobs.JOBS, "probe.work", "a test")
    monkeypatch.setitem(sys.modules, jobs.__name__, jobs)
    broker.queue("control").enqueue("seedqueue.backend.probe.work", 7, 1, failure_ttl=60)
    worker(broker).work(burst=True, logging_level="CRITICAL")
    [fault] = activity.last_errors(context)
    assert (fault.project, fault.what) == (7, "a test")
    assert fault.message == "ValueError: the picture fell"
    assert fault.at.endswith("+00:00")
    assert next(load.failed for load in activity.loads(broker) if load.lane == "control") == 1


def test_failed_runs_and_trainings_are_told_newest_first(context: Context) -> None:
    records = context.records
    choices = Choices(2, "hog", "kmeans", 0)
    records.save_run(Run(1, 1, "embedding", choices))
    records.save_run(Run(1, 1, "failed", choices, error="None of the 4 images could be read"))
    records.save_run(Run(1, 2, "published", choices))
    records.append("learning", 1, 0, {"outcome": "trained", "message": "linear 1", "at": "x"})
    records.append("learning", 2, 0, {"outcome": "failed", "message": "There is nothing to train", "at": "x"})
    found = activity.last_errors(context)
    told = [(one.project, one.what, one.message) for one in sorted(found, key=lambda one: one.project or 0)]
    assert told == [
        (1, "run 1", "None of the 4 images could be read"),
        (2, "training", "There is nothing to train"),
    ]
    assert [one.at for one in found] == sorted((one.at for one in found), reverse=True)


def test_at_most_20_errors_are_told_the_newest(context: Context) -> None:
    for number in range(activity.ERRORS + 3):
        context.records.append("learning", number, 0, {"outcome": "failed", "message": "m", "at": "x"})
    assert len(activity.last_errors(context)) == activity.ERRORS


@pytest.mark.parametrize(
    ("trace", "line"),
    [
        ("Traceback (most recent call last):\n  File x\n    y\nValueError: bad\n", "ValueError: bad"),
        ("Traceback\n  File x\nseedqueue.backend.errors.Busy: held: long\n\n", "Busy: held: long"),
        (
            "Moved to FailedJobRegistry, due to AbandonedJobError, at 12",
            "Moved to FailedJobRegistry, due to AbandonedJobError, at 12",
        ),
        ("KeyError\n", "KeyError"),
        ("", ""),
        ("   \n  x\n", ""),
    ],
)
def test_the_last_line_of_a_traceback(trace: str, line: str) -> None:
    assert activity.last_line(trace) == line


def test_the_route_has_the_fields_of_the_contract(context: Context, payload: Payload) -> None:
    context.records.append("learning", 2, 0, {"outcome": "failed", "message": "<img src=x>", "at": "x"})
    one = worker(context.broker)
    one.register_birth()
    with TestClient(create_app(context)) as client:
        client.post("/webhook", json=payload("ANNOTATION_CREATED"))
        found = client.get("/api/activity").json()
    one.register_death()
    assert set(found) == {"queues", "workers", "events", "errors"}
    assert [set(found[name][0]) for name in found] == [
        {"lane", "waiting", "running", "failed"},
        {"name", "state", "lanes", "seen"},
        {"action", "project", "outcome", "at"},
        {"project", "what", "message", "at"},
    ]
    assert found["events"][0]["action"] == "ANNOTATION_CREATED"
    assert asdict(activity.last_events(context.broker)[0]) == found["events"][0]


def test_workers_know_every_job_that_is_enqueued() -> None:
    sources = [file.read_text() for file in Path(activity.__file__).parent.rglob("*.py")]
    asked = {job for source in sources for job in re.findall(r'\.enqueue\(\s*"\w+", "(\w+\.\w+)"', source)}
    steps = {f"jobs.{step}" for step in ("start", "embed_shard", "finish")}
    assert asked | steps == set(known_jobs.JOBS)
    for job in known_jobs.JOBS:
        module, _, function = job.partition(".")
        assert callable(getattr(importlib.import_module(f"seedqueue.backend.{module}"), function))
