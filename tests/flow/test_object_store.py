"""The home in an object store: a seed queue with two workers, and nothing of it on this machine's disk."""

from collections.abc import Callable
from pathlib import Path

import object_store
import pytest
from image_server import ImageServer
from running import Backend

from seedqueue.backend import embedded_redis
from seedqueue.backend.children import Children

pytestmark = pytest.mark.slow


def test_a_seed_queue_and_the_second_that_embeds_nothing_again(
    make_backend: Callable[..., Backend], images: ImageServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Children() as children:
        s3 = object_store.start(children, tmp_path / "moto.log")
        for variable, value in s3.environment.items():
            monkeypatch.setenv(variable, value)
        redis = embedded_redis.start(children, tmp_path / "redis")
        backend = make_backend(workers=2, home=s3.new_place(), redis_url=redis, shard_images=10)
        try:
            project = backend.new_project(images.urls())
            first = backend.seed(project, budget=8)
            assert [task.rank for task in first] == list(range(1, 9))
            fetched = images.hits.total()
            again = backend.seed(project, budget=9)
            assert len(again) == 9
            assert images.hits.total() == fetched
        finally:  # before the store goes
            backend.children.terminate_all()
    assert not list(tmp_path.rglob("*.lance"))
