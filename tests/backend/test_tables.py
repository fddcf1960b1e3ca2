"""The home: a folder or an object store's URL, tables made once, and a store that is away told from an empty one."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import object_store
import psutil
import pyarrow as pa
import pytest
from object_store import BUCKET, ObjectStore, open_home

from seedqueue.backend import settings
from seedqueue.backend.children import Children
from seedqueue.backend.context import Context
from seedqueue.backend.embeddings import Embeddings
from seedqueue.backend.records import Choices, Run
from seedqueue.backend.tables import Home, HomeUnreachable

SCHEMA = pa.schema([("word", pa.string())])


def words(home: Home) -> list[str]:
    found = home.existing("words")
    assert found is not None
    return [str(word) for word in found.to_arrow()["word"].to_pylist()]


def test_a_table_is_made_once_and_found_again(place: Path | str) -> None:
    assert open_home(place).existing("words") is None
    for word in ("a", "b"):
        open_home(place).table("words", SCHEMA).add(pa.table({"word": [word]}))
    assert words(open_home(place)) == ["a", "b"]


def test_it_is_made_under_the_lock_which_only_the_first_use_takes(place: Path | str) -> None:
    """Who waited for the lock finds the table that was made meanwhile."""
    taken: list[str] = []

    @contextmanager
    def lock(name: str) -> Iterator[None]:
        taken.append(name)
        open_home(place).table("words", SCHEMA).add(pa.table({"word": ["made meanwhile"]}))
        yield

    home = Home(place, lock)
    for _ in range(2):
        home.table("words", SCHEMA)
    assert taken == ["making-words"]
    assert words(home) == ["made meanwhile"]


def test_homes_of_one_bucket_do_not_meet(s3: ObjectStore, s3_environment: None) -> None:
    one, other = open_home(s3.new_place()), open_home(s3.new_place())
    one.table("words", SCHEMA)
    assert other.existing("words") is None


def test_an_object_store_needs_a_lock_over_all_machines() -> None:
    with pytest.raises(ValueError, match="s3://b/p is shared by machines"):
        Home("s3://b/p")


def test_a_bucket_that_does_not_exist_is_named(s3_environment: None) -> None:
    with pytest.raises(HomeUnreachable, match=r"(?s)s3://nobody-made-this.*NoSuchBucket.*SEEDQUEUE_HOME.*AWS_ENDPOINT"):
        open_home("s3://nobody-made-this/p")


@pytest.mark.slow
def test_a_store_that_is_away_is_not_an_empty_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or all images would be embedded again."""
    with Children() as children:
        away = object_store.start(children, tmp_path / "moto.log")
        for variable, value in away.environment.items():
            monkeypatch.setenv(variable, value)
        home = open_home(f"s3://{BUCKET}/p")
        store = Embeddings(home, "f", 4)
        assert store.stored() == set()
    with pytest.raises(RuntimeError, match="S3"):
        store.stored()


def test_a_context_locks_an_object_store_through_redis(
    s3: ObjectStore, s3_environment: None, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = {"SEEDQUEUE_HOME": s3.new_place(), "REDIS_URL": redis_url}
    run = Run(1, 1, "requested", Choices(40, "hog", "kmeans", 0))
    with Context(settings.load(environment)) as context:
        broker, taken = context.broker, []
        lock = broker.lock
        monkeypatch.setattr(broker, "lock", lambda name: taken.append(name) or lock(name))
        context.records.save_run(run)
    assert taken == ["making-records"]
    with Context(settings.load(environment)) as another:
        assert another.records.runs() == [run]


def test_a_folder_needs_no_redis(tmp_path: Path) -> None:
    with Context(settings.load({"SEEDQUEUE_HOME": str(tmp_path)})) as context:
        context.records.save_run(Run(1, 1, "requested", Choices(40, "hog", "kmeans", 0)))
        assert "broker" not in vars(context)


@pytest.mark.soak
def test_a_process_that_reads_version_after_version_does_not_keep_them(tmp_path: Path) -> None:
    """LanceDB's caches would take 170 MB for these; a web process opens as many versions in an hour."""
    home = Home(tmp_path)
    table = pa.table({"word": ["x" * 2000]})
    home.table("words", table.schema)

    def turn(times: int) -> float:
        for _ in range(times):
            home.table("words", table.schema).add(table)
            for _ in range(3):
                found = home.existing("words")
                assert found is not None
                found.search().select(["word"]).limit(5).to_arrow()
        return float(psutil.Process().memory_full_info().uss)

    before = turn(300)
    assert turn(300) - before < 70e6
