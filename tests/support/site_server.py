"""A web server that answers, redirects, refuses, cuts and drips as a test wants, and notes what it was asked."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

PNG = b"\x89PNG bytes"


@dataclass
class Site:
    """A real server on loopback: what it answers by path, and what it was asked."""

    url: str
    answers: dict[str, tuple[int, dict[str, str], bytes]] = field(default_factory=dict)
    asked: list[tuple[str, str | None]] = field(default_factory=list)  # (path, Authorization)
    headers: list[dict[str, str]] = field(default_factory=list)  # all of each request
    drips: bool = False  # ten bytes a second

    @property
    def authority(self) -> str:
        return self.url.removeprefix("http://")

    def serve(self, path: str, content: bytes = PNG, **headers: str) -> str:
        self.answers[path] = (200, {"Content-Length": str(len(content)), **headers}, content)
        return self.url + path

    def redirect(self, path: str, location: str) -> str:
        self.answers[path] = (302, {"Location": location, "Content-Length": "0"}, b"")
        return self.url + path

    def cut(self, path: str) -> str:
        self.answers[path] = (200, {"Content-Length": "50"}, b"x")
        return self.url + path

    def refuse(self, path: str, status: int) -> str:
        self.answers[path] = (status, {"Content-Length": "0"}, b"")
        return self.url + path


class _Handler(BaseHTTPRequestHandler):
    site: Site

    def do_GET(self) -> None:
        self.site.asked.append((self.path, self.headers.get("Authorization")))
        self.site.headers.append(dict(self.headers))
        status, headers, content = self.site.answers.get(self.path, (404, {"Content-Length": "0"}, b""))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        step = 1 if self.site.drips else len(content) or 1
        for start in range(0, len(content), step):
            time.sleep(0.1 if self.site.drips else 0)
            self.wfile.write(content[start : start + step])

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.do_GET()

    def log_message(self, format: str, *arguments: Any) -> None:
        pass


def start_site(host: str) -> tuple[Site, ThreadingHTTPServer]:
    """Start a server under a host name of this machine, with a port of its own; the caller shuts it down."""
    handler = type("Handler", (_Handler,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    site = Site(f"http://{host}:{server.server_port}")
    handler.site = site
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    return site, server
