"""The doctor on this machine, the routes and the command; Redis is there, Label Studio is not."""

from __future__ import annotations

import json
import sys
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from weights_family import CONTENT, DIGEST, register, source

from seedqueue.backend import cli
from seedqueue.backend.app import create_app
from seedqueue.backend.context import Context
from seedqueue.backend.doctor import examination, machine
from seedqueue.backend.doctor.lines import Line
from seedqueue.backend.doctor_cli import drawn, summary
from seedqueue.backend.presence import WorkerSeen
from seedqueue.backend.settings import Settings
from seedqueue.models import registry
from seedqueue.models.weights import WeightsFile

CPUINFO = """processor\t: 0
model name\t: Some CPU @ 2 GHz
flags\t\t: fpu sse4_2 avx2 {}

processor\t: 1
flags\t\t: fpu
"""


@pytest.fixture
def context(redis_url: str, nobody: str, tmp_path: Path) -> Iterator[Context]:
    url = f"http://{nobody}/{uuid.uuid4().hex}"
    settings = Settings(
        label_studio_url=url,
        label_studio_api_key="a" * 40,
        redis_url=redis_url,
        home=tmp_path / "home",
        weights=tmp_path / "weights",
        embedder="hog",
        backend_url=f"http://{nobody}",
    )
    with Context(settings) as opened:
        yield opened


def seen(name: str, state: str, *lanes: Any) -> WorkerSeen:
    return WorkerSeen(name, state, lanes, "2026-01-01T00:00:00+00:00")


def test_workers() -> None:
    every = ("control", "embed", "learn", "experiment")
    none = machine.workers_line([])
    assert (none.level, "seedqueue serve" in none.mend) == ("red", True)
    assert machine.workers_line([seen("a", "idle", *every)]).level == "green"
    served = [seen("a", "busy", "control", "embed"), seen("b", "idle", "learn")]
    assert machine.workers_line(served).message == "2 workers run, 1 of which can learn."
    assert machine.workers_line(served[:1]).level == "yellow"
    line = machine.workers_line(served[1:])
    assert (line.level, "control and embed" in line.message) == ("red", True)
    dead = machine.workers_line([seen("a", "lost", *every)])
    assert (dead.level, "no sign of life" in dead.message) == ("red", True)
    others = machine.workers_line([], strangers=2)
    assert (others.level, "LABEL_STUDIO_URL" in others.mend) == ("red", True)


@pytest.fixture
def family(monkeypatch: pytest.MonkeyPatch) -> str:
    """An embedder whose weights are one published file."""
    registry.names()
    monkeypatch.setattr(registry, "_entries", {})
    register(
        "own", source(WeightsFile("own.pth", "https://example.org/own.pth", sha256=DIGEST), gate="accept the terms")
    )
    return "own"


def test_weights_missing_damaged_and_there(family: str, tmp_path: Path) -> None:
    [line] = machine.weights(tmp_path, family)
    assert line.level == "red"
    assert "own.pth" in line.message
    assert line.mend == "Run `seedqueue weights fetch own` (first: accept the terms)."
    (tmp_path / "own.pth").write_bytes(CONTENT[:-1])
    [line] = machine.weights(tmp_path, family)
    assert (line.level, "damaged" in line.message, "Delete the file" in line.mend) == ("red", True, True)
    (tmp_path / "own.pth").write_bytes(CONTENT)
    [line] = machine.weights(tmp_path, family)
    assert line.level == "green"


def test_an_embedder_without_weights_needs_none(tmp_path: Path) -> None:
    assert machine.weights(tmp_path, "hog")[0].level == "green"


@pytest.mark.parametrize(
    ("flags", "level", "part"),
    [
        ("avx512f avx512_bf16 amx_bf16", "green", "AVX2, AVX-512, AVX-512 bf16, AMX bf16: half precision gains"),
        ("avx512f", "green", "AVX2, AVX-512: without bf16"),
    ],
)
def test_processors(flags: str, level: str, part: str) -> None:
    line = machine.processor_line(CPUINFO.format(flags), 2)
    assert (line.level, part in line.message) == (level, True)
    assert line.message.startswith("Some CPU @ 2 GHz, 2 cores")


def test_a_processor_without_avx2_is_slow_and_another_kind_is_not_judged() -> None:
    old = machine.processor_line(CPUINFO.format("").replace("avx2", ""), 2)
    assert (old.level, "another machine" in old.mend) == ("yellow", True)
    assert machine.processor_line("processor: 0\nFeatures: asimd bf16\n", 8).level == "skipped"


