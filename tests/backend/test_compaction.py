"""Compaction: repeats go, the newest row of a key stays, and nobody who reads or writes meanwhile is in its way."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from object_store import open_home
from stored import DIMENSION, key, vectors

from seedqueue.backend import tables
from seedqueue.backend.embeddings import SOURCES, Embeddings, Source, Sources
from seedqueue.backend.records import Choices, Records, Run
from seedqueue.backend.tables import FRAGMENTS, Home

PROGRAMS = Path(__file__).with_name("programs")
KEYS, ROUNDS = 200, 12
HALF = "embeddings-f-float16"


@pytest.fixture
def home(place: Path | str) -> Home:
    return open_home(place)


@pytest.fixture
def store(home: Home) -> Embeddings:
    return Embeddings(home, "f", DIMENSION)


@pytest.fixture
def start(place: Path | str) -> Iterator[Callable[[str], subprocess.Popen[str]]]:
    """Start a program on this place; it is gone when the test ends."""
    started: list[subprocess.Popen[str]] = []

    def begin(name: str) -> subprocess.Popen[str]:
        command = [sys.executable, str(PROGRAMS / f"{name}.py"), str(place), str(KEYS)]
        started.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        return started[-1]

    yield begin
    for process in started:
        process.kill()
        process.communicate()


def table(home: Home, name: str) -> Any:
    found = home.existing(name)
    assert found is not None
    return found


def fill(store: Embeddings, count: int) -> None:
    store.add([key(n) for n in range(count)], vectors(*range(count)))


def fragments(home: Home, name: str) -> int:
    return int(table(home, name).stats()["fragment_stats"]["num_fragments"])


def source(task: int, sha256: str) -> Source:
    return Source("i", 1, task, "/x.png", sha256, 1, "")


def test_repeated_embeddings_go(store: Embeddings, home: Home) -> None:
    fill(store, 30)
    for rows in (30, 7):
        table(home, HALF).add(table(home, HALF).search().limit(rows).to_arrow())
    assert table(home, HALF).count_rows() == 67
    home.compact()
    assert table(home, HALF).count_rows() == 30
    assert np.array_equal(store.read([key(n) for n in range(30)]), vectors(*range(30)))


def test_of_repeated_sources_the_newest_stays(home: Home) -> None:
    sources = Sources(home)
    sources.add([source(1, "old"), source(2, "only")])
    newer = {"key": source(1, "new").key, **vars(source(1, "new"))}
    table(home, "sources").add(pa.Table.from_pylist([newer], schema=SOURCES))
    assert sources.known("i", 1) == {(1, "/x.png"): "new", (2, "/x.png"): "only"}
    home.compact()
    assert table(home, "sources").count_rows() == 2
    assert sources.known("i", 1) == {(1, "/x.png"): "new", (2, "/x.png"): "only"}


def test_records_are_no_repeats(home: Home) -> None:
    records = Records(home, "i")
    for _ in range(2):
        records.save_run(Run(1, 1, "requested", Choices(40, "hog", "kmeans", 0)))
    home.compact()
    assert table(home, "records").count_rows() == 2


def test_fragments_are_merged_once_they_are_many(store: Embeddings, home: Home) -> None:
    for number in range(FRAGMENTS - 1):
        store.add([key(number)], vectors(number))
    home.compact()
    assert fragments(home, HALF) == FRAGMENTS - 1
    store.add([key(FRAGMENTS)], vectors(FRAGMENTS))
    home.compact()
    assert fragments(home, HALF) == 1
    assert table(home, HALF).count_rows() == FRAGMENTS


def test_an_empty_home(home: Home) -> None:
    home.compact()
    home.table("sources", SOURCES)
    home.compact()


def test_two_compactions_at_once_do_not_delete_each_other_s_rows(
    store: Embeddings, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second looked before the first, and acts after it: what it means to delete was rewritten since."""
    monkeypatch.setattr(tables, "FRAGMENTS", 1)
    fill(store, 30)
    table(home, HALF).add(table(home, HALF).search().limit(30).to_arrow())
    late = table(home, HALF)
    surplus = tables._surplus(tables.columns(late, ["sha256"]), "sha256")
    assert len(surplus) == 30
    home.compact()
    table(home, HALF).add(late.search().limit(30).to_arrow())  # and a race repeats all keys again
    late.delete(f"_rowid IN ({', '.join(map(str, surplus))})")
    assert np.array_equal(store.read([key(n) for n in range(30)]), vectors(*range(30)))
    assert table(home, HALF).count_rows() == 60
    home.compact()
    assert table(home, HALF).count_rows() == 30


@pytest.mark.parametrize(
    "message", ["Retryable commit conflict for version 7", "Too many concurrent writers", "Commit conflict for 8"]
)
def test_who_is_overtaken_tries_again_and_then_leaves_it(
    home: Home, monkeypatch: pytest.MonkeyPatch, message: str
) -> None:
    home.table("sources", SOURCES)
    tried: list[object] = []

    def overtaken(found: object) -> None:
        tried.append(found)
        raise RuntimeError(f"lance error: {message}")

    monkeypatch.setattr(tables, "_compact", overtaken)
    home.compact()
    assert len(tried) == tables.ATTEMPTS


def test_other_errors_are_told(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    home.table("sources", SOURCES)

    def fail(found: object) -> None:
        raise RuntimeError("lance error: no space left")

    monkeypatch.setattr(tables, "_compact", fail)
    with pytest.raises(RuntimeError, match="no space left"):
        home.compact()


@pytest.mark.parametrize("place", ["folder", pytest.param("object store", marks=pytest.mark.soak)], indirect=True)
@pytest.mark.slow
def test_readers_and_writers_go_on_meanwhile(
    store: Embeddings,
    home: Home,
    start: Callable[[str], subprocess.Popen[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tables, "FRAGMENTS", 1)
    fill(store, KEYS)
    Sources(home).add(source(task, "") for task in range(20))
    reader, writer = start("keep_reading"), start("keep_writing")
    said: list[str] = []
    for _ in range(ROUNDS):
        for process, word in ((reader, "read"), (writer, "wrote")):
            assert process.stdout is not None
            said.append(process.stdout.readline())
            assert said[-1].startswith(word)
        home.compact()
    assert reader.communicate(timeout=60)[0].splitlines()[-1:] in (["read"], [])
    assert reader.returncode == 0
    last = (said[1::2] + writer.communicate(timeout=60)[0].splitlines(keepends=True))[-1]
    assert writer.returncode == 0
    rounds = int(last.split()[1]) + 1
    home.compact()
    assert table(home, HALF).count_rows() == KEYS + rounds
    assert store.stored() == {key(n) for n in (*range(KEYS), *range(10_000, 10_000 + rounds))}
    assert Sources(home).known("i", 1) == {(task, "/x.png"): key(rounds - 1) for task in range(20)}
