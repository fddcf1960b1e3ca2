"""Embeddings by content hash, also when several processes store the same ones at once; folder and object store."""

import gc
import subprocess
import sys
import weakref
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from object_store import ObjectStore, open_home
from stored import DIMENSION, key, vectors

from seedqueue.backend import stored as stored_vectors
from seedqueue.backend.embeddings import Embeddings, Source, Sources, source_key
from seedqueue.backend.settings import child_environment
from seedqueue.backend.tables import FRAGMENTS, Home
from seedqueue.selectors.source import Matrix

ADD_EMBEDDINGS = Path(__file__).with_name("programs") / "add_embeddings.py"
PROCESSES, EQUAL, OWN = 4, 512, 40
OWN_NUMBERS = [1000 * process + n for process in range(1, PROCESSES + 1) for n in range(OWN)]


def too_wide(count: int) -> np.ndarray:
    """Vectors that share so much of their direction that float16 would blur the rest."""
    noise = np.random.default_rng(0).standard_normal((count, DIMENSION))
    return (100 + 0.01 * noise).astype(np.float32)


def rows_of(home: Home, table: str) -> int:
    found = home.existing(table)
    return 0 if found is None else found.count_rows()


@pytest.fixture
def home(place: Path | str) -> Home:
    return open_home(place)


@pytest.fixture
def store(home: Home) -> Embeddings:
    return Embeddings(home, "f", DIMENSION)


