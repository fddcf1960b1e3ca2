"""Redis: JSON jobs, locks over processes, progress, and nothing shared between instances."""

import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from threading import Barrier, Thread

import pytest
from rq.job import JobStatus

from seedqueue.backend import progress, settings
from seedqueue.backend.broker import Broker, connect
from seedqueue.backend.errors import Busy, InvalidSetting, RedisUnreachable
from seedqueue.backend.progress import Progress, progress_of

Program = Callable[..., "subprocess.Popen[str]"]


def says(process: "subprocess.Popen[str]", line: str) -> bool:
    assert process.stdout is not None
    return process.stdout.readline() == f"{line}\n"


def test_a_job_makes_the_round_through_json(broker: Broker) -> None:
    job_id = broker.enqueue("embed", "jobs.embed_shard", 7, 1, 2, job_id="run-7-1-embed_shard-ab")
    assert job_id == "run-7-1-embed_shard-ab"
    job = broker.job(job_id)
    assert job is not None
    assert (job.func_name, list(job.args), job.kwargs) == ("seedqueue.backend.jobs.embed_shard", [7, 1, 2], {})
    assert (job.timeout, job.retries_left) == (600, 3)
    assert b"__reduce__" not in job.to_dict()["data"]
    assert broker.queue("embed").get_job_ids() == [job_id]
    assert broker.queue("control").get_job_ids() == []


def test_what_failed_is_kept_for_a_day_and_what_succeeded_is_not(broker: Broker) -> None:
    job = broker.job(broker.enqueue("control", "jobs.reconcile", 1))
    assert job is not None
    assert (job.result_ttl, job.failure_ttl) == (600, 24 * 3600)


def test_a_forgotten_job_is_none(broker: Broker) -> None:
    assert broker.job("nobody") is None


def test_a_delayed_job_waits(broker: Broker) -> None:
    job_id = broker.enqueue("control", "jobs.reconcile", 1, delay=60)
    assert broker.queue("control").get_job_ids() == []
    assert broker.queue("control").scheduled_job_registry.get_job_ids() == [job_id]


def test_only_the_first_within_the_time_is_first(
    broker: Broker, eventually: Callable[[Callable[[], object]], None]
) -> None:
    assert [broker.first_in("a", 60) for _ in range(3)] == [True, False, False]
    assert broker.first_in("b", 0.2)
    eventually(lambda: broker.first_in("b", 0.2))


def test_cancel_takes_queued_and_scheduled_jobs_of_one_run(broker: Broker) -> None:
    broker.enqueue("embed", "jobs.embed_shard", 1, 1, 0, job_id="run-1-1-embed_shard-a")
    broker.enqueue("control", "jobs.start", 1, 1, job_id="run-1-1-start-b", delay=60)
    broker.enqueue("embed", "jobs.embed_shard", 1, 11, 0, job_id="run-1-11-embed_shard-c")
    broker.cancel("run-1-1-")
    assert broker.queue("embed").get_job_ids() == ["run-1-11-embed_shard-c"]
    assert broker.queue("control").scheduled_job_registry.get_job_ids() == []
    job = broker.job("run-1-1-embed_shard-a")
    assert job is not None
    assert job.get_status() is JobStatus.CANCELED


def test_progress_counts_images_and_shards(broker: Broker) -> None:
    assert progress.of(broker, "1-1") is None
    progress.start(broker, "1-1", 10)
    progress.advance(broker, "1-1", 4)
    progress.advance(broker, "1-1", 3)
    found = progress.of(broker, "1-1")
    assert found is not None
    assert (found.total, found.done) == (10, 7)
    assert found.per_second is not None
    assert found.seconds_left == pytest.approx(3 / found.per_second)
    assert [progress.shard_done(broker, "1-1", shard) for shard in (0, 1, 1)] == [1, 2, 2]
    assert progress.of(broker, "1-2") is None


def test_a_shard_that_ran_twice_is_no_progress_beyond_the_end(broker: Broker) -> None:
    progress.start(broker, "1-1", 10)
    for _ in range(2):
        progress.advance(broker, "1-1", 8)
    found = progress.of(broker, "1-1")
    assert found is not None
    assert (found.total, found.done, found.seconds_left) == (10, 10, 0)