def test_graphics() -> None:
    assert machine.gpu_line(device=False, seen=None).level == "green"
    assert machine.gpu_line(device=True, seen="H100").level == "green"
    unseen = machine.gpu_line(device=True, seen=None)
    assert (unseen.level, "driver" in unseen.mend) == ("yellow", True)


def test_disks(tmp_path: Path) -> None:
    for free, level in ((machine.RED_BYTES - 1, "red"), (machine.YELLOW_BYTES - 1, "yellow"), (10**11, "green")):
        assert machine.disk_line("home", tmp_path, free, writable=True).level == level
    assert "SEEDQUEUE_WEIGHTS" in machine.disk_line("weights folder", tmp_path, 1, writable=True).mend
    assert machine.disk_line("home", tmp_path, 10**11, writable=False).level == "red"
    assert machine.disk_line("weights folder", tmp_path, 10**11, writable=False).level == "green"


def levels(lines: list[Line]) -> dict[str, str]:
    return {line.check: line.level for line in lines}


def test_without_label_studio_the_rest_is_looked_at(context: Context) -> None:
    found = levels(examination.examine(context, 1, scratch_user=True))
    assert found["Label Studio"] == "red"
    for skipped in (
        "token",
        "Label Studio's version",
        "project",
        "images",
        "event",
        "queue order",
        "first task served",
    ):
        assert found[skipped] == "skipped"
    assert found["Redis"] == found["weights"] == "green"
    assert found["workers"] == "red"


def test_without_redis_and_token_nothing_is_raised(context: Context, nobody: str) -> None:
    settings = replace(
        context.settings, redis_url=f"redis://:secret@{nobody}/0", label_studio_api_key="", embedder="resnet"
    )
    with Context(settings) as changed:
        lines = examination.examine(changed)
    found = levels(lines)
    assert (found["Redis"], found["workers"], found["weights"]) == ("red", "skipped", "red")
    assert "secret" not in str(lines)


def test_the_route_says_what_the_command_says(context: Context) -> None:
    with TestClient(create_app(context)) as client:
        found = client.get("/api/doctor?project=3").json()
        assert found["worst"] == "red"
        assert {frozenset(line) for line in found["lines"]} == {frozenset({"check", "level", "message", "mend"})}
        without = client.get("/api/doctor").json()
        assert "project" in {line["check"] for line in found["lines"]} - {line["check"] for line in without["lines"]}
        assert client.get("/api/doctor?project=0").status_code == 422


def test_the_routes_ask_for_the_password(context: Context) -> None:
    with (
        Context(replace(context.settings, basic_auth_user="a", basic_auth_pass="b")) as changed,
        TestClient(create_app(changed)) as client,
    ):
        for path in ("/api/doctor", "/api/activity"):
            assert client.get(path).status_code == 401
        assert client.get("/api/activity", auth=("a", "b")).status_code == 200


@pytest.fixture
def typed(context: Context, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[[str], Any]:
    s = context.settings
    for variable, value in (
        ("LABEL_STUDIO_URL", s.label_studio_url),
        ("LABEL_STUDIO_API_KEY", s.label_studio_api_key),
        ("REDIS_URL", s.redis_url),
        ("SEEDQUEUE_WEIGHTS", str(s.weights)),
        ("SEEDQUEUE_EMBEDDER", "hog"),
    ):
        monkeypatch.setenv(variable, value)

    def run(line: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["seedqueue", *line.split()])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return int(ended.value.code or 0), *capfd.readouterr()

    return run


def test_the_command_says_level_message_and_mend_and_its_status_is_1_with_red(typed: Callable[[str], Any]) -> None:
    code, out, err = typed("doctor")
    assert (code, err) == (1, "")
    lines = out.splitlines()
    at = next(n for n, line in enumerate(lines) if line.startswith("✘ red       Label Studio: "))
    assert "does not answer" in lines[at]
    assert lines[at + 1] == "            Start it, or set LABEL_STUDIO_URL to its address."
    assert any(line.startswith("✔ green     Redis: ") for line in lines)
    assert " red, " in lines[-1]
    code, out, _ = typed("doctor --json")
    assert code == 1
    assert json.loads(out)["worst"] == "red"
    code, _, err = typed("doctor --project 0")
    assert (code, err.startswith("InvalidRequest: --project is 0")) == (1, True)


def test_a_line_keeps_what_looks_like_markup() -> None:
    line = Line("images", "red", "[bold]x[/bold] <img src=x>", "[red]")
    assert drawn(line).plain == "✘ red       images: [bold]x[/bold] <img src=x>\n            [red]"
    assert summary([line, Line("x", "green", ""), line]) == "1 green, 2 red"
