"""Nothing is asked of anybody but Label Studio and the image server: no telemetry, no look for updates."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from image_server import ImageServer
from running import Backend, Eventually
from small_models import ONNX, make_onnx
from watched_connections import Watch, can_trace, watch

from seedqueue.backend.children import Children, free_port
from seedqueue.backend.context import Context
from seedqueue.backend.demo.label_studio import LabelStudioServer
from seedqueue.backend.health import is_healthy
from seedqueue.backend.settings import Settings, child_environment, environment_of

pytestmark = pytest.mark.slow

ELSEWHERE = "192.0.2.7"  # a documentation's address, which nobody has
NATIVE = """
import ctypes, socket
opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
ctypes.CDLL(None).connect(opened.fileno(), bytes([2, 0, 0, 9, 192, 0, 2, 7] + 8 * [0]), 16)
"""


@pytest.fixture
def watched(tmp_path: Path) -> Watch:
    return watch(tmp_path / "watched")


@pytest.fixture
def watched_backend(
    watched: Watch, label_studio: LabelStudioServer, tmp_path: Path, eventually: Eventually
) -> Iterator[Backend]:
    """`seedqueue serve` with an embedder that OpenVINO runs, every process of it watched from its first import on."""
    make_onnx(tmp_path / "weights", 0)
    port = free_port()
    settings = Settings(
        label_studio_url=label_studio.url,
        label_studio_api_key=label_studio.token,
        backend_url=f"http://127.0.0.1:{port}",
        home=tmp_path / "home",
        weights=tmp_path / "weights",
        embedder=f"onnx:{ONNX}",
        image_hosts="127.0.0.1",
    )
    serve = [sys.executable, "-m", "seedqueue.backend.cli", "serve", "--port", str(port)]
    env = {**child_environment(**environment_of(settings)), **watched.environment}
    with Children() as children, Context(settings) as context:
        log = tmp_path / "serve.log"
        children.start("serve", watched.command(serve), env=env, log_file=log)
        eventually(lambda: is_healthy(settings.backend_url), 120, "the backend")
        yield Backend(context, children, log, eventually)


def test_a_seed_queue_speaks_to_nobody_else(
    watched: Watch, watched_backend: Backend, label_studio: LabelStudioServer, images: ImageServer
) -> None:
    backend = watched_backend
    project = backend.new_project(images.urls()[:12])
    backend.attach(project)
    assert len(backend.seed(project, budget=3)) == 3
    assert backend.get("/ui/").status_code == 200
    backend.children.terminate_all()
    known = {url.removeprefix("http://") for url in (label_studio.url, images.url, backend.url)}
    found = watched.places()
    assert {label_studio.url.removeprefix("http://"), images.url.removeprefix("http://")} <= found
    assert found - known - {"127.0.0.1", "localhost"} == set()


@pytest.mark.parametrize("by", ["python", "native"])
def test_one_connection_too_many_is_found(watched: Watch, by: str) -> None:
    """In the child of a child, as a worker is one."""
    if by == "native" and not can_trace():
        pytest.skip("no strace, or it may not trace")
    planted = {"PLANT": ELSEWHERE} if by == "python" else {}
    code = NATIVE if by == "native" else "pass"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {code!r}], check=True)"
    env = {**os.environ, **watched.environment, **planted}
    subprocess.run(watched.command([sys.executable, "-c", parent]), env=env, check=True)
    assert watched.places() == {f"{ELSEWHERE}:9"}