@pytest.fixture(scope="module")
def raced_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home into which four processes stored at once, beginning with no tables."""
    folder = tmp_path_factory.mktemp("raced")
    race(str(folder), {})
    return folder


@pytest.fixture(scope="module")
def raced_url(s3: ObjectStore, redis_url: str) -> str:
    """The same in an object store."""
    url = s3.new_place()
    race(url, s3.environment, redis_url, "raced")
    return url


@pytest.fixture(params=["folder", "object store"])
def raced(request: pytest.FixtureRequest) -> Home:
    if request.param == "folder":
        return open_home(request.getfixturevalue("raced_folder"))
    request.getfixturevalue("s3_environment")
    return open_home(request.getfixturevalue("raced_url"))


def race(place: str, environment: dict[str, str], *redis: str) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, str(ADD_EMBEDDINGS), place, str(number), *redis],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=child_environment(**environment),
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


def test_vectors_come_back_in_the_order_asked_for(store: Embeddings) -> None:
    store.add([key(1), key(2), key(3)], vectors(1, 2, 3))
    assert np.array_equal(store.read([key(3), key(1), key(3), key(2)]), vectors(3, 1, 3, 2))
    assert store.read([]).shape == (0, DIMENSION)
    assert store.stored() == {key(1), key(2), key(3)}


def test_float16_where_it_serves_as_well(store: Embeddings, home: Home) -> None:
    exact = np.random.default_rng(0).standard_normal((40, DIMENSION)).astype(np.float32)
    store.add([key(n) for n in range(40)], exact)
    assert (rows_of(home, "embeddings-f"), rows_of(home, "embeddings-f-float16")) == (0, 40)
    read = store.read([key(n) for n in range(40)])
    assert read.dtype == np.float32
    assert np.array_equal(read, exact.astype(np.float16).astype(np.float32))


def test_bits_are_kept_where_float16_would_blur(store: Embeddings, home: Home) -> None:
    exact = too_wide(40)
    store.add([key(n) for n in range(40)], exact)
    assert (rows_of(home, "embeddings-f"), rows_of(home, "embeddings-f-float16")) == (40, 0)
    assert store.read([key(n) for n in range(40)]).tobytes() == exact.tobytes()


def test_both_kinds_are_read_as_one_matrix_and_the_exact_one_counts(store: Embeddings, home: Home) -> None:
    exact = too_wide(40)
    store.add([key(n) for n in range(40)], exact)
    store.add([key(100), key(101), key(3)], vectors(100, 101, 3))
    assert rows_of(home, "embeddings-f-float16") == 2
    half = home.existing("embeddings-f-float16")
    assert half is not None
    doubled = half.search().limit(1).to_arrow()
    half.add(doubled.set_column(0, "sha256", pa.array([key(3)])))  # what a race can leave behind
    read = store.read([key(101), key(3), key(100), key(39), key(3)])
    assert np.array_equal(read, np.concatenate([vectors(101), exact[[3]], vectors(100), exact[[39, 3]]]))
    assert store.stored() == {key(n) for n in (*range(40), 100, 101)}


def test_what_is_stored_stays_and_is_not_stored_again(store: Embeddings, home: Home) -> None:
    store.add([key(1)], vectors(1))
    store.add([key(1), key(2), key(2)], vectors(8, 2, 9))
    assert np.array_equal(store.read([key(1), key(2)]), vectors(1, 2))
    assert rows_of(home, "embeddings-f-float16") == 2


def test_an_unknown_key_is_named(store: Embeddings) -> None:
    store.add([key(1)], vectors(1))
    with pytest.raises(KeyError, match=f"1 of 2 embeddings are not stored, {key(2)}"):
        store.read([key(1), key(2)])


def test_nothing_stored(store: Embeddings) -> None:
    assert store.stored() == set()
    store.add([], vectors())
    with pytest.raises(KeyError):
        store.read([key(1)])


def test_embedders_do_not_mix(home: Home) -> None:
    one, other = (Embeddings(home, fingerprint, DIMENSION) for fingerprint in ("a", "b"))
    one.add([key(1)], vectors(1))
    assert other.stored() == set()


def test_another_handle_sees_what_was_stored_since(place: Path | str) -> None:
    writer, reader = (Embeddings(open_home(place), "f", DIMENSION) for _ in range(2))
    for number in range(3):
        writer.add([key(number)], vectors(number))
        assert len(reader.stored()) == number + 1
        assert np.array_equal(reader.read([key(number)]), vectors(number))


def test_more_than_is_read_at_once(store: Embeddings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored_vectors, "READ_BYTES", 100 * 4 * DIMENSION)
    numbers = list(range(950))
    store.add([key(n) for n in numbers[:333]], vectors(*numbers[:333]))
    store.add([key(n) for n in numbers], vectors(*numbers))
    assert np.array_equal(store.read([key(n) for n in reversed(numbers)]), vectors(*reversed(numbers)))
    assert np.array_equal(store.read([key(n) for n in numbers[5:940:7]]), vectors(*numbers[5:940:7]))


@pytest.mark.slow
def test_a_compaction_in_the_middle_of_a_read(
    store: Embeddings, place: Path | str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(FRAGMENTS):
        store.add([key(number)], vectors(number))
    located, compacted = stored_vectors.columns, []

    def compacted_meanwhile(*arguments: object) -> pa.Table:
        found = located(*arguments)  # type: ignore[arg-type]
        open_home(place).compact()
        compacted.append(open_home(place).existing("embeddings-f-float16").stats())  # type: ignore[union-attr]
        return found

    monkeypatch.setattr(stored_vectors, "columns", compacted_meanwhile)
    assert np.array_equal(store.read([key(n) for n in range(FRAGMENTS)]), vectors(*range(FRAGMENTS)))
    assert compacted[0]["fragment_stats"]["num_fragments"] == 1


def test_what_was_read_leaves_memory_with_its_last_reader(store: Embeddings) -> None:
    """An error of LanceDB once kept the frames of its callers, each with a matrix, until a garbage collection."""
    store.add([key(1)], vectors(1))
    gc.disable()
    try:
        matrix = store.read([key(1)])
        alive = weakref.ref(matrix)
        del matrix
        assert alive() is None
    finally:
        gc.enable()


@pytest.mark.slow
def test_raced_equal_keys_are_read_once_with_the_right_vector(raced: Home) -> None:
    store = Embeddings(raced, "f", DIMENSION)
    assert np.array_equal(store.read([key(n) for n in range(EQUAL)]), vectors(*range(EQUAL)))


def test_a_race_loses_nothing(raced: Home) -> None:
    store = Embeddings(raced, "f", DIMENSION)
    assert store.stored() == {key(n) for n in (*range(EQUAL), *OWN_NUMBERS)}
    assert np.array_equal(store.read([key(n) for n in OWN_NUMBERS]), vectors(*OWN_NUMBERS))


def test_raced_sources_are_all_known(raced: Home) -> None:
    known = Sources(raced).known("i", 1)
    assert known == {(n, f"/{n}.png"): key(n) for n in (*range(EQUAL), *OWN_NUMBERS)}


def test_stored_twice_is_read_once(store: Embeddings, home: Home) -> None:
    store.add([key(1), key(2)], vectors(1, 2))
    table = home.existing("embeddings-f-float16")
    assert table is not None
    table.add(table.search().limit(10).to_arrow())  # what a race can leave behind
    assert np.array_equal(store.read([key(2), key(1)]), vectors(2, 1))
    assert store.stored() == {key(1), key(2)}


def test_sources_forget_signatures_and_follow_changes(home: Home) -> None:
    sources = Sources(home)
    assert sources.known("i", 1) == {}
    sources.add([])
    task, uri = source_key(5, "https://b/x.png?X-Amz-Signature=1")
    sources.add([Source("i", 1, task, uri, key(1), 10, "")])
    assert sources.known("i", 1) == {source_key(5, "https://b/x.png?X-Amz-Signature=2"): key(1)}
    sources.add([Source("i", 1, task, uri, key(2), 11, "")])
    assert sources.known("i", 1) == {(task, uri): key(2)}


def test_sources_of_instances_and_projects_do_not_mix(home: Home) -> None:
    sources = Sources(home)
    for instance, project in (("i", 1), ("i", 2), ("it's", 1)):
        sources.add([Source(instance, project, 5, "/x.png", key(project), 10, "")])
    assert sources.known("i", 2) == {(5, "/x.png"): key(2)}
    assert sources.known("it's", 1) == {(5, "/x.png"): key(1)}


def test_a_selection_reads_more_than_fits_into_memory_in_blocks(
    store: Embeddings, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = list(range(40))
    store.add([key(n) for n in numbers], vectors(*numbers))
    order = np.array([7, 3, 3, 39, 0])
    wanted = [key(n) for n in order.tolist()]
    in_memory = store.source(wanted)
    assert isinstance(in_memory, Matrix)
    monkeypatch.setattr("seedqueue.backend.embeddings.IN_MEMORY", 1)
    streamed = store.source(wanted)
    assert not isinstance(streamed, Matrix)
    assert streamed.shape == in_memory.shape == (5, DIMENSION)
    assert streamed.take(np.empty(0, dtype=np.int64)).shape == (0, DIMENSION)
    for rows in ([0, 1, 2, 3, 4], [4, 1, 1]):
        at = np.array(rows, dtype=np.int64)
        assert np.array_equal(streamed.take(at), vectors(*order[at].tolist()))
        assert np.array_equal(in_memory.take(at), streamed.take(at))
    with pytest.raises(KeyError, match="1 of 2 embeddings are not stored"):
        store.source([key(1), key(99)])


def test_some_tasks_of_a_project_are_looked_up_alone(home: Home) -> None:
    sources = Sources(home)
    assert sources.known("i", 1, [5]) == {}
    sources.add(Source("i", 1, task, f"/{task}.png?X-Amz-Signature=1", key(task), 1, "") for task in range(1, 21))
    sources.add([Source("i", 1, 5, "/other.png", key(50), 1, ""), Source("i", 2, 5, "/5.png", key(51), 1, "")])
    some = sources.known("i", 1, [5, 7, 99])
    assert {task for task, _ in some} == {5, 7}
    assert some == {place: sha for place, sha in sources.known("i", 1).items() if place[0] in (5, 7)}
    assert sources.known("i", 1, []) == {}


def test_a_few_vectors_are_found_by_their_keys(store: Embeddings, home: Home) -> None:
    assert store.few([key(1)]) == {}
    store.add([key(n) for n in range(40)], vectors(*range(40)))
    exact = np.full((1, DIMENSION), 70_000.5, dtype=np.float32)  # beyond float16
    store.add([key(77)], exact)
    found = store.few([key(3), key(77), key(3), key(404)])
    assert set(found) == {key(3), key(77)}
    np.testing.assert_array_equal(found[key(3)], vectors(3)[0])
    np.testing.assert_array_equal(found[key(77)], exact[0])
    assert {vector.dtype for vector in found.values()} == {np.dtype(np.float32)}
    assert store.few([]) == {}


def test_what_is_stored_is_read_by_its_fingerprint_alone(store: Embeddings, home: Home) -> None:
    name = store._names[np.dtype(np.float32)].removeprefix("embeddings-")
    assert Embeddings.of_fingerprint(home, name).read([]).shape == (0, 0)
    store.add([key(n) for n in range(3)], vectors(*range(3)))
    found = Embeddings.of_fingerprint(home, name)
    np.testing.assert_array_equal(found.read([key(2), key(0)]), vectors(2, 0))
    assert found.source([key(1)]).shape == (1, DIMENSION)
    assert Embeddings.of_fingerprint(home, "another").few([key(1)]) == {}
