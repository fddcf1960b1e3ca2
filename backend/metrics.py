"""What Prometheus reads at `/metrics`: gathered from Redis and the records when it asks, nothing is kept here."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from seedqueue.backend import presence, progress, steps, waking
from seedqueue.backend.broker import LANES, STATES
from seedqueue.backend.context import Context
from seedqueue.backend.errors import KNOWN
from seedqueue.backend.records import Run

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class _Gauges:
    """Gauges by name, each described once."""

    def __init__(self) -> None:
        self.families: dict[str, Metric] = {}

    def add(self, name: str, meaning: str, value: float, **labels: object) -> None:
        family = self.families.setdefault(name, GaugeMetricFamily(name, meaning, labels=list(labels)))
        assert isinstance(family, GaugeMetricFamily)
        family.add_metric([str(label) for label in labels.values()], value)


class Gathered(Collector):
    """All metrics of one Label Studio instance. A part that is away is told as such, and the others are there."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def collect(self) -> Iterator[Metric]:
        gauges, projects = _Gauges(), list[Run]()
        up = {"home": 1, "redis": 1}
        try:
            projects = self._of_records(gauges)
        except (*KNOWN, OSError, RuntimeError):  # LanceDB's own, where its store goes away
            up["home"] = 0
        try:
            yield from self._of_redis(gauges, projects)
        except KNOWN:
            up["redis"] = 0
        for part, value in up.items():
            gauges.add("seedqueue_up", "1 where the part answers: home, redis", value, part=part)
        yield from gauges.families.values()

    def _of_records(self, gauges: _Gauges) -> list[Run]:
        """The newest run of each project."""
        records, latest = self._context.records, dict[int, Run]()
        standing = dict[int, Run]()
        for run in records.runs():
            latest[run.project] = run
            if run.state in ("published", "undone"):
                standing[run.project] = run
        for project, run in latest.items():
            gauges.add("seedqueue_run", "the newest run: its number", run.number, project=project, state=run.state)
        for project, run in standing.items():
            if run.state == "published":
                length = len(records.queue(project, run.number))
                gauges.add("seedqueue_queue_tasks", "tasks of the queue that stands", length, project=project)
        for version in self._context.versions.all():
            where = {"project": version.project, "family": version.family}
            if version.promoted:
                gauges.add("seedqueue_version_serving", "number of the head that serves", version.number, **where)
        made: dict[int, int] = {}
        for version in self._context.versions.all():
            made[version.project] = made.get(version.project, 0) + 1
        for project, count in made.items():
            gauges.add("seedqueue_versions", "versions of heads that were made", count, project=project)
        return list(latest.values())

    def _of_redis(self, gauges: _Gauges, latest: list[Run]) -> Iterator[Metric]:
        broker = self._context.broker
        counts = broker.counts()
        for lane in LANES:
            for state in STATES:
                gauges.add("seedqueue_jobs", "jobs by lane and state", counts[lane][state], lane=lane, state=state)
        states: dict[str, int] = {"busy": 0, "idle": 0, "lost": 0}
        for worker in presence.workers(broker):
            states[worker.state] = states.get(worker.state, 0) + 1
        for state, count in states.items():
            gauges.add("seedqueue_workers", "workers by state", count, state=state)
        for run in latest:
            embedded = progress.of(broker, steps.progress_key(run)) if run.active else None
            if embedded is not None:
                where = {"project": run.project, "run": run.number}
                gauges.add("seedqueue_run_images", "images that the run has to embed", embedded.total, **where)
                gauges.add("seedqueue_run_images_done", "images of them that are done", embedded.done, **where)
            lag = waking.lag(broker, run.project, time.time())
            meaning = "seconds since the oldest event that no job has looked at yet; 0 where there is none"
            gauges.add("seedqueue_event_lag_seconds", meaning, lag, project=run.project)
        meaning = "images that shards have finished since Redis was started"
        yield CounterMetricFamily("seedqueue_images", meaning, value=progress.images_done(broker))


def exposition(context: Context) -> bytes:
    """The metrics in Prometheus' text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Fresh(context))
    written: Any = generate_latest(registry)
    return bytes(written)


class _Fresh(Gathered):
    """Registering asks for names alone: nothing is gathered for it."""

    def describe(self) -> list[Metric]:
        return []