@pytest.mark.parametrize(
    ("done", "seconds", "told"),
    [
        (0, 5.0, Progress(10, 0)),
        (4, 2.0, Progress(10, 4, 2.0, 3.0)),
        (12, 5.0, Progress(10, 10, 2.0, 0.0)),
        (4, -3600.0, Progress(10, 4)),  # the clock was put back
    ],
)
def test_speed_and_time_left(done: int, seconds: float, told: Progress) -> None:
    assert progress_of(10, done, seconds) == told


def test_starting_progress_again_begins_at_zero(broker: Broker) -> None:
    progress.start(broker, "1-1", 10)
    progress.advance(broker, "1-1", 4)
    progress.shard_done(broker, "1-1", 0)
    progress.start(broker, "1-1", 6)
    assert progress.of(broker, "1-1") == Progress(6, 0)
    assert progress.shard_done(broker, "1-1", 1) == 1


def test_progress_of_a_lost_redis_is_none(broker: Broker) -> None:
    progress.advance(broker, "1-1", 4)  # the job goes on after Redis came back empty
    assert progress.of(broker, "1-1") is None


def test_two_instances_in_one_redis_do_not_see_each_other(broker: Broker) -> None:
    other = Broker(broker.url, broker.namespace + "2")
    broker.enqueue("control", "jobs.reconcile", 1, job_id=f"one-{broker.namespace}")
    progress.start(broker, "1-1", 10)
    assert broker.first_in("a", 60)
    assert other.queue("control").get_job_ids() == []
    assert progress.of(other, "1-1") is None
    assert other.first_in("a", 60)
    with broker.lock("a"), other.lock("a"):
        pass


def test_a_lock_excludes_other_threads(broker: Broker) -> None:
    broker.pace = replace(broker.pace, lock_wait=0.2)
    refused: list[Busy] = []

    def ask() -> None:
        try:
            with broker.lock("a"):
                pass
        except Busy as error:
            refused.append(error)

    with broker.lock("a"):
        thread = Thread(target=ask)
        thread.start()
        thread.join()
        with broker.lock("b"):
            pass
    assert [str(error) for error in refused] == ["Another job has held 'a' for more than 0 s. Ask again later."]
    with broker.lock("a"):
        pass


def test_a_lock_is_released_when_its_holder_fails(broker: Broker) -> None:
    broker.pace = replace(broker.pace, lock_wait=0.2)
    with pytest.raises(ZeroDivisionError), broker.lock("a"):
        raise ZeroDivisionError
    with broker.lock("a"):
        pass


def test_a_living_holder_keeps_its_lock_and_a_killed_ones_ends_with_the_lease(broker: Broker, program: Program) -> None:
    lease = 0.6
    holder = program("hold_lock", broker.url, broker.namespace, "a", str(lease))
    assert says(holder, "held")
    broker.pace = replace(broker.pace, lock_wait=2 * lease)
    with pytest.raises(Busy), broker.lock("a"):
        pass
    holder.kill()
    killed = time.monotonic()
    broker.pace = replace(broker.pace, lock_wait=10.0)
    with broker.lock("a"):
        assert time.monotonic() - killed < lease + 0.5


def test_a_lock_that_was_lost_with_redis_does_not_fail_its_holder(broker: Broker) -> None:
    with broker.lock("a"):
        broker.redis.delete(broker.key("lock", "a"))


def test_a_free_lock_is_had_and_a_held_one_is_told_at_once(broker: Broker) -> None:
    with broker.lock_if_free("a") as first, broker.lock_if_free("a") as second, broker.lock_if_free("b") as other:
        assert (first, second, other) == (True, False, True)
    with broker.lock_if_free("a") as again:
        assert again


def test_a_lock_that_was_free_is_released_when_its_holder_fails(broker: Broker) -> None:
    for error in (ZeroDivisionError(), Busy("another lock", 0)):  # what its holder waits for is another matter
        with pytest.raises(type(error)), broker.lock_if_free("a"):
            raise error
    with broker.lock_if_free("a") as free:
        assert free


