"""/metrics, read by Prometheus' own parser."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from pools import published
from prometheus_client.parser import text_string_to_metric_families

from seedqueue.backend import metrics, progress, waking
from seedqueue.backend.children import free_port
from seedqueue.backend.context import Context
from seedqueue.backend.records import QueuedTask
from seedqueue.backend.settings import Settings

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]
DOCS = Path(__file__).resolve().parents[2] / "docs/operations.md"


@pytest.fixture
def context(redis_url: str, tmp_path: Path) -> Iterator[Context]:
    url = f"http://127.0.0.1:9/{uuid.uuid4().hex}"  # a namespace of its own
    with Context(Settings(label_studio_url=url, redis_url=redis_url, home=tmp_path)) as opened:
        yield opened


def queued(context: Context) -> None:
    context.records.save_queue(published(context, 3), [QueuedTask(1, 5, "/a.png", 0, 3)])


def read(context: Context) -> Samples:
    families = text_string_to_metric_families(metrics.exposition(context).decode())
    return {(one.name, frozenset(one.labels.items())): one.value for family in families for one in family.samples}


def value(samples: Samples, name: str, **labels: str) -> float:
    return samples[name, frozenset(labels.items())]


def test_jobs_images_and_lag(context: Context) -> None:
    queued(context)
    broker = context.broker
    broker.enqueue("embed", "health.is_healthy", "http://127.0.0.1:9")
    progress.start(broker, "3-1", 10)
    progress.advance(broker, "3-1", 4)
    waking.wake(broker, 3)
    samples = read(context)
    assert value(samples, "seedqueue_jobs", lane="embed", state="queued") == 1
    assert value(samples, "seedqueue_jobs", lane="learn", state="scheduled") == 1
    assert value(samples, "seedqueue_images_total") == 4
    assert value(samples, "seedqueue_up", part="redis") == value(samples, "seedqueue_up", part="home") == 1
    assert value(samples, "seedqueue_run", project="3", state="published") == 1
    assert value(samples, "seedqueue_queue_tasks", project="3") > 0
    assert 0 <= value(samples, "seedqueue_event_lag_seconds", project="3") < 60
    assert waking.lag(broker, 3, time.time() + 100) > 99
    waking.looking(broker, 3)
    assert value(read(context), "seedqueue_event_lag_seconds", project="3") == 0


def test_without_redis_the_rest_is_told(tmp_path: Path) -> None:
    nobody = Settings(
        label_studio_url="http://127.0.0.1:9", redis_url=f"redis://127.0.0.1:{free_port()}", home=tmp_path
    )
    with Context(nobody) as context:
        queued(context)
        samples = read(context)
    assert value(samples, "seedqueue_up", part="redis") == 0
    assert value(samples, "seedqueue_up", part="home") == 1
    assert value(samples, "seedqueue_queue_tasks", project="3") > 0


def test_every_metric_has_its_row_in_the_docs(context: Context) -> None:
    code = Path(metrics.__file__).read_text()
    named = set(re.findall(r'"(seedqueue_\w+)"', code.replace('"seedqueue_images"', '"seedqueue_images_total"')))
    assert named == set(re.findall(r"^\| `(seedqueue_[a-z_]+)", DOCS.read_text(), re.MULTILINE))
