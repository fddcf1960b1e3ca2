"""Warm workers: jobs run in the worker's own process, and a dead worker's job goes to another."""

import os
import pickle
import subprocess
import sys
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
from rq.exceptions import DeserializationError
from rq.job import Job
from rq.serializers import JSONSerializer

from seedqueue.backend import broker as broker_module
from seedqueue.backend import known_jobs, presence
from seedqueue.backend.broker import Broker
from seedqueue.backend.worker import WarmWorker

LEASE = 1
Until = Callable[[Callable[[], object]], None]

pytestmark = pytest.mark.usefixtures("signals_as_before")


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]]:
    """Calls of `seedqueue.backend.probe.work` in this process: its id, then the arguments."""
    made: list[tuple[object, ...]] = []
    probe = ModuleType("seedqueue.backend.probe")

    def work(*arguments: object) -> None:
        made.append((os.getpid(), *arguments))

    probe.__dict__["work"] = work
    for job in ("probe.work", "probe.absent"):
        monkeypatch.setitem(known_jobs.JOBS, job, "a test")
    monkeypatch.setitem(sys.modules, probe.__name__, probe)
    return made


def work(broker: Broker) -> None:
    """Execute what is queued, in this process."""
    queues = [broker.queue(lane) for lane in broker_module.LANES]
    WarmWorker(queues, connection=broker.redis, serializer=JSONSerializer).work(burst=True, logging_level="ERROR")


def found(broker: Broker, job_id: str) -> Job:
    job = broker.job(job_id)
    assert job is not None
    return job


def test_jobs_run_in_the_workers_own_process(broker: Broker, calls: list[tuple[object, ...]]) -> None:
    for number in range(3):
        broker.enqueue("embed", "probe.work", number, "ü")
    work(broker)
    assert calls == [(os.getpid(), number, "ü") for number in range(3)]
    assert broker.queue("embed").started_job_registry.get_job_ids() == []


def test_control_jobs_come_before_shards(broker: Broker, calls: list[tuple[object, ...]]) -> None:
    broker.enqueue("embed", "probe.work", 1)
    broker.enqueue("control", "probe.work", 2)
    work(broker)
    assert [number for _, number in calls] == [2, 1]


def test_shards_have_their_turn_between_control_jobs(broker: Broker, calls: list[tuple[object, ...]]) -> None:
    for number in range(3):
        broker.enqueue("learn", "probe.work", f"learn {number}")
        broker.enqueue("control", "probe.work", f"control {number}")
    for number in range(2):
        broker.enqueue("embed", "probe.work", f"embed {number}")
    work(broker)
    by_turns = ["control 0", "embed 0", "control 1", "embed 1", "control 2"]
    assert [name for _, name in calls] == [*by_turns, "learn 0", "learn 1", "learn 2"]


def test_a_failing_job_is_tried_again_and_does_not_end_the_worker(
    broker: Broker, calls: list[tuple[object, ...]]
) -> None:
    broker.pace = replace(broker.pace, retries=(0, 0))
    failing = broker.enqueue("control", "probe.absent", 1)
    broker.enqueue("control", "probe.work", 2)
    work(broker)
    assert [number for _, number in calls] == [2]
    assert found(broker, failing).is_failed
    assert found(broker, failing).retries_left == 0


def test_a_living_workers_job_stays_with_it_and_a_killed_ones_is_handed_over(
    broker: Broker,
    program: Callable[..., "subprocess.Popen[str]"],
    calls: list[tuple[object, ...]],
    eventually: Until,
) -> None:
    broker.pace = replace(broker.pace, retries=(0,))
    job_id = broker.enqueue("embed", "probe.work", 5)
    dying = program("die_working", broker.url, broker.namespace, str(LEASE))
    assert dying.stdout is not None
    assert dying.stdout.readline() == "working\n"
    registry = broker.queue("embed").started_job_registry
    first = _lease_end(broker)
    eventually(lambda: _lease_end(broker) > first + LEASE)  # it was renewed past its first end
    broker.sweep()
    assert registry.get_job_ids(cleanup=False) == [job_id]
    assert broker.queue("embed").get_job_ids() == []

    dying.kill()
    eventually(lambda: broker.sweep() or broker.queue("embed").get_job_ids() == [job_id])
    assert registry.get_job_ids(cleanup=False) == []
    work(broker)
    assert calls == [(os.getpid(), 5)]
    assert found(broker, job_id).is_finished


def _lease_end(broker: Broker) -> float:
    entries = broker.redis.zrange(broker.queue("embed").started_job_registry.key, 0, -1, withscores=True)
    return float(entries[0][1])


@pytest.mark.parametrize(
    "function",
    [
        "os.system",
        "seedqueue.backend.children.os.system",
        "seedqueue.backend.worker._tend",
        "seedqueue.backend.tables.os.system",
        "seedqueue.backend.seeding.undo",  # ours, but no job
        "os.seedqueue.backend.jobs.start",
        "jobs.start",  # a module of that name from anywhere
        "seedqueue.selectors.registry.get",
    ],
)
def test_a_job_that_somebody_else_has_put_into_our_queue_is_not_run(
    broker: Broker, calls: list[tuple[object, ...]], tmp_path: Path, function: str
) -> None:
    witness = tmp_path / "witness"
    foreign = broker.queue("control").enqueue(function, f"touch {witness}")
    broker.enqueue("control", "probe.work", 2)
    work(broker)
    assert not witness.exists()
    assert [number for _, number in calls] == [2]
    job = found(broker, foreign.id)
    assert job.is_failed
    result = job.latest_result()
    assert result is not None
    assert "ForeignJob" in str(result.exc_string)


@pytest.mark.parametrize("kind", ["success", "failure", "stopped"])
@pytest.mark.parametrize("function", ["seedqueue.backend.probe.work", "os.getpid"])
def test_a_callback_is_neither_imported_nor_called(
    broker: Broker,
    calls: list[tuple[object, ...]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    function: str,
) -> None:
    witness = tmp_path / "witness"
    (tmp_path / "stranger.py").write_text(f"open({str(witness)!r}, 'w')\ndef called(*_): pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    foreign = broker.queue("control").enqueue(function, 1)
    broker.redis.hset(foreign.key, f"{kind}_callback_name", "stranger.called")
    broker.enqueue("control", "probe.work", 2)
    work(broker)
    assert not witness.exists()
    assert [number for _, number in calls] == [2]
    assert found(broker, foreign.id).is_failed


class Pickled:
    """Unpickling it runs a command."""

    def __init__(self, witness: Path) -> None:
        self.witness = witness

    def __reduce__(self) -> tuple[object, ...]:
        return (os.system, (f"touch {self.witness}",))


def test_a_pickle_in_redis_is_never_unpickled(broker: Broker, calls: list[tuple[object, ...]], tmp_path: Path) -> None:
    witness = tmp_path / "witness"
    foreign = broker.queue("control").enqueue("seedqueue.backend.probe.work", 1)
    broker.redis.hset(foreign.key, "data", zlib.compress(pickle.dumps(Pickled(witness))))
    broker.enqueue("control", "probe.work", 2)
    work(broker)
    assert [number for _, number in calls] == [2]
    broker.fates("")
    presence.workers(broker)
    broker.cancel("")
    with suppress(DeserializationError):
        str(found(broker, foreign.id).func_name)
    assert not witness.exists()