def test_of_many_that_ask_at_once_one_has_the_free_lock(broker: Broker) -> None:
    together, answers = Barrier(8), list[bool]()

    def ask() -> None:
        together.wait()
        with broker.lock_if_free("a") as free:
            answers.append(free)
            all_asked.wait()

    all_asked = Barrier(8)
    threads = [Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [False] * 7 + [True]


def test_a_lock_that_another_process_holds_is_not_free_until_it_is_dead(
    broker: Broker, program: Program, eventually: Callable[..., object]
) -> None:
    holder = program("hold_lock", broker.url, broker.namespace, "a", "0.6")
    assert says(holder, "held")
    with broker.lock_if_free("a") as free:
        assert not free
    holder.kill()

    def had() -> bool:
        with broker.lock_if_free("a") as free:
            return free

    eventually(had, 10, "the end of the lease")


def test_a_note_is_kept_taken_back_and_overwritten(broker: Broker, eventually: Callable[..., object]) -> None:
    assert broker.noted("a") is None
    broker.note("a", {"epoch": 3, "left": None, "heads": ["ü"]}, 60)
    assert broker.noted("a") == {"epoch": 3, "left": None, "heads": ["ü"]}
    broker.note("a", [], 60)
    assert broker.noted("a") == []
    broker.forget("a")
    broker.forget("a")
    assert broker.noted("a") is None
    broker.note("a", 1, 0.1)
    eventually(lambda: broker.noted("a") is None, 10, "the end of the note")


def test_who_was_first_may_be_forgotten_or_stand_longer(broker: Broker) -> None:
    assert broker.first_in("a", 60)
    broker.forget("a")
    assert broker.first_in("a", 60)
    broker.renew("a", 3600)
    assert broker.redis.pttl(broker.key("once", "a")) > 3_000_000
    broker.renew("b", 3600)  # it had run out
    assert not broker.first_in("b", 60)


@pytest.mark.parametrize(
    "ask",
    [
        Broker.ping,
        lambda broker: broker.enqueue("control", "jobs.reconcile", 1),
        lambda broker: broker.job("a"),
        lambda broker: broker.cancel("run-"),
        lambda broker: broker.first_in("a", 1),
        lambda broker: progress.of(broker, "1-1"),
        lambda broker: progress.start(broker, "1-1", 1),
        lambda broker: progress.advance(broker, "1-1", 1),
        lambda broker: progress.shard_done(broker, "1-1", 1),
        lambda broker: broker.lock("a").__enter__(),
        lambda broker: broker.lock_if_free("a").__enter__(),
        lambda broker: broker.note("a", 1, 1),
        lambda broker: broker.noted("a"),
        lambda broker: broker.forget("a"),
        lambda broker: broker.renew("a", 1),
    ],
)
def test_redis_down_is_named_with_its_url(ask: Callable[[Broker], object], nobody: str) -> None:
    with pytest.raises(RedisUnreachable, match=f"Redis does not answer at redis://{nobody}/0 .* set REDIS_URL"):
        ask(Broker(f"redis://{nobody}/0", "n"))


@pytest.mark.parametrize("form", ["redis://user:hunter2@{}/0", "redis://:hunter2@{}", "redis://{}/0?password=hunter2"])
def test_a_password_in_the_url_is_not_told(form: str, nobody: str) -> None:
    with pytest.raises(RedisUnreachable) as caught:
        Broker(form.format(nobody), "n").ping()
    assert "hunter2" not in str(caught.value)
    assert f"redis://{nobody}" in str(caught.value)


@pytest.mark.parametrize("url", ["localhost:6379", "http://localhost", "redis://localhost:x", "redis"])
def test_a_url_that_is_none_of_redis(url: str) -> None:
    with pytest.raises(InvalidSetting, match=f"REDIS_URL='{url}' cannot be used"):
        Broker(url, "n")


def test_without_a_url_the_redis_of_the_home_is_meant(redis_url: str) -> None:
    loaded = settings.load({"SEEDQUEUE_HOME": redis_url.removeprefix("unix://").removesuffix("/redis.sock")})
    connect(loaded).ping()
    assert connect(settings.load({"REDIS_URL": redis_url})).url == redis_url
