"""Calls to Label Studio: a locked sqlite is waited for."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from seedqueue.backend import label_studio
from seedqueue.backend.errors import LabelStudioRefused
from seedqueue.backend.label_studio import Studio


class Locked(BaseHTTPRequestHandler):
    """Answers as Label Studio 1.23 does while another request writes: `left` times, then well."""

    left = 0

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        locked = Locked.left > 0
        Locked.left -= 1
        body = b'{"status_code": 500, "detail": "database is locked"}' if locked else b'{"id": 7}'
        self.send_response(500 if locked else 201)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """No access log in the test's output."""


@pytest.fixture
def studio(monkeypatch: pytest.MonkeyPatch) -> Iterator[Studio]:
    monkeypatch.setattr(label_studio, "LOCKED_PAUSES", (0.0, 0.0))
    with ThreadingHTTPServer(("127.0.0.1", 0), Locked) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        studio = Studio(f"http://127.0.0.1:{server.server_address[1]}", "token")
        yield studio
        studio.close()
        server.shutdown()


def test_a_locked_database_is_tried_again(studio: Studio) -> None:
    Locked.left = 2
    assert studio.call("POST", "/api/ml", json={}) == {"id": 7}


def test_a_database_that_stays_locked_is_named(studio: Studio) -> None:
    Locked.left = 9
    with pytest.raises(LabelStudioRefused, match="answered 500: database is locked"):
        studio.call("POST", "/api/ml", json={})
    assert Locked.left == 6
