"""The home in a file and out of it again: all of it, whole or not at all, while others write."""

from __future__ import annotations

from pathlib import Path
from threading import Event, Thread

import numpy as np
import pytest
from object_store import ObjectStore, open_home
from typer.testing import CliRunner

from seedqueue.backend.backup import BackupUnusable, HomeNotEmpty, back_up, restore
from seedqueue.backend.blobs import Blobs
from seedqueue.backend.cli import app
from seedqueue.backend.embeddings import Embeddings, Source, Sources
from seedqueue.backend.layout import HomeLayoutDiffers
from seedqueue.backend.records import Choices, QueuedTask, Records, Run
from seedqueue.backend.tables import Home

RUN = Run(1, 1, "published", Choices(2, "hog", "kmeans", 0), fingerprint="f")
QUEUE = [QueuedTask(1, 5, "/a.png", 0, 3), QueuedTask(2, 6, "/ü.png", 1, 4)]
EXACT = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32) * 1e6  # too large for float16
HALF = np.ones((2, 4), dtype=np.float32)
WEIGHTS = bytes(range(256)) * 50_000


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    fill(home)
    return home


def fill(home: Home) -> None:
    records = Records(home, "ls")
    records.save_run(RUN)
    records.save_queue(RUN, QUEUE)
    Embeddings(home, "f", 4).add(["a", "b", "c"], EXACT)
    Embeddings(home, "f", 4).add(["d", "e"], HALF)
    Sources(home).add([Source("ls", 1, 5, "/a.png", "a", 10, "")])
    Blobs(home).put(WEIGHTS)


def check(home: Home) -> None:
    records = Records(home, "ls")
    assert records.runs() == [RUN]
    assert records.queue(1, 1) == QUEUE
    vectors = Embeddings(home, "f", 4).read(["c", "d", "a", "e", "b"])
    assert np.array_equal(vectors, np.stack([EXACT[2], HALF[0], EXACT[0], HALF[1], EXACT[1]]))
    assert Sources(home).known("ls", 1) == {(5, "/a.png"): "a"}
    assert Blobs(home).get(Blobs(home).put(WEIGHTS)) == WEIGHTS


def test_what_is_restored_is_what_was_there(home: Home, tmp_path: Path) -> None:
    manifest = back_up(home, tmp_path / "b.tar")
    assert manifest["tables"]["records"]["rows"] == 2
    other = Home(tmp_path / "other")
    restore(other, tmp_path / "b.tar")
    check(other)
    assert other.names() == home.names()


def test_a_home_in_an_object_store_too(home: Home, tmp_path: Path, s3: ObjectStore, s3_environment: None) -> None:
    back_up(home, tmp_path / "b.tar")
    there = open_home(s3.new_place())
    restore(there, tmp_path / "b.tar")
    check(there)
    back_up(there, tmp_path / "c.tar")
    again = Home(tmp_path / "again")
    restore(again, tmp_path / "c.tar")
    check(again)


def test_all_that_a_copied_row_names_is_copied_while_others_write(home: Home, tmp_path: Path) -> None:
    """A writer stores weights, then a row that names them, as fast as it can."""
    done, records, blobs = Event(), Records(home, "ls"), Blobs(home)

    def write() -> None:
        number = 0
        while not done.is_set():
            number += 1
            records.append("version", 2, number, {"weights": blobs.put(b"%d" % number)})

    writer = Thread(target=write)
    writer.start()
    try:
        for at in range(3):
            back_up(home, tmp_path / f"{at}.tar")
    finally:
        done.set()
        writer.join()
    for at in range(3):
        other = Home(tmp_path / f"other{at}")
        restore(other, tmp_path / f"{at}.tar")
        for _, number, body in Records(other, "ls").bodies("version"):
            assert Blobs(other).get(body["weights"]) == b"%d" % number


def test_a_damaged_or_shortened_file_is_refused_before_anything_is_written(home: Home, tmp_path: Path) -> None:
    back_up(home, tmp_path / "b.tar")
    content = bytearray((tmp_path / "b.tar").read_bytes())
    (tmp_path / "short.tar").write_bytes(content[: len(content) // 2])
    content[len(content) // 3] ^= 1
    (tmp_path / "flipped.tar").write_bytes(content)
    (tmp_path / "text.tar").write_text("no tar")
    for name in ("short.tar", "flipped.tar", "text.tar", "absent.tar"):
        other = Home(tmp_path / "other")
        with pytest.raises(BackupUnusable, match=f"{name} cannot be restored"):
            restore(other, tmp_path / name)
        assert other.names() == []


@pytest.mark.parametrize(
    ("stands", "flipped"), [(b'"tables"', b'"tablez"'), (b'"layout"', b'xlayout"'), (b"{", b"\xff")]
)
def test_a_damaged_manifest_is_refused_too(home: Home, tmp_path: Path, stands: bytes, flipped: bytes) -> None:
    file = tmp_path / "backup.tar"
    back_up(home, file)
    content = file.read_bytes()
    at = content.index(stands, content.index(b"manifest.json"))
    file.write_bytes(content[:at] + flipped + content[at + len(flipped) :])
    empty = Home(tmp_path / "new")
    with pytest.raises(BackupUnusable, match="manifest is damaged"):
        restore(empty, file)
    assert empty.names() == []


def test_a_home_that_holds_something_is_left_alone(home: Home, tmp_path: Path) -> None:
    back_up(home, tmp_path / "b.tar")
    with pytest.raises(HomeNotEmpty, match="tables already"):
        restore(home, tmp_path / "b.tar")


def test_a_restore_that_is_cut_short_leaves_a_home_that_is_refused(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    back_up(home, tmp_path / "b.tar")
    assert (tmp_path / "b.tar").stat().st_mode & 0o077 == 0
    monkeypatch.setattr(Home, "end_restoring", lambda self: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        restore(Home(tmp_path / "other"), tmp_path / "b.tar")
    with pytest.raises(HomeLayoutDiffers, match="a restore that was cut short"):
        Home(tmp_path / "other")


def test_the_commands(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, run = tmp_path / "b.tar", CliRunner()
    monkeypatch.setenv("SEEDQUEUE_HOME", str(tmp_path / "home"))
    assert "rows are in" in run.invoke(app, ["backup", str(file)], catch_exceptions=False).output
    assert "FolderUnusable" in repr(run.invoke(app, ["backup", str(file)]).exception)  # it never overwrites
    monkeypatch.setenv("SEEDQUEUE_HOME", str(tmp_path / "other"))
    assert "5 tables" in run.invoke(app, ["restore", str(file)], catch_exceptions=False).output
    check(Home(tmp_path / "other"))
