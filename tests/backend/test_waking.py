"""Bursts become one job, what comes during a training one more, and what was asked for outlives a killed job."""

import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from pools import published, version

from seedqueue.backend import jobs, learning_jobs, waking
from seedqueue.backend.broker import Broker
from seedqueue.backend.context import Context
from seedqueue.backend.errors import LabelStudioUnreachable
from seedqueue.backend.pace import Pace
from seedqueue.backend.settings import load

AGO = Pace().quiet + 1


@pytest.fixture
def context(redis_url: str, nobody: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Context]:
    """A home and a Redis, and no Label Studio; a job that is called here finds the same in the environment."""
    monkeypatch.setenv("LABEL_STUDIO_URL", f"http://{nobody}/{uuid.uuid4().hex}")
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", "a" * 40)
    monkeypatch.setenv("REDIS_URL", redis_url)
    with Context(load()) as opened:
        yield opened


def pending(broker: Broker) -> list[tuple[str, list[int], bool]]:
    """What is to come in the lane of learning: function, arguments, whether it waits a moment."""
    queue = broker.queue("learn")
    later = queue.scheduled_job_registry.get_job_ids()
    jobs = [(broker.job(job_id), job_id in later) for job_id in queue.get_job_ids() + later]
    return [(job.func_name.rpartition(".")[2], list(job.args), waits) for job, waits in jobs if job is not None]


def begun(broker: Broker, project: int = 1) -> None:
    """The worker takes the pending job, and it begins to look."""
    queue = broker.queue("learn")
    for job_id in queue.get_job_ids() + queue.scheduled_job_registry.get_job_ids():
        job = broker.job(job_id)
        assert job is not None
        job.delete()
    waking.looking(broker, project)


def quiet(broker: Broker, project: int = 1) -> None:
    """Events have ceased."""
    broker.note(f"learn-last-{project}", time.time() - AGO, 60)


def outcomes(context: Context) -> list[str]:
    return [body["outcome"] for _, _, body in context.records.bodies("learning", 1)]


def test_a_burst_is_one_job_a_project(broker: Broker) -> None:
    for _ in range(500):
        waking.wake(broker, 1)
    waking.wake(broker, 2)
    assert sorted(pending(broker)) == [("consider", [1], True), ("consider", [2], True)]


def test_what_comes_while_a_job_works_is_one_more(broker: Broker) -> None:
    waking.wake(broker, 1)
    begun(broker)
    for _ in range(20):
        waking.wake(broker, 1)
    assert pending(broker) == [("consider", [1], True)]


def test_a_job_that_puts_itself_off_stays_one(broker: Broker) -> None:
    waking.wake(broker, 1)
    for run_out in (False, True):
        queue = broker.queue("learn")
        for job_id in queue.scheduled_job_registry.get_job_ids():
            job = broker.job(job_id)
            assert job is not None
            job.delete()
        if run_out:  # it waited longer for a worker than the mark stands
            broker.forget("learn-1")
        waking.wake_again(broker, 1)
        waking.wake(broker, 1)
        assert pending(broker) == [("consider", [1], True)]


def test_nothing_stands_in_the_way_when_redis_has_forgotten_all(broker: Broker) -> None:
    waking.wake(broker, 1)
    for name in broker.redis.scan_iter(broker.key("*")):
        broker.redis.delete(name)
    begun(broker)
    assert not waking.still_coming(broker, 1)
    assert waking.asked(broker, 1) is None
    waking.wake(broker, 1)
    assert pending(broker) == [("consider", [1], True)]


def test_events_are_waited_for_but_not_for_ever(broker: Broker) -> None:
    assert not waking.still_coming(broker, 1)
    waking.wake(broker, 1)
    assert waking.still_coming(broker, 1)
    quiet(broker)
    assert not waking.still_coming(broker, 1)
    waking.wake(broker, 1)
    broker.note("learn-first-1", time.time() - Pace().longest_wait - 1, 60)
    assert not waking.still_coming(broker, 1)
    begun(broker)  # the next burst is waited for as long as the first
    waking.wake(broker, 1)
    assert waking.still_coming(broker, 1)


def test_what_is_asked_for_does_not_wait(broker: Broker) -> None:
    waking.ask(broker, 1, ["linear", "vgg11"])
    assert pending(broker) == [("consider", [1], False)]
    assert not waking.still_coming(broker, 1)
    found = waking.asked(broker, 1)
    assert found is not None
    assert found.heads == ("linear", "vgg11")
    assert waking.asked(broker, 2) is None


def test_a_wish_stands_until_it_is_answered(broker: Broker) -> None:
    waking.ask(broker, 1)
    first = waking.asked(broker, 1)
    assert waking.asked(broker, 1) == first
    waking.ask(broker, 1)  # again, while the first is worked on
    waking.answered(broker, 1, first)
    second = waking.asked(broker, 1)
    assert second is not None
    waking.answered(broker, 1, second)
    assert waking.asked(broker, 1) is None
    waking.answered(broker, 1, second)
    waking.answered(broker, 1, None)


def test_a_job_that_comes_too_early_comes_again(context: Context) -> None:
    waking.wake(context.broker, 1)
    begun(context.broker)
    waking.wake(context.broker, 1)
    learning_jobs.consider(1)
    assert [function for function, _, _ in pending(context.broker)] == ["consider", "consider"]  # itself, and again
    assert not context.broker.first_in("learn-1", 60)


def test_a_job_beside_another_one_of_its_project_comes_again(context: Context) -> None:
    with context.broker.lock("learn-1"):
        learning_jobs.consider(1)
    assert pending(context.broker) == [("consider", [1], True)]
    assert outcomes(context) == []


def test_without_a_seed_queue_there_is_nothing_to_learn(context: Context) -> None:
    learning_jobs.consider(1)
    assert outcomes(context) == []
    waking.ask(context.broker, 1)
    learning_jobs.consider(1)
    [(_, _, body)] = context.records.bodies("learning", 1)
    assert (body["outcome"], "no seed queue" in body["message"]) == ("failed", True)
    assert waking.asked(context.broker, 1) is None


def test_two_failures_alike_are_two(context: Context) -> None:
    for _ in range(2):
        waking.ask(context.broker, 1)
        learning_jobs.consider(1)
    first, second = (body for _, _, body in context.records.bodies("learning", 1))
    assert first["message"] == second["message"]
    assert first != second


def test_a_job_that_finds_no_label_studio_is_tried_again_and_forgets_no_wish(context: Context) -> None:
    published(context)
    context.versions.save(version(1))
    waking.ask(context.broker, 1, ["linear"])
    for _ in range(2):
        with pytest.raises(LabelStudioUnreachable):
            learning_jobs.consider(1)
    found = waking.asked(context.broker, 1)
    assert found is not None
    assert found.heads == ("linear",)
    assert outcomes(context) == []
    assert context.broker.noted("learn-state-1") is None
    with context.broker.lock_if_free("learn-1") as free:
        assert free


def test_one_comparison_waits_at_a_time_and_what_comes_during_it_asks_for_another(context: Context) -> None:
    broker = context.broker
    waiting = broker.queue("control")
    for _ in range(3):
        waking.reconcile(broker, 1)
    waking.reconcile(broker, 2)
    assert waiting.count == 2
    jobs.reconcile(1)  # as a worker would: no queue stands, so nothing is compared
    waking.reconcile(broker, 1)
    assert waiting.count == 3
