"""Weight files: where they are looked for, how they are checked and fetched."""

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from seedqueue.models import weights
from seedqueue.models.errors import WeightsCorrupt, WeightsMissing, WeightsUnreachable

CONTENT = bytes(range(256)) * 9000
DIGEST = hashlib.sha256(CONTENT).hexdigest()


class Server(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/moved.pth":
            self.send_response(302)
            self.send_header("Location", "/w.pth")
            self.end_headers()
            return
        if self.path not in ("/w.pth", "/cut.pth"):
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(CONTENT if self.path == "/w.pth" else CONTENT[:1000])

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Server) as serving:
        thread = threading.Thread(target=serving.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{serving.server_port}"
        serving.shutdown()
        thread.join()


def test_the_first_file_of_the_list_that_is_there(tmp_path: Path) -> None:
    assert weights.find(tmp_path, ["a.pth", "b.pth"]) is None
    (tmp_path / "b.pth").write_bytes(b"b")
    assert weights.find(tmp_path, ["a.pth", "b.pth"]) == tmp_path / "b.pth"
    with pytest.raises(WeightsMissing, match=r"a\.pth .* run `seedqueue weights fetch txrv`"):
        weights.require(tmp_path, ["a.pth"], "txrv")


def test_a_changed_file_has_another_hash(tmp_path: Path) -> None:
    file = tmp_path / "w"
    file.write_bytes(CONTENT)
    assert weights.sha256_file(file) == DIGEST
    file.write_bytes(b"other")
    assert weights.sha256_file(file) == hashlib.sha256(b"other").hexdigest()


def test_a_file_is_checked_against_prefix_and_list(tmp_path: Path) -> None:
    file = tmp_path / "w.pth"
    file.write_bytes(CONTENT)
    assert weights.verify(file, DIGEST[:8]) == DIGEST
    with pytest.raises(WeightsCorrupt) as caught:
        weights.verify(file, "00000000")
    assert (caught.value.expected, caught.value.actual) == ("a SHA-256 of 00000000", DIGEST)
    (tmp_path / "SHA256SUMS").write_text(f"{'1' * 64}  other.pth\n{DIGEST} *w.pth\n", encoding="utf-8")
    weights.verify(file)
    file.write_bytes(b"changed")
    with pytest.raises(WeightsCorrupt):
        weights.verify(file)


@pytest.mark.parametrize("path", ["w.pth", "moved.pth"])
def test_a_fetched_file_is_there_whole(server: str, tmp_path: Path, path: str) -> None:
    steps: list[tuple[int, int | None]] = []
    folder = tmp_path / "new" / "folder"
    file = weights.fetch(
        f"{server}/{path}", folder, "w.pth", lambda *step: steps.append(step), expected_prefix=DIGEST[:8]
    )
    assert file.read_bytes() == CONTENT
    assert steps[-1] == (len(CONTENT), len(CONTENT))
    assert len(steps) > 1
    assert [each.name for each in folder.iterdir()] == ["w.pth"]


@pytest.mark.parametrize("path", ["absent.pth", "cut.pth"])
def test_a_failed_fetch_leaves_nothing(server: str, tmp_path: Path, path: str) -> None:
    with pytest.raises(WeightsUnreachable) as caught:
        weights.fetch(f"{server}/{path}", tmp_path, "w.pth", lambda *step: None)
    assert caught.value.url in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_file_replaces_nothing(server: str, tmp_path: Path) -> None:
    (tmp_path / "w.pth").write_bytes(b"good")
    with pytest.raises(WeightsCorrupt):
        weights.fetch(f"{server}/w.pth", tmp_path, "w.pth", lambda *step: None, expected_prefix="0000")
    assert [each.read_bytes() for each in tmp_path.iterdir()] == [b"good"]


def test_nobody_listening(tmp_path: Path) -> None:
    with pytest.raises(WeightsUnreachable, match="put it into the weights folder"):
        weights.fetch("http://127.0.0.1:9/w.pth", tmp_path, "w.pth", lambda *step: None)
