"""`seedqueue serve` as a child process: what the demo and the tests run against."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from seedqueue.backend.children import Children, last_lines
from seedqueue.backend.errors import ServeFailed
from seedqueue.backend.health import is_healthy
from seedqueue.backend.settings import Settings, child_environment, environment_of

START_SECONDS = 120.0


def start(
    children: Children,
    settings: Settings,
    port: int,
    workers: int,
    log_file: Path,
    extra_env: Mapping[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """Start it with these settings and return once it answers. Raises `ServeFailed` with its last words."""
    env = child_environment(**environment_of(settings), **(extra_env or {}))
    command = [sys.executable, "-m", "seedqueue.backend.cli", "serve", "--port", str(port), "--workers", str(workers)]
    served = children.start("seedqueue serve", command, env=env, log_file=log_file)
    deadline = time.monotonic() + START_SECONDS
    while not is_healthy(f"http://127.0.0.1:{port}"):
        if served.poll() is not None or time.monotonic() > deadline:
            raise ServeFailed(f"it did not come up; its last words: {last_lines(log_file, 5)}")
        time.sleep(0.1)
    return served
