"""The embedded Redis, with the real server: found again from any shell, one per home, gone with us."""

from __future__ import annotations

import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from seedqueue.backend import embedded_redis
from seedqueue.backend.broker import connect
from seedqueue.backend.children import Children
from seedqueue.backend.embedded_redis import EmbeddedRedisFailed, HomeInUse, RedisUnset, UnsafeSocketFolder, socket_path
from seedqueue.backend.settings import load


def deep(folder: Path) -> Path:
    return folder / ("d" * 60) / ("e" * 60)


def test_it_answers_under_the_url_of_its_home(tmp_path: Path) -> None:
    with Children() as children:
        url = embedded_redis.start(children, tmp_path)
        assert url == embedded_redis.redis_url(tmp_path)
        with Redis.from_url(url) as client:
            client.set("key", "value")
            assert client.get("key") == b"value"
            for name, value in {"save": "", "appendonly": "no", "port": "0"}.items():
                assert client.config_get(name) == {name: value}
    assert not embedded_redis.answers(socket_path(tmp_path))


def test_nothing_is_kept_and_a_socket_left_behind_is_no_obstacle(tmp_path: Path) -> None:
    path = socket_path(tmp_path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(path))
    assert path.exists()
    with Children() as children:
        with Redis.from_url(embedded_redis.start(children, tmp_path)) as client:
            client.set("key", "value")
        children.terminate_all()
        with Redis.from_url(embedded_redis.start(children, tmp_path)) as client:
            assert client.get("key") is None


def test_a_second_server_on_the_same_home_is_refused(tmp_path: Path) -> None:
    with Children() as children:
        embedded_redis.start(children, tmp_path)
        with pytest.raises(HomeInUse, match="SEEDQUEUE_HOME"), Children() as others:
            embedded_redis.start(others, tmp_path)
        assert embedded_redis.answers(socket_path(tmp_path))


def test_an_object_store_has_no_redis_of_its_own() -> None:
    """Each machine's own would not know of the others' locks."""
    with Children() as children, pytest.raises(RedisUnset, match="REDIS_URL is not set, and the home s3://b/p"):
        embedded_redis.start(children, "s3://b/p")
    with pytest.raises(RedisUnset, match="REDIS_URL"):
        connect(load({"SEEDQUEUE_HOME": "s3://b/p"}))
    connect(load({"SEEDQUEUE_HOME": "s3://b/p", "REDIS_URL": "redis://r:1"})).close()


def test_homes_do_not_meet(tmp_path: Path) -> None:
    with Children() as children:
        one = embedded_redis.start(children, tmp_path / "one")
        two = embedded_redis.start(children, tmp_path / "two")
        with Redis.from_url(one) as first, Redis.from_url(two) as second:
            first.set("key", "value")
            assert second.get("key") is None


@pytest.fixture
def temporary(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A temporary folder with a path short enough for sockets, which pytest's own may not have."""
    with tempfile.TemporaryDirectory() as folder:
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield Path(folder)


def test_a_home_with_a_long_path_works_and_its_socket_folder_is_private(tmp_path: Path, temporary: Path) -> None:
    path = socket_path(deep(tmp_path))
    assert len(str(path)) <= embedded_redis.LONGEST_SOCKET_PATH
    assert path == socket_path(deep(tmp_path))
    assert path.is_relative_to(temporary)
    with Children() as children, Redis.from_url(embedded_redis.start(children, deep(tmp_path))) as client:
        assert client.ping()
        assert path.parent.stat().st_mode & 0o077 == 0


def test_a_socket_folder_others_could_enter_is_refused(tmp_path: Path, temporary: Path) -> None:
    folder = socket_path(deep(tmp_path)).parent
    folder.mkdir()
    folder.chmod(0o755)
    with Children() as children, pytest.raises(UnsafeSocketFolder, match=str(folder)):
        embedded_redis.start(children, deep(tmp_path))
    folder.rmdir()
    folder.symlink_to(tmp_path)
    with Children() as children, pytest.raises(UnsafeSocketFolder):
        embedded_redis.start(children, deep(tmp_path))


def test_a_server_that_ends_at_once_is_told_with_its_last_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded_redis, "command", lambda path: ["sh", "-c", "echo no room; exit 1"])
    with Children() as children, pytest.raises(EmbeddedRedisFailed, match=r"ended with 1: no room.*REDIS_URL"):
        embedded_redis.start(children, tmp_path)
