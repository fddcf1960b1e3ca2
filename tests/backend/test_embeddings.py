"""Embeddings by content hash, also when several processes store the same ones at once."""

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from seedqueue.backend.embeddings import Embeddings, Source, Sources, source_key
from seedqueue.backend.tables import Home

ADD_EMBEDDINGS = Path(__file__).with_name("programs") / "add_embeddings.py"
PROCESSES, EQUAL, OWN, DIMENSION = 4, 512, 40, 16
OWN_NUMBERS = [1000 * process + n for process in range(1, PROCESSES + 1) for n in range(OWN)]


def key(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


def vectors(*numbers: int) -> np.ndarray:
    return np.array([[n] * DIMENSION for n in numbers], dtype=np.float32).reshape(-1, DIMENSION)


@pytest.fixture
def store(tmp_path: Path) -> Embeddings:
    return Embeddings(Home(tmp_path), "f", DIMENSION)


@pytest.fixture(scope="module")
def raced(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home into which four processes stored at once, beginning with no tables."""
    home = tmp_path_factory.mktemp("raced")
    processes = [
        subprocess.Popen(
            [sys.executable, str(ADD_EMBEDDINGS), str(home), str(number)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(1, PROCESSES + 1)
    ]
    try:
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        assert [process.communicate(timeout=60)[0] for process in processes] == ["done\n"] * PROCESSES
    finally:
        for process in processes:
            process.kill()
    return home


def test_vectors_come_back_in_the_order_asked_for(store: Embeddings) -> None:
    store.add([key(1), key(2), key(3)], vectors(1, 2, 3))
    assert np.array_equal(store.read([key(3), key(1), key(3), key(2)]), vectors(3, 1, 3, 2))
    assert store.read([]).shape == (0, DIMENSION)
    assert store.stored() == {key(1), key(2), key(3)}


def test_bits_are_kept(store: Embeddings) -> None:
    exact = np.random.default_rng(0).standard_normal((1, DIMENSION)).astype(np.float32)
    store.add([key(1)], exact)
    assert store.read([key(1)]).tobytes() == exact.tobytes()


def test_what_is_stored_stays_and_is_not_stored_again(store: Embeddings, tmp_path: Path) -> None:
    store.add([key(1)], vectors(1))
    store.add([key(1), key(2), key(2)], vectors(8, 2, 9))
    assert np.array_equal(store.read([key(1), key(2)]), vectors(1, 2))
    table = Home(tmp_path).existing("embeddings-f")
    assert table is not None
    assert table.count_rows() == 2


def test_an_unknown_key_is_named(store: Embeddings) -> None:
    store.add([key(1)], vectors(1))
    with pytest.raises(KeyError, match=f"1 of 2 embeddings are not stored, {key(2)}"):
        store.read([key(1), key(2)])


def test_nothing_stored(store: Embeddings) -> None:
    assert store.stored() == set()
    store.add([], vectors())
    with pytest.raises(KeyError):
        store.read([key(1)])


def test_embedders_do_not_mix(tmp_path: Path) -> None:
    one, other = (Embeddings(Home(tmp_path), fingerprint, DIMENSION) for fingerprint in ("a", "b"))
    one.add([key(1)], vectors(1))
    assert other.stored() == set()


def test_another_handle_sees_what_was_stored_since(tmp_path: Path) -> None:
    writer, reader = (Embeddings(Home(tmp_path), "f", DIMENSION) for _ in range(2))
    for number in range(3):
        writer.add([key(number)], vectors(number))
        assert len(reader.stored()) == number + 1
        assert np.array_equal(reader.read([key(number)]), vectors(number))


def test_more_than_a_batch_of_the_reader(store: Embeddings) -> None:
    numbers = list(range(9000))
    store.add([key(n) for n in numbers], vectors(*numbers))
    assert np.array_equal(store.read([key(n) for n in reversed(numbers)]), vectors(*reversed(numbers)))


def test_raced_equal_keys_are_read_once_with_the_right_vector(raced: Path) -> None:
    store = Embeddings(Home(raced), "f", DIMENSION)
    assert np.array_equal(store.read([key(n) for n in range(EQUAL)]), vectors(*range(EQUAL)))


def test_a_race_loses_nothing(raced: Path) -> None:
    store = Embeddings(Home(raced), "f", DIMENSION)
    assert store.stored() == {key(n) for n in (*range(EQUAL), *OWN_NUMBERS)}
    assert np.array_equal(store.read([key(n) for n in OWN_NUMBERS]), vectors(*OWN_NUMBERS))


def test_raced_sources_are_all_known(raced: Path) -> None:
    known = Sources(Home(raced)).known("i", 1)
    assert known == {(n, f"/{n}.png"): key(n) for n in (*range(EQUAL), *OWN_NUMBERS)}


def test_stored_twice_is_read_once(store: Embeddings, tmp_path: Path) -> None:
    store.add([key(1), key(2)], vectors(1, 2))
    table = Home(tmp_path).existing("embeddings-f")
    assert table is not None
    table.add(table.search().limit(10).to_arrow())  # what a race can leave behind
    assert np.array_equal(store.read([key(2), key(1)]), vectors(2, 1))
    assert store.stored() == {key(1), key(2)}


def test_sources_forget_signatures_and_follow_changes(tmp_path: Path) -> None:
    sources = Sources(Home(tmp_path))
    assert sources.known("i", 1) == {}
    sources.add([])
    task, uri = source_key(5, "https://b/x.png?X-Amz-Signature=1")
    sources.add([Source("i", 1, task, uri, key(1), 10, "")])
    assert sources.known("i", 1) == {source_key(5, "https://b/x.png?X-Amz-Signature=2"): key(1)}
    sources.add([Source("i", 1, task, uri, key(2), 11, "")])
    assert sources.known("i", 1) == {(task, uri): key(2)}


def test_sources_of_instances_and_projects_do_not_mix(tmp_path: Path) -> None:
    sources = Sources(Home(tmp_path))
    for instance, project in (("i", 1), ("i", 2), ("it's", 1)):
        sources.add([Source(instance, project, 5, "/x.png", key(project), 10, "")])
    assert sources.known("i", 2) == {(5, "/x.png"): key(2)}
    assert sources.known("it's", 1) == {(5, "/x.png"): key(1)}
