"""A selector is found by being there; what it returns is checked."""

import sys
import types
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pytest

import seedqueue.selectors
from seedqueue.selectors import registry
from seedqueue.selectors.choosing import select
from seedqueue.selectors.errors import BrokenSelector
from seedqueue.selectors.pool import Pool
from seedqueue.selectors.selection import Rows, Selection

MODULE = """
import numpy as np
from seedqueue.selectors.registry import register
from seedqueue.selectors.selection import Selection

@register("first-rows", representation="raw", title="First", summary="The first rows.", offered=False)
def first_rows(pool, budget, *, seed):
    rows = np.flatnonzero(pool.allowance.open)[:budget].astype(np.int64)
    return Selection(rows, rows, np.ones(budget, dtype=np.int64))
"""


@pytest.fixture(autouse=True)
def _own_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_entries", {entry.name: entry for entry in registry.entries()})


def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> Path:
    folder = tmp_path / name
    folder.mkdir()
    (folder / "first_rows.py").write_text(MODULE, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    return folder


def test_the_folder_is_no_regular_package() -> None:
    assert getattr(seedqueue.selectors, "__file__", None) is None, "selectors/__init__.py shadows the stdlib"


def test_a_new_file_is_a_new_selector(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    registry.import_folder(package(tmp_path, monkeypatch, "dropped_selectors"), "dropped_selectors")
    assert "first-rows" in registry.names()
    assert select("first-rows", np.eye(5), 2, labelled=[0]).rows.tolist() == [1, 2]
    assert not registry.get("first-rows").offered


def test_another_package_can_bring_a_selector(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package(tmp_path, monkeypatch, "plugin_selectors")
    plugin = EntryPoint("first-rows", "plugin_selectors.first_rows", registry.ENTRY_POINTS)

    def installed(*, group: str) -> list[EntryPoint]:
        return [plugin] if group == "seedqueue.selectors" else []

    monkeypatch.setattr(registry, "entry_points", installed)
    registry.import_plugins()
    assert "first-rows" in registry.names()


def test_two_selectors_of_one_name() -> None:
    with pytest.raises(ValueError, match="two selectors are named 'uniform'"):
        register_rows(np.arange(3), name="uniform")


def register_rows(rows: Rows, weight: int = 1, name: str = "wrong") -> None:
    @registry.register(name, representation="raw", title="W", summary="Wrong.", offered=False)
    def wrong(pool: Pool, budget: int, *, seed: int) -> Selection:
        return Selection(rows, rows, np.full(len(rows), weight, dtype=np.int64))


@pytest.mark.parametrize(
    ("rows", "weight"),
    [([1, 1], 1), ([1, 9], 1), ([0, 1], 1), ([1, 2, 3], 1), ([-1, 2], 1), ([1, 2], 0), ([1, 2], 3)],
)
def test_a_selector_that_breaks_its_promise_is_named(rows: list[int], weight: int) -> None:
    register_rows(np.array(rows, dtype=np.int64), weight)
    with pytest.raises(BrokenSelector, match="'wrong'"):
        select("wrong", np.eye(5), 2, labelled=[0])


def test_a_selector_cannot_write_to_the_embeddings() -> None:
    @registry.register("writes", representation="raw", title="W", summary="Writes.", offered=False)
    def writes(pool: Pool, budget: int, *, seed: int) -> Selection:
        pool.embeddings[0] = 0
        raise AssertionError("written")

    with pytest.raises(ValueError, match="read-only"):
        select("writes", np.eye(3, dtype=np.float32), 1)


def test_a_selector_runs_on_one_thread_and_leaves_the_limits_as_they_were() -> None:
    # Sums over threads round differently: the queue must not depend on the machine.
    import sklearn.cluster  # noqa: F401 brings the thread pools there are to limit
    from threadpoolctl import threadpool_info, threadpool_limits

    def threads() -> set[int]:
        return {each["num_threads"] for each in threadpool_info()}

    seen: list[set[int]] = []

    @registry.register("looks", representation="raw", title="L", summary="Looks.", offered=False)
    def looks(pool: Pool, budget: int, *, seed: int) -> Selection:
        seen.append(threads())
        rows = np.arange(budget, dtype=np.int64)
        return Selection(rows, rows, np.ones(budget, dtype=np.int64))

    with threadpool_limits(limits=2):
        before = threads()  # a pool of a single-threaded library, loaded by another test, stays at 1
        assert 2 in before
        select("looks", np.eye(3), 1)
        assert threads() == before
    assert seen == [{1}]


def test_listing_needs_no_scikit_learn() -> None:
    import subprocess

    code = "import sys; from seedqueue.selectors.registry import names; names(); print('sklearn' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_the_standard_library_keeps_its_module() -> None:
    import selectors as standard  # noqa: TID251 the standard library's own

    assert isinstance(standard, types.ModuleType)
    assert hasattr(standard, "DefaultSelector")
