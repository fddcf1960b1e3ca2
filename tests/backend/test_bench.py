"""The benchmark command: that it runs and what it says, not how fast anything is."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from seedqueue.backend import cli
from seedqueue.backend.bench import contestant, million, selection
from seedqueue.backend.bench.contestant import ContestantFailed, Result, Task
from seedqueue.backend.bench.rows import Choice, Row, as_json, as_table, choices_table, compared
from seedqueue.backend.bench.synthetic import BLOCK_ROWS, feature_blocks, features, write_float16
from seedqueue.backend.bench.timing import core_seconds
from seedqueue.backend.errors import InvalidRequest
from seedqueue.models.errors import ExtraMissing
from seedqueue.selectors import registry
from seedqueue.selectors.choosing import select

pytestmark = pytest.mark.slow

Typed = Callable[..., tuple[int, str, str]]


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Typed:
    """Type `seedqueue bench select` with these words: exit code, standard output, standard error."""

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["seedqueue", "bench", "select", *words])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return int(ended.value.code or 0), *capsys.readouterr()

    return run


@pytest.mark.soak
def test_the_benchmark_of_embedding_prints_a_row_for_every_peer() -> None:
    command = [
        sys.executable,
        "-m",
        "seedqueue.backend.cli",
        "bench",
        "embed",
        "--count",
        "16",
        "--rounds",
        "1",
        "--json",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert all(row.keys() == {"stage", "what", "ours", "peer", "ratio", "unit"} for row in rows)
    said = {(row["stage"], row["what"]) for row in rows}
    for peer in ("eager, one by one", "eager, batches of 32", "ONNX Runtime"):
        assert ("network", f"against {peer}") in said
    for kind in ("JPG", "PNG"):
        assert ("files", f"{kind} to embedding, against torchxrayvision") in said
    [cosine] = [row["ours"] for row in rows if row["unit"] == "cosine"]
    assert cosine > 0.99  # both sides embedded the same pictures with the same network
    assert all(row["ours"] > 0 and row["peer"] > 0 for row in rows)


def test_a_row_in_both_shapes() -> None:
    row = compared("network", "against nothing", 30, 12, "images per core-second")
    assert row == Row("network", "against nothing", 30.0, 12.0, 2.5, "images per core-second")
    assert json.loads(as_json([row])) == {
        "stage": "network",
        "what": "against nothing",
        "ours": 30.0,
        "peer": 12.0,
        "ratio": 2.5,
        "unit": "images per core-second",
    }
    assert as_table([row]).splitlines()[-1] == (
        "| network | against nothing | 30.0 | 12.0 | **2.50** | images per core-second |"
    )


def test_rivals_take_turns_and_the_first_round_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, order = [0.0], []

    def work(name: str, costs: list[float]) -> None:
        order.append(name)
        clock[0] += costs.pop(0)

    costs = {"a": [0.1, 3.0, 2.0], "b": [9.0, 5.0, 6.0]}
    monkeypatch.setattr("time.process_time", lambda: clock[0])
    found = core_seconds({name: lambda name=name: work(name, costs[name]) for name in costs}, rounds=2)
    assert found == pytest.approx({"a": 2.0, "b": 5.0})
    assert order == ["a", "b"] * 3


@pytest.mark.soak
def test_the_benchmark_of_selectors_has_a_row_for_each_and_for_every_peer(
    typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Most contestants run in this process, which has imported their libraries already; faiss in its own."""
    real = contestant.run
    monkeypatch.setattr(
        selection, "run_child", lambda task: real(task) if task.name.startswith("faiss") else contestant.measure(task)
    )
    code, out, err = typed("--rows", "300", "--budget", "5", "--json")
    assert code == 0, err
    rows = [json.loads(line) for line in out.splitlines()]
    assert all((row["rows"], row["budget"], row["note"]) == (300, 5, "") for row in rows)
    said = {(row["stage"], row["who"]) for row in rows}
    assert {name for stage, name in said if stage == "select"} == {
        entry.name for entry in registry.entries() if entry.first_round
    }
    assert {name for stage, name in said if stage == "clusters"} == {
        "ours",
        "scikit-learn KMeans",
        "scikit-learn MiniBatchKMeans",
        "faiss Kmeans",
    }
    assert {name for stage, name in said if stage == "activeml"} == {"CoreSet", "MaxHerding", "ProbCover", "TypiClust"}
    for row in rows:
        assert np.isfinite([row[key] for key in ("core_seconds", "memory_mb", "coverage", "gap")]).all()
        assert -1 <= row["coverage"] <= 1
        assert 0 < row["gap"] <= 2
        assert (row["inertia"] is not None) == (row["stage"] == "clusters")
        assert row["inertia"] is None or 0.8 < row["inertia"] < 1.25  # they cluster the same vectors


def test_the_same_maxherding_as_scikit_activeml(tmp_path: Path) -> None:
    """One kernel, one bandwidth: the peer's row in the table is the same problem."""
    found = select("maxherding", features(300), 5, representation="unit").rows
    matrix = features(300)
    np.save(tmp_path / "unit.npy", selection.unit_vectors(matrix))
    peer = contestant.measure(Task("activeml", "MaxHerding", str(tmp_path / "unit.npy"), 5))
    assert peer.rows == found.tolist()


