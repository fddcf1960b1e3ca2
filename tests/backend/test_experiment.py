"""`seedqueue experiment` for real: its own Redis, real workers, a folder of phantoms, and a kill in the middle."""

from __future__ import annotations

import csv
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from seedqueue.backend import cli, embedded_redis
from seedqueue.backend.children import Children
from seedqueue.backend.demo.phantoms import write_phantoms
from seedqueue.backend.settings import variables

COUNT = 40
SECONDS = 120
COLUMNS = ["embedder", "selector", "head", "budget", "repeat", "metric", "value", "seconds", "pool", "target"]
PROGRAM = [sys.executable, "-m", "seedqueue.backend.cli"]
# Random queues enough that a kill comes before the last of them.
GRID = ["--embedders", "hog", "--selectors", "uniform,kmeans", "--budgets", "6,10", "--repeats", "2", "--draws", "20"]
UNITS = 2 * (20 + 1)

Eventually = Callable[..., object]
Type = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`images` and `labels.csv`, whose label is the kind of phantom; `home` keeps the embeddings of all runs."""
    made = tmp_path_factory.mktemp("experiment")
    files = write_phantoms(made / "images", COUNT)
    lines = [f"{file.name},{file.name.split('_')[0]}" for file in files]
    (made / "labels.csv").write_text("\n".join(["file,label", *lines]) + "\n", encoding="utf-8")
    return made


def environment(folder: Path, **other: str) -> dict[str, str]:
    known = {name for name, _, _ in variables()}
    kept = {name: value for name, value in os.environ.items() if name not in known}
    return {**kept, "SEEDQUEUE_HOME": str(folder / "home"), "OMP_NUM_THREADS": "1", **other}


def options(folder: Path, out: Path, *more: str, grid: list[str] | None = None) -> list[str]:
    table = ["--images", str(folder / "images"), "--labels", str(folder / "labels.csv"), "--positive", "frontal"]
    near = ["--near-duplicate", "0.97", "--workers", "1"]
    return ["experiment", *table, *near, *(GRID if grid is None else grid), "--out", str(out), *more]


def run(
    folder: Path, out: Path, *more: str, grid: list[str] | None = None, **other: str
) -> subprocess.CompletedProcess[str]:
    command = [*PROGRAM, *options(folder, out, *more, grid=grid)]
    done = subprocess.run(
        command, env=environment(folder, **other), capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert done.returncode == 0, done.stderr
    return done


def lines_of(out: Path) -> list[dict[str, str]]:
    with (out / "results.csv").open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))


def untimed(out: Path) -> list[dict[str, str]]:
    return [{name: value for name, value in line.items() if name != "seconds"} for line in lines_of(out)]


def cells(work: Path) -> list[Path]:
    return list((work / "cells").glob("*.jsonl"))


@pytest.fixture(scope="module")
def first(folder: Path) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """A whole run, and what it said."""
    out = folder / "first"
    return out, run(folder, out)


def test_it_writes_the_table_and_the_report(first: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    out, done = first
    assert (out / "results.csv").read_text(encoding="utf-8").splitlines()[0].split(",") == COLUMNS
    found = lines_of(out)
    assert {line["embedder"] for line in found} == {"hog"}
    assert {line["selector"] for line in found} == {"uniform", "kmeans"}
    assert {(line["head"], line["pool"], line["target"]) for line in found} == {("linear", "images", "frontal")}
    assert {(line["budget"], line["repeat"]) for line in found} == {(b, r) for b in ("6", "10") for r in ("0", "1")}
    assert {"auprc", "auroc", "coverage", "diversity", "auprc_draws_sd"} <= {line["metric"] for line in found}
    assert all(0 <= float(line["value"]) <= 1 for line in found if line["metric"] == "auprc")
    headline = done.stdout.splitlines()[0]
    assert headline.startswith("On `images` the default `kmeans` ")
    assert headline in (out / "report.md").read_text(encoding="utf-8")
    assert "<svg" in (out / "report.html").read_text(encoding="utf-8")
    assert f"0 of {UNITS} units are measured already, {UNITS} to do" in done.stderr
    assert (out / "work" / ".gitignore").read_text(encoding="utf-8") == "*\n"


def test_the_report_says_how_to_make_it_anew(first: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    told = re.findall(r"`(seedqueue experiment [^`]*)`", (first[0] / "report.md").read_text(encoding="utf-8"))
    assert len(told) == 1
    assert "--budgets 6,10 --repeats 2 --draws 20" in told[0]
    assert "--workers" not in told[0]


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[str]:
    """A Redis of its own for two commands that share it."""
    with Children() as children:
        yield embedded_redis.start(children, tmp_path / "redis")


@pytest.mark.soak
def test_workers_from_elsewhere_give_the_same_table(
    first: tuple[Path, subprocess.CompletedProcess[str]], folder: Path, tmp_path: Path, redis: str
) -> None:
    """A second run in a folder of its own, none of whose processes is its own: two workers share its Redis."""
    out, work = tmp_path / "out", tmp_path / "work"
    worker = [*PROGRAM, "worker", "--lane", "experiment"]
    elsewhere = environment(folder, REDIS_URL=redis, SEEDQUEUE_HOME=str(tmp_path / "home"))
    with Children() as children:
        for number in (1, 2):
            children.start(f"worker {number}", worker, env=elsewhere)
        run(folder, out, "--work", str(work), "--workers", "0", REDIS_URL=redis)
    assert len(cells(work)) == UNITS
    assert untimed(out) == untimed(first[0])
    assert not (out / "work").exists()
    assert not (work / "logs").exists(), "no Redis was started for it"


def processes(home: Path, work: Path) -> list[int]:
    """Those that run with this home, and the Redis of this folder, which hides its environment."""
    sockets = [embedded_redis.socket_path(place) for place in work.glob("redis-*")]
    marks = {f"SEEDQUEUE_HOME={home}".encode(), *(f"unixsocket:{socket}".encode() for socket in sockets)}
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            told = (folder / "environ").read_bytes() + b"\0" + (folder / "cmdline").read_bytes()
            if marks & set(re.split(rb"[\0 ]", told)):
                found.append(int(folder.name))
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with a killed parent")
@pytest.mark.slow
def test_a_killed_run_leaves_no_process_and_goes_on(
    first: tuple[Path, subprocess.CompletedProcess[str]], folder: Path, tmp_path: Path, eventually: Eventually
) -> None:
    out, home, work = tmp_path / "out", tmp_path / "home", tmp_path / "out" / "work"
    command = [*PROGRAM, *options(folder, out)]
    with (tmp_path / "log").open("wb") as log:
        killed = subprocess.Popen(
            command, env=environment(folder, SEEDQUEUE_HOME=str(home)), stdout=log, stderr=log, start_new_session=True
        )
        try:
            eventually(lambda: len(cells(work)) >= 3, SECONDS, "the first cells")
            assert len(processes(home, work)) >= 3, "the command, its Redis, its worker"
        finally:
            os.kill(killed.pid, signal.SIGKILL)
            killed.wait()
    eventually(lambda: not processes(home, work), 30, "the end of all processes")
    kept = {file: file.stat().st_mtime_ns for file in cells(work)}
    assert 3 <= len(kept) < UNITS
    assert not (out / "results.csv").exists()
    done = run(folder, out, SEEDQUEUE_HOME=str(home))
    assert f"{len(kept)} of {UNITS} units are measured already, {UNITS - len(kept)} to do" in done.stderr
    assert {file: file.stat().st_mtime_ns for file in kept} == kept
    assert untimed(out) == untimed(first[0])
    assert processes(home, work) == []


@pytest.mark.slow
def test_precomputed_embeddings_are_as_good_as_computed_ones(folder: Path, tmp_path: Path) -> None:
    names = sorted(file.name for file in (folder / "images").iterdir())
    vectors = np.random.default_rng(0).standard_normal((COUNT, 5)).astype(np.float32)
    np.savez(tmp_path / "mine.npz", files=np.array(names), embeddings=vectors)
    with (tmp_path / "theirs.csv").open("w", encoding="utf-8", newline="") as opened:
        written = csv.writer(opened)
        written.writerow(["file", *map(str, range(5))])
        written.writerows([name, *map(repr, row)] for name, row in zip(names, vectors.tolist(), strict=True))
    given = [f"mine={tmp_path / 'mine.npz'}", f"theirs={tmp_path / 'theirs.csv'}"]
    more = [part for each in given for part in ("--embeddings", each)]
    small = ["--selectors", "uniform,kmeans", "--budgets", "6", "--repeats", "2", "--draws", "2"]
    out = tmp_path / "out"
    run(folder, out, *more, grid=small)
    found = untimed(out)
    mine, theirs = (
        [{**line, "embedder": ""} for line in found if line["embedder"] == name] for name in ("mine", "theirs")
    )
    assert mine
    assert mine == theirs
    assert len(mine) + len(theirs) == len(found)
    assert "not known: precomputed" in (out / "report.md").read_text(encoding="utf-8")


@pytest.fixture
def typed(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Type:
    """Type the command with some options changed: exit code, standard output, standard error."""
    monkeypatch.setenv("SEEDQUEUE_HOME", str(folder / "home"))
    monkeypatch.setenv("SEEDQUEUE_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.chdir(tmp_path)

    def typing(*more: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["seedqueue", *options(folder, tmp_path / "out", *more)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return int(ended.value.code or 0), *capfd.readouterr()

    return typing


@pytest.mark.parametrize(
    ("more", "refusal"),
    [
        (["--selectors", "best"], "UnknownSelector: there is no selector 'best'; choose one of: "),
        (["--selectors", "kmeans:k=3"], "UnknownArm: The selector 'kmeans:k=3': 'k=3' is no option; "),
        (["--embedders", "nothing"], "UnknownEmbedder: there is no embedder 'nothing'; choose one of: "),
        (["--budgets", "6,many"], "InvalidRequest: --budgets is '6,many'; give whole numbers"),
        (["--budgets", "1"], "InvalidGrid: The experiment's budgets is (1,): give numbers from 2 on."),
        (["--head", "forest"], "InvalidGrid: The experiment's head is 'forest': there are linear, vgg11, unet-vgg11."),
        (["--head", "vgg11"], "WeightsMissing: the weights vgg11-8a719046.pth are not in "),
        (["--near-duplicate", "3"], "InvalidGrid: The experiment's near_duplicate is 3.0: give a cosine from 0"),
        (["--embeddings", "mine"], "InvalidRequest: --embeddings is 'mine'; give NAME=FILE, as mine=vectors.npz."),
        (["--embeddings", "mine=absent.npz"], "VectorsUnusable: The embeddings "),
        (["--images", "absent"], "FolderMissing: there is no folder "),
        (["--labels", "absent.csv"], "LabelTableUnusable: The label table "),
        (["--project", "3"], "InvalidRequest: Give --project, or --images and --labels, not both."),
        (["--config", "absent.toml"], "InvalidRequest: --images has no effect beside --config: leave one of them out."),
        (["--epochs", "3"], "InvalidRequest: --epochs has no effect beside --head linear: leave one of them out."),
        (["--out", "/proc/none"], "CannotWrite: cannot write /proc/none: "),
        (
            ["--positive", "nothing"],
            "PoolUnusable: The pool 'images': 0 of 40 images have 'nothing'; at least 10 with it and 10 without are "
            "needed. There are: frontal 16, lateral 8, ",
        ),
        (["--budgets", "6,30"], "PoolUnusable: The pool 'images': a budget of 30 exceeds the 26 images of its "),
        (["--selectors", "kmeans:pool=30"], "PoolUnusable: The pool 'images': kmeans:pool=30 draws 30 images, "),
        (["--workers", "0"], "InvalidRequest: --workers 0 leaves the work to others: set REDIS_URL"),
    ],
)
def test_what_cannot_be_run_is_one_line(more: list[str], refusal: str, typed: Type, tmp_path: Path) -> None:
    code, out, err = typed(*more)
    assert code == 1
    *before, last = err.splitlines()
    assert last.startswith(refusal)
    progress = (" images in ", " units are measured already", "━")
    assert all(any(word in line for word in progress) for line in before), "progress alone stands above it"
    assert out == ""
    assert not (tmp_path / "out" / "results.csv").exists()
