"""The benchmark command: that it runs and what it says, not how fast anything is."""

import json
import subprocess
import sys

import pytest

from seedqueue.backend.bench.rows import Row, as_json, as_table, compared
from seedqueue.backend.bench.timing import core_seconds


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
