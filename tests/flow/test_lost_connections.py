"""A worker that loses Redis, or the object store that is its home, for a minute does no harm, and goes on by itself."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import object_store
import pytest
from image_server import ImageServer
from interruptible import Interruptible
from running import Backend, Eventually

from seedqueue.backend import embedded_redis
from seedqueue.backend.children import Children
from seedqueue.backend.settings import child_environment, environment_of

pytestmark = pytest.mark.soak

OUTAGE_SECONDS = 60  # beyond the lease of a job, 20 s


@pytest.fixture
def alone(make_backend: Callable[..., Backend]) -> Backend:
    """A backend without workers of its own."""
    return make_backend(workers=0, shard_images=10)


@pytest.fixture
def line(alone: Backend) -> Iterator[Interruptible]:
    """The way from the worker to Redis."""
    home = alone.context.settings.home
    assert isinstance(home, Path)
    with Interruptible(str(embedded_redis.socket_path(home))) as opened:
        yield opened


def far_worker(children: Children, backend: Backend, line: Interruptible, folder: Path) -> subprocess.Popen[bytes]:
    """A worker with folders of its own."""
    own = {name: str(folder / name) for name in ("HOME", "TMPDIR")}
    for place in own.values():
        Path(place).mkdir(parents=True)
    settings = environment_of(backend.context.settings)
    env = child_environment(**settings, **own, REDIS_URL=f"redis://127.0.0.1:{line.port}/0", OMP_NUM_THREADS="1")
    command = [sys.executable, "-m", "seedqueue.backend.cli", "worker"]
    return children.start("far worker", command, env=env, log_file=backend.log_file)


@pytest.mark.parametrize("moment", ["at work", "idle"])
def test_a_worker_that_loses_redis_for_a_minute(
    alone: Backend,
    backend: Backend,
    line: Interruptible,
    fresh: ImageServer,
    eventually: Eventually,
    tmp_path: Path,
    moment: str,
) -> None:
    expected = [one.uri for one in backend.seed(backend.new_project(fresh.urls()), budget=6)]
    project = alone.new_project(fresh.urls())
    with Children() as children:
        worker = far_worker(children, alone, line, tmp_path)
        eventually(alone.context.broker.has_workers, 60, "the worker")
        if moment == "at work":
            fresh.gate.clear()
            run = alone.request(project, budget=6)
            hits = sum(fresh.hits.values())
            eventually(lambda: sum(fresh.hits.values()) > hits, 60, "the first fetch")
        line.cut()
        ends = time.monotonic() + OUTAGE_SECONDS
        fresh.gate.set()  # the shard ends while nobody can be told
        if moment == "idle":
            run = alone.request(project, budget=6)
        eventually(lambda: time.monotonic() > ends, OUTAGE_SECONDS + 5, "the end of the outage")
        assert line.refused > 0
        assert worker.poll() is None
        line.join()
        ended = alone.ended(run, seconds=240)
        assert ended.state == "published", ended.error
        assert [one.uri for one in alone.context.records.queue(project, run.number)] == expected
        assert worker.poll() is None
        assert len(alone.seed(alone.new_project(fresh.urls()), budget=4)) == 4


def test_workers_that_lose_the_object_store_for_a_minute(
    make_backend: Callable[..., Backend],
    backend: Backend,
    fresh: ImageServer,
    eventually: Eventually,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    expected = [one.uri for one in backend.seed(backend.new_project(fresh.urls()), budget=6)]
    with Children() as children:
        store = object_store.start(children, tmp_path / "moto.log")
        host, _, port = store.endpoint.removeprefix("http://").partition(":")
        with Interruptible((host, int(port))) as way:
            # The workers reach it by the line that is cut, this process too.
            for variable, value in {**store.environment, "AWS_ENDPOINT": f"http://127.0.0.1:{way.port}"}.items():
                monkeypatch.setenv(variable, value)
            redis_url = embedded_redis.start(children, tmp_path / "redis")
            struck = make_backend(home=store.new_place(), redis_url=redis_url, shard_images=10)
            project = struck.new_project(fresh.urls())
            fresh.gate.clear()
            run = struck.request(project, budget=6)
            hits = sum(fresh.hits.values())
            eventually(lambda: sum(fresh.hits.values()) > hits, 60, "the first fetch")
            way.cut()
            fresh.gate.set()
            ends = time.monotonic() + OUTAGE_SECONDS
            eventually(lambda: time.monotonic() > ends, OUTAGE_SECONDS + 5, "the end of the outage")
            assert way.refused > 0
            way.join()
            ended = struck.ended(run, seconds=300)
            assert ended.state == "published", ended.error
            assert [one.uri for one in struck.context.records.queue(project, run.number)] == expected
            struck.context.close()
            struck.children.terminate_all()
