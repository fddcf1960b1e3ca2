"""Child processes that never outlive us.

Every child is started through this very file as a tiny shim, which asks Linux to kill it when its parent
dies (so not even a SIGKILL of the parent leaves one behind) and then becomes the program. That is why
nothing but the standard library is imported here.
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType, TracebackType

POLL_SECONDS = 0.05
GRACE_SECONDS = 10.0
FIRST_BACKOFF_SECONDS = 0.5
LONGEST_BACKOFF_SECONDS = 30.0
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class Death:
    """A child that ended by itself; `restarts_in` is None when it is not started again."""

    name: str
    returncode: int
    log_file: Path | None
    restarts_in: float | None


@dataclass
class _Child:
    name: str
    argv: list[str]
    env: Mapping[str, str] | None
    log_file: Path | None
    keep_alive: bool
    popen: subprocess.Popen[bytes] = field(init=False)
    started: float = 0.0
    failures: int = 0
    restart_at: float | None = None

    def launch(self) -> None:
        shim = [sys.executable, "-I", "-S", __file__, str(os.getpid()), *self.argv]
        if self.log_file is None:
            self.popen = self._spawn(shim, None)
        else:
            self.log_file.parent.mkdir(parents=True, exist_ok=True)
            with self.log_file.open("ab") as log:
                self.popen = self._spawn(shim, log.fileno())
        self.started, self.restart_at = time.monotonic(), None

    def _spawn(self, shim: list[str], output: int | None) -> subprocess.Popen[bytes]:
        # A session of its own: Ctrl-C in the terminal reaches us alone, and we end the children in order.
        return subprocess.Popen(
            shim,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )

    def next_backoff(self) -> float:
        lived = time.monotonic() - self.started
        self.failures = 1 if lived > 2 * LONGEST_BACKOFF_SECONDS else self.failures + 1
        return min(FIRST_BACKOFF_SECONDS * 2.0 ** (self.failures - 1), LONGEST_BACKOFF_SECONDS)

    def signal_group(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.popen.pid, number)

    def stop(self, deadline: float) -> None:
        """SIGTERM, patience until the deadline, then SIGKILL; its own children go with it."""
        try:
            if self.popen.poll() is None:
                self.signal_group(signal.SIGTERM)
                self.popen.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            pass
        finally:  # also when a second Ctrl-C cuts the patience short
            self.signal_group(signal.SIGKILL)
            self.popen.wait()


class Children:
    """The child processes of one command, ended in reverse order when the `with` block is left.

    Start them from a thread that lives as long as they should: Linux counts the death of the thread that
    started a child as the death of its parent.
    """

    def __init__(self, grace: float = GRACE_SECONDS) -> None:
        self.grace = grace
        self._children: list[_Child] = []

    def __enter__(self) -> Children:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.terminate_all()

    def start(
        self,
        name: str,
        argv: Sequence[str | Path],
        env: Mapping[str, str] | None = None,
        log_file: Path | None = None,
        keep_alive: bool = False,
    ) -> subprocess.Popen[bytes]:
        """Start a program; `env` is its whole environment (None: ours), output is appended to `log_file`.

        With `keep_alive`, `poll` starts it again when it dies, later and later. The Popen is the first one's.
        """
        child = _Child(name, [str(part) for part in argv], env, log_file, keep_alive)
        child.launch()
        self._children.append(child)
        return child.popen

    def poll(self) -> list[Death]:
        """Who died since the last call. Children kept alive are started again when their time has come."""
        deaths = []
        for child in list(self._children):
            if child.restart_at is not None:
                if time.monotonic() >= child.restart_at:
                    child.launch()
            elif child.popen.poll() is not None:
                deaths.append(self._bury(child))
        return deaths

    def _bury(self, child: _Child) -> Death:
        child.signal_group(signal.SIGKILL)
        backoff = child.next_backoff() if child.keep_alive else None
        if backoff is None:
            self._children.remove(child)
        else:
            child.restart_at = time.monotonic() + backoff
        return Death(child.name, child.popen.returncode, child.log_file, backoff)

    def running(self) -> list[str]:
        """Names of the children alive right now."""
        return [child.name for child in self._children if child.popen.poll() is None]

    def terminate(self, popen: subprocess.Popen[bytes]) -> None:
        """End one child, and with it the processes it started."""
        for child in [child for child in self._children if child.popen is popen]:
            child.stop(time.monotonic() + self.grace)
            self._children.remove(child)

    def terminate_all(self) -> None:
        """End all, the last started first: workers go before the Redis they talk to."""
        deadline = time.monotonic() + self.grace
        try:
            while self._children:
                self._children[-1].stop(deadline)
                self._children.pop()
        finally:
            for child in self._children:
                child.signal_group(signal.SIGKILL)


@contextmanager
def signals_interrupt() -> Iterator[None]:
    """SIGTERM and SIGHUP raise KeyboardInterrupt as Ctrl-C does, so that `with` blocks clean up."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in STOP_SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def until_interrupted(watch: Callable[[], object] | None = None, every: float = 0.5) -> None:
    """Block until SIGINT, SIGTERM or SIGHUP, calling `watch` (such as `children.poll`) now and then."""
    interrupted = threading.Event()

    def remember(number: int, frame: FrameType | None) -> None:
        interrupted.set()

    before = {number: signal.signal(number, remember) for number in STOP_SIGNALS}
    try:
        while not interrupted.wait(every):
            if watch is not None:
                watch()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def free_port(host: str = "127.0.0.1") -> int:
    """A TCP port that nobody listens on right now."""
    with socket.socket() as listener:
        listener.bind((host, 0))
        return int(listener.getsockname()[1])


def last_lines(log_file: Path, count: int = 15) -> str:
    """The end of a log, for an error message."""
    if not log_file.exists():
        return ""
    return "\n".join(log_file.read_text(errors="replace").splitlines()[-count:])


def _die_with_parent(parent: int) -> None:
    """Linux: be killed when the parent dies. Elsewhere nothing: only the parent's own clean-up is left."""
    if sys.platform == "linux":
        set_parent_death_signal = 1
        ctypes.CDLL(None, use_errno=True).prctl(set_parent_death_signal, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # it died before the line above took effect
            os._exit(1)


def _become(parent: int, argv: list[str]) -> None:
    _die_with_parent(parent)
    # Python ignores these two at start-up, and an ignored signal stays ignored over exec.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    try:
        os.execvp(argv[0], argv)
    except OSError as error:
        sys.exit(f"{argv[0]}: {error.strerror}")


if __name__ == "__main__":
    _become(int(sys.argv[1]), sys.argv[2:])
