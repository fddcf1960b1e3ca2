"""Weights of heads: whole or not there, in a folder and in an object store."""

from pathlib import Path
from threading import Thread

import pyarrow as pa
import pytest
from object_store import open_home

from seedqueue.backend import blobs
from seedqueue.backend.blobs import SCHEMA, TABLE, Blobs
from seedqueue.backend.learning_errors import WeightsOfVersionLost
from seedqueue.backend.tables import Home


def rows(home: Home) -> int:
    table = home.existing(TABLE)
    return 0 if table is None else int(table.count_rows())


def test_what_is_put_comes_back(place: Path | str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blobs, "PART_BYTES", 1000)
    home = open_home(place)
    contents = [b"", b"x", bytes(range(256)) * 10, b"y" * 1000, b"y" * 1001]
    names = [Blobs(home).put(content) for content in contents]
    assert len(set(names)) == 5
    assert rows(home) == 1 + 1 + 3 + 1 + 2
    assert [Blobs(open_home(place)).get(name) for name in names] == contents


def test_the_same_content_is_kept_once(tmp_path: Path) -> None:
    home = Home(tmp_path)
    assert len({Blobs(home).put(b"same") for _ in range(3)}) == 1
    assert rows(home) == 1


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsOfVersionLost, match=r"SHA-256 abc.*train anew"):
        Blobs(Home(tmp_path)).get("abc")
    Blobs(Home(tmp_path)).put(b"other")
    with pytest.raises(WeightsOfVersionLost):
        Blobs(Home(tmp_path)).get("abc")


def test_a_part_that_is_missing_or_changed_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blobs, "PART_BYTES", 4)
    home = Home(tmp_path)
    lost, changed = Blobs(home).put(b"0123456789"), Blobs(home).put(b"abcdefghij")
    table = home.existing(TABLE)
    assert table is not None
    table.delete(f"blob = '{lost}' AND part = 1")
    table.delete(f"blob = '{changed}' AND part = 2")
    forged = {"blob": [changed], "part": [2], "content": [b"XX"]}
    table.add(pa.Table.from_pydict(forged, schema=SCHEMA))
    for name in (lost, changed):
        with pytest.raises(WeightsOfVersionLost):
            Blobs(home).get(name)


def test_two_that_put_the_same_at_once(place: Path | str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blobs, "PART_BYTES", 8)
    content = bytes(range(100))
    Blobs(open_home(place)).put(b"the table is made under a lock, which is tested elsewhere")
    threads = [Thread(target=Blobs(open_home(place)).put, args=(content,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    home = open_home(place)
    home.compact()
    assert Blobs(home).get(Blobs(home).put(content)) == content
