"""A reverse proxy as a lab has one: TLS, a path of its own, and a header that says who is signed in."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import httpx
import trustme

HOP = frozenset({"connection", "transfer-encoding", "content-length", "keep-alive"})


class SubPathFront:
    """Passes what comes under `prefix` on to `target`, the prefix taken off.

    user: who is signed in, in `header`, whatever the browser sends itself; None: nobody. asked: (method, path, status).
    """

    def __init__(self, authority: trustme.CA, prefix: str, header: str) -> None:
        self.target = ""
        self.user: str | None = None
        self.asked: list[tuple[str, str, int]] = []
        self._prefix, self._header = prefix, header
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert("127.0.0.1").configure_cert(context)
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.server.daemon_threads = True
        # The handshake is the thread's that answers, not the listener's: one browser must not hold up all.
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.url = f"https://127.0.0.1:{self.server.server_address[1]}{prefix}"

    def passed_on(self, method: str, path: str, headers: httpx.Headers, body: bytes) -> httpx.Response:
        kept = [(name, value) for name, value in headers.multi_items() if name not in {*HOP, self._header.lower()}]
        if self.user is not None:
            kept.append((self._header, self.user))
        kept += [
            ("X-Forwarded-Proto", "https"),
            ("X-Forwarded-Host", headers["host"]),
            ("X-Forwarded-For", "192.0.2.1"),
        ]
        kept = [(name, value) for name, value in kept if name != "host"]  # as nginx does unless it is told not to
        with httpx.Client(timeout=60) as client:
            answer = client.request(method, self.target + path.removeprefix(self._prefix), headers=kept, content=body)
        self.asked.append((method, path, answer.status_code))
        return answer

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                if not self.path.startswith(f"{outer._prefix}/"):
                    self.send_error(404)  # another service's
                    return
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                found = outer.passed_on(self.command, self.path, httpx.Headers(self.headers.items()), body)
                self.send_response(found.status_code)
                for name, value in found.headers.multi_items():
                    if name not in {*HOP, "content-encoding"}:
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(found.content)))
                self.end_headers()
                self.wfile.write(found.content)

            do_GET = do_POST = do_DELETE = do_PATCH = answer  # noqa: N815

            def log_message(self, format: str, *args: object) -> None:
                """The test's output is no place for an access log."""

        return Handler


@contextmanager
def sub_path_front(authority: trustme.CA, prefix: str, header: str) -> Iterator[SubPathFront]:
    front = SubPathFront(authority, prefix, header)
    Thread(target=front.server.serve_forever, daemon=True).start()
    try:
        yield front
    finally:
        front.server.shutdown()
        front.server.server_close()
