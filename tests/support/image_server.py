"""Images over real HTTP: every fetch counted, faults on request, a gate that holds answers back."""

from __future__ import annotations

from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from types import TracebackType
from urllib.parse import urlsplit


class ImageServer:
    """Serves `files` by name. `faults[name] = (status, body)` answers so instead.

    `gate`: clear it, and every answer waits until it is set. `hits` counts requests by name.
    """

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = dict(files)
        self.faults: dict[str, tuple[int, bytes]] = {}
        self.hits: Counter[str] = Counter()
        self.gate = Event()
        self.gate.set()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def urls(self) -> list[str]:
        return [f"{self.url}/{name}" for name in sorted(self.files)]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                name = urlsplit(self.path).path.lstrip("/")
                outer.hits[name] += 1
                outer.gate.wait()
                status, body = outer.faults.get(name) or (200, outer.files.get(name, b""))
                if name not in outer.files and name not in outer.faults:
                    status = 404
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Access-Control-Allow-Origin", "*")  # Label Studio's own screen asks for it
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """The test's output is no place for an access log."""

        return Handler

    def __enter__(self) -> ImageServer:
        Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.gate.set()
        self._server.shutdown()
        self._server.server_close()
