"""A real Redis for all of these, namespaces of their own, and no settings from outside."""

import json
import logging
import signal
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import object_store
import pytest
from object_store import ObjectStore

from seedqueue.backend import embedded_redis, logs
from seedqueue.backend.broker import Broker
from seedqueue.backend.children import Children, free_port
from seedqueue.backend.settings import variables

PAYLOADS = Path(__file__).parents[1] / "payloads"
PROGRAMS = Path(__file__).with_name("programs")


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for variable, _, _ in variables():
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("SEEDQUEUE_HOME", str(tmp_path / "home"))


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """The embedded Redis, one for the session."""
    with tempfile.TemporaryDirectory(prefix="sq-") as home, Children() as children:
        yield embedded_redis.start(children, Path(home))


@pytest.fixture
def broker(redis_url: str) -> Iterator[Broker]:
    """A broker whose namespace no other test has."""
    opened = Broker(redis_url, uuid.uuid4().hex[:8])
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStore]:
    """An object store, one for the session."""
    with Children() as children:
        yield object_store.start(children, tmp_path_factory.mktemp("s3") / "moto.log")


@pytest.fixture
def s3_environment(s3: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """This process finds the object store, for the length of a test."""
    for variable, value in s3.environment.items():
        monkeypatch.setenv(variable, value)


@pytest.fixture(params=["folder", "object store"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    """Where a home may be: the test runs once for each."""
    if request.param == "folder":
        return tmp_path
    request.getfixturevalue("s3_environment")
    found: ObjectStore = request.getfixturevalue("s3")
    return found.new_place()


@pytest.fixture(scope="session")
def payload() -> Callable[[str], dict[str, Any]]:
    """The body of a recorded request of Label Studio, by the file's name."""
    return lambda name: json.loads((PAYLOADS / f"{name}.json").read_text())["body"]


@pytest.fixture
def program() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start a file of programs/ as a process of its own; it is gone when the test ends."""
    started: list[subprocess.Popen[str]] = []

    def start(name: str, *arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, str(PROGRAMS / f"{name}.py"), *arguments]
        started.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def nobody() -> str:
    """An address at which nobody listens."""
    return f"127.0.0.1:{free_port()}"


@pytest.fixture
def signals_as_before() -> Iterator[None]:
    """RQ's worker sets signal handlers and leaves them."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    """A command that serves sets up this process's logging: the next test's standard error would have its lines."""
    root, ours = logging.getLogger(), logging.getLogger(logs.OURS)
    before = root.handlers, root.level, ours.level
    yield
    root.handlers = before[0]
    root.setLevel(before[1])
    ours.setLevel(before[2])
