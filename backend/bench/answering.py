"""How long `/predict` takes: the real app in a process of its own, asked over loopback as Label Studio asks it."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import httpx
import numpy as np

from seedqueue.backend.bench.drawn_project import PROJECT
from seedqueue.backend.bench.rows import Timing, timed
from seedqueue.backend.children import Children, free_port, last_lines
from seedqueue.backend.errors import SeedqueueError, ServeFailed
from seedqueue.backend.health import is_healthy
from seedqueue.backend.pool import Place
from seedqueue.backend.settings import Settings, child_environment, environment_of, variables

STAGE = "/predict"
START_SECONDS = 120.0
WARM_UPS = 3
ENOUGH = 20  # requests, one of which is beyond p95


class NothingPredicted(SeedqueueError):
    """A benchmark asked for a prediction and got none: an empty answer's time would be no measurement."""

    status = 500

    def __init__(self, task: int) -> None:
        super().__init__(
            f"/predict says nothing of task {task}, though a head serves: this is a defect of the benchmark."
        )


class Asked:
    """An app that answers, and the label config of its project."""

    def __init__(self, client: httpx.Client, label_config: str) -> None:
        self._client = client
        self._label_config = label_config

    def seconds(self, places: Sequence[Place]) -> float:
        """What a request for these tasks takes. Raises `NothingPredicted` where one has no prediction."""
        tasks = [{"id": task, "data": {"image": uri}} for task, uri in places]
        body = {"tasks": tasks, "project": f"{PROJECT}.1", "label_config": self._label_config}
        began = time.perf_counter()
        answer = self._client.post("/predict", json=body)
        spent = time.perf_counter() - began
        results = answer.raise_for_status().json()["results"]
        for (task, _), result in zip(places, results, strict=True):
            if not result:
                raise NothingPredicted(task)
        return spent

    def rows(self, what: str, requests: Sequence[Sequence[Place]], goal: float | None = None) -> list[Timing]:
        """A row of the median of these requests, one after the other, and where they are enough one of p95.

        goal: of the median, ms.
        """
        for request in requests[:WARM_UPS]:
            self.seconds(request)
        spent = 1e3 * np.array([self.seconds(request) for request in requests])
        note = f"{len(requests)} requests"
        whose = "goal" if goal else ""
        rows = [timed(STAGE, f"{what}, median", float(np.median(spent)), "ms", goal, whose, note)]
        if len(requests) >= ENOUGH:
            rows.append(timed(STAGE, f"{what}, p95", float(np.percentile(spent, 95)), "ms", note=note))
        return rows


@contextmanager
def served(settings: Settings, label_config: str, folder: Path) -> Iterator[Asked]:
    """The web process of `seedqueue serve` on all cores, with nothing from this process' settings.

    Raises `ServeFailed`.
    """
    own, cores = environment_of(settings), str(os.cpu_count() or 1)
    unset = {variable: "" for variable, _, _ in variables() if variable not in {*own, "SEEDQUEUE_THREADS"}}
    env = child_environment(**own, **unset, SEEDQUEUE_THREADS=cores, OMP_NUM_THREADS=cores)
    url, log = f"http://127.0.0.1:{(port := free_port())}", folder / "web.log"
    app = ["seedqueue.backend.asgi:app", "--host", "127.0.0.1", "--port", str(port)]
    with Children() as children:
        command = [sys.executable, "-m", "uvicorn", *app, "--log-level", "warning", "--no-access-log"]
        web = children.start("web", command, env=env, log_file=log)
        deadline = time.monotonic() + START_SECONDS
        while not is_healthy(url):
            if web.poll() is not None or time.monotonic() > deadline:
                raise ServeFailed(f"it did not come up; its last words: {last_lines(log, 5)}")
            time.sleep(0.1)
        with httpx.Client(base_url=url, timeout=120, trust_env=False) as client:
            yield Asked(client, label_config)


@contextmanager
def images_over_http(contents: Sequence[bytes]) -> Iterator[list[str]]:
    """The URLs at which these files are served, by this process."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = contents[int(self.path.strip("/"))]
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """The terminal is the benchmark's."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield [f"http://127.0.0.1:{server.server_address[1]}/{number}" for number in range(len(contents))]
        finally:
            server.shutdown()
