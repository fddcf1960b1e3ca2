"""Children end with us: by terminate_all, by a signal, and when the parent is killed outright."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from seedqueue.backend.children import Children, free_port, last_lines

Eventually = Callable[..., None]

SLEEPER = [sys.executable, "-c", "import signal; signal.pause()"]
STUBBORN = [
    sys.executable,
    "-uc",
    "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf'); signal.pause()",
]
# A child that has a child of its own, and a parent program that starts one and says its number.
NESTED = [
    sys.executable,
    "-uc",
    f"import subprocess, signal; print(subprocess.Popen({SLEEPER!r}).pid); signal.pause()",
]
PARENT = f"""
from seedqueue.backend.children import Children, signals_interrupt, until_interrupted
try:
    with signals_interrupt(), Children() as children:
        print(children.start("sleeper", {SLEEPER!r}).pid, flush=True)
        HOLD
except KeyboardInterrupt:
    print("interrupted", flush=True)
print("left", flush=True)
"""


def alive(pid: int) -> bool:
    """A zombie counts as dead: whoever has to reap it may take its time."""
    status = Path(f"/proc/{pid}/status")
    return status.exists() and "State:\tZ" not in status.read_text()


def parent(hold: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", PARENT.replace("HOLD", hold)], stdout=subprocess.PIPE, text=True)


def first_line(program: subprocess.Popen[str]) -> str:
    assert program.stdout is not None
    return program.stdout.readline().strip()


def test_leaving_the_block_ends_every_child() -> None:
    with Children() as children:
        first, second = children.start("one", SLEEPER), children.start("two", SLEEPER)
        assert children.running() == ["one", "two"]
    assert first.returncode is not None
    assert second.returncode is not None
    assert children.running() == []


def test_a_failure_half_way_ends_the_children_already_there() -> None:
    started: list[subprocess.Popen[bytes]] = []

    def fail_half_way() -> None:
        with Children() as children:
            started.append(children.start("one", SLEEPER))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_half_way()
    assert started[0].returncode is not None


def test_one_that_ignores_sigterm_is_killed(tmp_path: Path, eventually: Eventually) -> None:
    with Children(grace=0.2) as children:
        child = children.start("deaf", STUBBORN, log_file=tmp_path / "log")
        eventually(lambda: "deaf" in last_lines(tmp_path / "log"), 20)
    assert child.returncode == -signal.SIGKILL


def test_the_children_of_a_child_end_too(tmp_path: Path, eventually: Eventually) -> None:
    log_file = tmp_path / "deeper" / "log"
    with Children() as children:
        child = children.start("nested", NESTED, log_file=log_file)
        eventually(lambda: last_lines(log_file), 20)
        grandchild = int(last_lines(log_file))
        assert alive(grandchild)
        children.terminate(child)
        eventually(lambda: not alive(grandchild), 20)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_no_child_outlives_a_parent_that_gets(number: signal.Signals, eventually: Eventually) -> None:
    with parent("until_interrupted(lambda: print('waiting', flush=True), every=0.05)") as program:
        child = int(first_line(program))
        assert first_line(program) == "waiting"
        assert alive(child)
        program.send_signal(number)
        eventually(lambda: not alive(child), 20)
        if number != signal.SIGKILL:
            assert program.stdout is not None
            assert set(program.stdout.read().split()) <= {"waiting", "left"}
            assert program.wait(20) == 0


def test_sigterm_interrupts_work_that_is_under_way() -> None:
    with parent("import signal; signal.pause()") as program:
        child = int(first_line(program))
        program.terminate()
        assert first_line(program) == "interrupted"
        assert first_line(program) == "left"
        assert not alive(child)


def test_poll_tells_a_death_once(tmp_path: Path, eventually: Eventually) -> None:
    with Children() as children:
        children.start("short", ["sh", "-c", "echo done; exit 3"], log_file=tmp_path / "log")
        deaths: list[tuple[str, int, float | None]] = []

        def polled() -> bool:
            deaths.extend((death.name, death.returncode, death.restarts_in) for death in children.poll())
            return bool(deaths)

        eventually(polled, 20)
        assert children.poll() == []
    assert deaths == [("short", 3, None)]
    assert last_lines(tmp_path / "log") == "done"


def test_one_kept_alive_starts_again_later_and_later(tmp_path: Path, eventually: Eventually) -> None:
    waits: list[float | None] = []
    with Children() as children:
        children.start("short", ["false"], keep_alive=True)

        def polled() -> bool:
            waits.extend(death.restarts_in for death in children.poll())
            return len(waits) >= 2

        eventually(polled, 30)
    assert waits == [0.5, 1.0]


def test_a_program_that_does_not_exist_says_so(tmp_path: Path) -> None:
    with Children() as children:
        child = children.start("nothing", ["/does/not/exist"], log_file=tmp_path / "log")
        assert child.wait(20) == 1
    assert last_lines(tmp_path / "log") == "/does/not/exist: No such file or directory"


def test_the_environment_is_the_given_one_and_sigpipe_is_as_the_shell_has_it(tmp_path: Path) -> None:
    with Children() as children:
        script = ["sh", "-c", "echo $A ${HOME-none}; grep SigIgn /proc/$$/status"]
        child = children.start("env", script, env={"A": "b", "PATH": os.environ["PATH"]}, log_file=tmp_path / "log")
        assert child.wait(20) == 0
    assert last_lines(tmp_path / "log").startswith("b none\n")
    # Others may be ignored from outside: whoever runs the tests may ignore real-time signals.
    ignored = int(last_lines(tmp_path / "log").split()[-1], 16)
    assert not ignored & sum(1 << number - 1 for number in (signal.SIGPIPE, signal.SIGXFSZ))


def test_a_free_port_can_be_listened_on() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", free_port()))
