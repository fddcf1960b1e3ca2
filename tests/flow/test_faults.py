"""What goes wrong in the field: bad images, dead workers, a lost Redis, a wrong token, a server that is down."""

from __future__ import annotations

import os
import signal
import struct
import zlib
from collections.abc import Callable

import pytest
from image_server import ImageServer
from rq import Worker
from running import Backend, Eventually

from seedqueue.backend import seeding
from seedqueue.backend.children import free_port
from seedqueue.backend.errors import ProjectNotFound
from seedqueue.backend.pool_errors import EmptyProject, NoImageInLabelConfig
from seedqueue.selectors.errors import BudgetExceedsPool

TEXT_CONFIG = (
    '<View><Text name="text" value="$text"/><Choices name="c" toName="text"><Choice value="a"/></Choices></View>'
)


def bomb() -> bytes:
    """A PNG of 12,000 x 9,000 pixels in a few hundred bytes."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", 12_000, 9_000, 8, 0, 0, 0, 0)
    rows = zlib.compress(bytes(12_001 * 10))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def test_unreadable_images_are_listed_and_the_rest_is_published(backend: Backend, images: ImageServer) -> None:
    good = images.urls()[:10]
    name = next(iter(images.files))
    images.faults = {
        "missing.png": (404, b""),
        "secret.png": (401, b""),
        "text.png": (200, b"<html>not an image</html>"),
        "truncated.png": (200, images.files[name][:2000]),
        "bomb.png": (200, bomb()),
    }
    bad = [f"{images.url}/{fault}" for fault in images.faults]
    foreign = "http://images.invalid/x.png"
    project = backend.new_project([*good, *bad, foreign])
    queue = backend.seed(project, budget=4)
    assert {task.uri for task in queue} <= set(good)
    found = {one.uri: one.reason for one in seeding.status(backend.context, project).unreadable}
    assert set(found) == {*bad, foreign}
    reasons = {uri.rsplit("/", 1)[1]: reason for uri, reason in found.items()}
    assert "404" in reasons["missing.png"]
    assert "401" in reasons["secret.png"]
    assert "108 megapixels" in reasons["bomb.png"]
    assert "truncated" in reasons["truncated.png"]
    assert "SEEDQUEUE_IMAGE_HOSTS" in reasons["x.png"]
    run = seeding.status(backend.context, project).run
    assert run is not None
    assert run.unreadable == 6


def test_fewer_readable_images_than_the_budget_are_all_taken(backend: Backend, images: ImageServer) -> None:
    good = images.urls()[:3]
    project = backend.new_project([*good, *(f"{images.url}/gone{i}.png" for i in range(3))])
    assert len(backend.seed(project, budget=5)) == 3
    run = seeding.status(backend.context, project).run
    assert run is not None
    assert "5 tasks requested, 3 readable" in run.warnings[0]


def test_seeding_again_fetches_and_embeds_nothing(backend: Backend, project: int, images: ImageServer) -> None:
    first = backend.seed(project, budget=8)
    hits = sum(images.hits.values())
    assert hits == 40
    second = backend.seed(project, budget=8)
    assert sum(images.hits.values()) == hits
    assert second == first
    run = seeding.status(backend.context, project).run
    assert run is not None
    assert run.embedded == 0


def test_what_cannot_be_seeded_is_named(backend: Backend, images: ImageServer) -> None:
    with pytest.raises(EmptyProject):
        backend.request(backend.new_project([]), budget=1)
    small = backend.new_project(images.urls()[:3])
    with pytest.raises(BudgetExceedsPool, match="4 requested, 3 available"):
        backend.request(small, budget=4)
    answer = backend.post(f"/api/projects/{small}/seed", {"budget": 4})
    assert (answer.status_code, answer.json()["error"]) == (422, "BudgetExceedsPool")
    dark = backend.ended(backend.request(backend.new_project([f"{images.url}/no.png"] * 2), budget=1))
    assert "None of the 2 images could be read" in dark.error
    with pytest.raises(ProjectNotFound, match="99999"):
        backend.request(99999)
    assert backend.get("/api/projects/99999").status_code == 404
    with pytest.raises(NoImageInLabelConfig, match="Text"):
        backend.request(backend.new_project([], TEXT_CONFIG))


@pytest.mark.slow
def test_a_failed_run_leaves_the_standing_queue(backend: Backend, project: int) -> None:
    backend.seed(project, budget=4)
    failed = backend.ended(backend.request(project, budget=4, embedder="txrv"))
    assert failed.state == "failed"
    assert backend.described(project)["model_version"] == "Seed queue 1"
    published = seeding.status(backend.context, project).published
    assert published is not None
    assert published.number == 1


def shard_workers(backend: Backend) -> list[Worker]:
    """The workers that have a shard in hand."""
    workers = Worker.all(queue=backend.context.broker.queue("embed"))
    return [worker for worker in workers if worker.get_current_job() is not None]


def test_two_workers_share_a_project_and_a_killed_ones_shard_is_taken_over(
    make_backend: Callable[..., Backend], images: ImageServer, eventually: Eventually
) -> None:
    backend = make_backend(workers=2, shard_images=10)
    project = backend.new_project(images.urls())
    images.gate.clear()
    run = backend.request(project, budget=6)
    eventually(lambda: len(shard_workers(backend)) == 2, 60, "both workers at a shard")
    victim = min(shard_workers(backend), key=lambda worker: worker.birth_date)  # the one that would schedule for all
    assert victim.pid is not None
    os.kill(victim.pid, signal.SIGKILL)
    images.gate.set()
    ended = backend.ended(run, seconds=60)  # taken over within a minute
    assert ended.state == "published", ended.error
    assert ended.unreadable == 0
    assert len(backend.context.records.queue(project, run.number)) == 6


@pytest.mark.slow
def test_a_run_survives_the_loss_of_redis(
    make_backend: Callable[..., Backend], images: ImageServer, eventually: Eventually
) -> None:
    backend = make_backend(shard_images=10)
    project = backend.new_project(images.urls())
    images.gate.clear()
    run = backend.request(project, budget=6)
    eventually(lambda: shard_workers(backend), 60, "a worker at a shard")
    backend.context.broker.redis.flushall()
    images.gate.set()
    assert backend.ended(run, seconds=150).state == "published"


@pytest.mark.slow
def test_a_worker_ends_a_run_that_waits_for_label_studio_with_its_name(
    make_backend: Callable[..., Backend], eventually: Eventually
) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    backend = make_backend(label_studio_url=nowhere, workers=0)
    answer = backend.post("/api/projects/1/seed", {"budget": 2})
    assert answer.status_code == 502
    assert answer.json()["error"] == "LabelStudioUnreachable"
    assert nowhere in answer.json()["message"]


@pytest.mark.slow
def test_a_wrong_token_is_named_at_once(make_backend: Callable[..., Backend]) -> None:
    backend = make_backend(label_studio_api_key="wrong", workers=0)
    answer = backend.post("/api/projects/1/seed", {"budget": 2})
    assert answer.status_code == 502
    assert answer.json()["error"] == "TokenRefused"
    assert "LABEL_STUDIO_API_KEY" in answer.json()["message"]


@pytest.mark.slow
def test_missing_weights_end_the_run_with_file_folder_and_command(backend: Backend, project: int) -> None:
    run = backend.ended(backend.request(project, embedder="txrv", budget=2))
    assert run.state == "failed"
    assert ".pt" in run.error
    assert "seedqueue weights fetch" in run.error


def test_asking_twice_is_asking_once(backend: Backend, project: int, images: ImageServer) -> None:
    images.gate.clear()
    first = backend.request(project, budget=4)
    assert backend.request(project, budget=4).number == first.number
    other = backend.post(f"/api/projects/{project}/seed", {"budget": 5})
    assert other.status_code == 409
    assert other.json()["error"] == "RunInProgress"
    images.gate.set()
    assert backend.ended(first).state == "published"
    assert [run.number for run in backend.context.records.runs(project)] == [1]