def test_large_pools_say_what_was_left_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(selection, "DEFAULT_ROWS", 250)
    monkeypatch.setattr(selection, "ACTIVEML_ROWS", 250)
    asked: list[tuple[str, str]] = []

    def fake(task: Task) -> Result:
        asked.append((task.kind, task.name))
        return Result([0, 1, 2], 0.5, 7.0, 2.0 if task.kind == "clusters" else None)

    monkeypatch.setattr(selection, "run_child", fake)
    rows = selection.run([300], 3, None, tmp_path, lambda text: None)
    assert ("clusters", "scikit-learn KMeans") not in asked
    assert ("clusters", "ours, 64 components") in asked
    assert not [name for kind, name in asked if kind == "activeml"]
    left_out = [row for row in rows if row.core_seconds is None]
    assert [row.who for row in left_out] == ["scikit-learn KMeans", "CoreSet, MaxHerding, ProbCover, TypiClust"]
    assert all("not run beyond 250 rows" in row.note for row in left_out)
    assert {row.inertia for row in rows if row.stage == "clusters" and row.core_seconds} == {1.0}


def test_real_embeddings_may_be_given(typed: Typed, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "real.npy"
    np.save(file, features(40)[:, :7].astype(np.float64))
    seen = []

    def fake(task: Task) -> Result:
        seen.append(np.load(task.file).shape)
        return Result([0, 1], 0.5, 7.0, 2.0)

    monkeypatch.setattr(selection, "run_child", fake)
    assert typed("--rows", "30", "--budget", "2", "--embeddings", str(file))[0] == 0
    assert set(seen) == {(30, 7)}
    code, _, err = typed("--rows", "41", "--budget", "2", "--embeddings", str(file))
    assert (code, err.strip()) == (1, f"InvalidRequest: --rows is 41, and {file} holds 40.")


@pytest.mark.parametrize("content", [b"no matrix", None], ids=["not a matrix", "not there"])
def test_what_cannot_be_read_is_told(content: bytes | None, tmp_path: Path) -> None:
    file = tmp_path / "real.npy"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(InvalidRequest, match=r"real\.npy cannot be read"):
        selection.run([30], 2, file, tmp_path, lambda text: None)


def test_a_budget_beyond_the_pool_is_told_before_anything_runs(typed: Typed) -> None:
    code, _, err = typed("--rows", "1000", "--rows", "50", "--budget", "60")
    assert (code, err.strip()) == (1, "InvalidRequest: --budget is 60; give at most the 50 of --rows.")


@pytest.mark.parametrize(("module", "package"), [("faiss", "faiss-cpu"), ("skactiveml", "scikit-activeml")])
def test_a_missing_peer_is_told(module: str, package: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ExtraMissing, match=rf"'bench select' needs {package}, .*seedqueue\[bench\]"):
        selection.run([30], 2, None, tmp_path, lambda text: None)


def test_a_contestant_that_ends_early_is_told(tmp_path: Path) -> None:
    with pytest.raises(ContestantFailed, match=r"kmeans ended with code 1: FileNotFoundError: .*none\.npy"):
        contestant.run(Task("select", "kmeans", str(tmp_path / "none.npy"), 5))


def test_our_contestants_import_no_torch() -> None:
    """Its libraries would count as our memory, and its OpenMP meets faiss's."""
    code = "import sys, seedqueue.backend.bench.contestant; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "False"


def test_drawn_embeddings_are_the_same_again_and_begin_alike() -> None:
    n = BLOCK_ROWS + 50
    whole = features(n)
    assert whole.shape == (n, 1024)
    assert whole.dtype == np.float32
    assert np.array_equal(features(40), whole[:40])
    assert np.array_equal(np.concatenate(list(feature_blocks(n))), whole)
    assert not np.array_equal(features(40, seed=1), whole[:40])
    assert np.isfinite(whole).all()
    assert (whole >= 0).all()


def test_the_streamed_pool_is_the_one_in_memory(tmp_path: Path) -> None:
    write_float16(tmp_path / "some.float16", 500)
    source = million.Float16File(tmp_path / "some.float16", 1024)
    matrix = features(500).astype(np.float16).astype(np.float32)
    assert source.shape == (500, 1024)
    for rows in ([0, 1, 2, 7, 8, 499], [5, 3, 4, 4, 498], [], [9]):
        assert np.array_equal(source.take(np.array(rows, dtype=np.int64)), matrix[rows])
    assert select("kmeans", source, 5).rows.tolist() == select("kmeans", matrix, 5).rows.tolist()


def test_the_row_of_a_million(monkeypatch: pytest.MonkeyPatch, typed: Typed) -> None:
    """600 of them here, in a child process as in earnest."""
    monkeypatch.setattr(million, "ROWS", 600)
    monkeypatch.setattr(million, "BUDGET", 5)
    code, out, err = typed("--million", "--json")
    assert code == 0, err
    [row] = [json.loads(line) for line in out.splitlines()]
    assert (row["rows"], row["budget"], row["who"]) == (600, 5, "kmeans")
    assert row["core_seconds"] > 0
    assert row["memory_mb"] > 10
    assert all(part in row["note"] for part in million.PARTS)


def test_choices_as_a_table() -> None:
    row = Choice(10_000, 100, "select", "kmeans", 1.234, 45.6, 0.99871, 0.5, 1.25, "as it is")
    assert choices_table([row, Choice(10_000, 100, "clusters", "x")]).splitlines()[2:] == [
        "| 10,000 | select | kmeans | 1.23 | 46 | 0.9987 | 0.5000 | 1.250 | as it is |",
        "| 10,000 | clusters | x | - | - | - | - | - |  |",
    ]
    assert json.loads(as_json([row]))["core_seconds"] == 1.234
