"""A proxy in front of a real Label Studio that answers some requests itself, late, or not at all."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from types import TracebackType

import httpx

HOP = frozenset({"connection", "transfer-encoding", "content-length", "content-encoding", "host", "keep-alive"})


@dataclass(frozen=True)
class Trouble:
    """What happens to a request: an answer of this status instead, or the true one after some seconds."""

    status: int = 0
    seconds: float = 0.0
    cut: bool = False  # the connection is closed without an answer
    late: bool = False  # Label Studio does what it is asked before
    says: str = "trouble"


class StudioFront:
    """`trouble(method, path)` decides about each request; None passes it on. `met` counts troubles by status."""

    def __init__(self, url: str) -> None:
        self.trouble: Callable[[str, str], Trouble | None] = lambda method, path: None
        self.met: Counter[int] = Counter()
        self._closing = Event()
        self._client = httpx.Client(base_url=url, timeout=120, limits=httpx.Limits(max_keepalive_connections=0))
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def handle_any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                found = outer.trouble(self.command, self.path)
                headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP}
                if found is not None:
                    outer.met[found.status] += 1
                    if found.late:
                        outer._client.request(self.command, self.path, headers=headers, content=body)
                    outer._closing.wait(found.seconds)
                    if found.cut:
                        self.connection.close()
                        return
                    if found.status:
                        self._answer(found.status, {}, json.dumps({"detail": found.says}).encode())
                        return
                passed = outer._client.request(self.command, self.path, headers=headers, content=body)
                self._answer(passed.status_code, dict(passed.headers), passed.content)

            do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = handle_any  # noqa: N815

            def _answer(self, status: int, headers: dict[str, str], content: bytes) -> None:
                self.send_response(status)
                for name, value in headers.items():
                    if name.lower() not in HOP:
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: object) -> None:
                """No access log in the test's output."""

        return Handler

    def __enter__(self) -> StudioFront:
        Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._client.close()
