"""The benchmark of learning: that it runs, measures what it says, and how it says it; not how fast anything is."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import numpy as np
import pytest
from fastapi.testclient import TestClient

from seedqueue.backend import cli
from seedqueue.backend.app import create_app
from seedqueue.backend.bench import learning, linear_times, network_times
from seedqueue.backend.bench.answering import Asked, NothingPredicted, images_over_http, served
from seedqueue.backend.bench.drawn_project import (
    CHOICES_CONFIG,
    MASKS_CONFIG,
    drawn_classes,
    drawn_project,
    network_project,
    settings_for,
)
from seedqueue.backend.bench.learning import Sizes, run
from seedqueue.backend.bench.plain_loop import PlainLoop
from seedqueue.backend.bench.rows import Timing, as_json, timed, timings_table
from seedqueue.backend.bench.synthetic import features
from seedqueue.backend.bench.timing import Spent, in_turns
from seedqueue.backend.context import Context
from seedqueue.backend.errors import InvalidRequest, ServeFailed
from seedqueue.backend.settings import Settings
from seedqueue.backend.trained import TrainedHeads
from seedqueue.models.heads import networks
from seedqueue.models.heads.network_head import NetworkHead
from seedqueue.models.heads.spec import honest

pytestmark = pytest.mark.slow

if TYPE_CHECKING:
    import torch

Typed = Callable[..., tuple[int, str, str]]


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Typed:
    """Type `seedqueue bench learn` with these words: exit code, standard output, standard error."""

    def run_command(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["seedqueue", "bench", "learn", *words])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return int(ended.value.code or 0), *capsys.readouterr()

    return run_command


@pytest.mark.soak
def test_the_command_says_every_figure(typed: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of it, but for the app, which answers in this process: it starts sooner."""

    @contextmanager
    def here(settings: Settings, label_config: str, folder: Path) -> Iterator[Asked]:
        with TestClient(create_app(Context(settings))) as client:
            yield Asked(client, label_config)

    monkeypatch.setattr(learning, "served", here)
    code, out, err = typed("--quick", "--json")
    assert code == 0, err
    rows = [json.loads(line) for line in out.splitlines()]
    assert "cores of" in err
    assert all(row["measured"] > 0 for row in rows)
    said = {(row["stage"], row["what"], row["unit"]) for row in rows}
    assert len(said) == len(rows)
    for unit in ("s", "core-s"):
        assert ("linear head", "a whole training, 60 embeddings stored", unit) in said
    for what in ("fit of 10 labels, d = 1,024", "out-of-fold signal of 12 labels, 5 folds"):
        assert ("linear head", what, "core-ms") in said
    assert ("linear head", "probabilities of a pool of 100, in memory", "core-ms") in said
    [goal] = [row for row in rows if row["what"] == "linear head, 60 embeddings stored, one task, median"]
    assert (goal["unit"], goal["against"], goal["whose"]) == ("ms", 50.0, "goal")
    for what in ("linear head, 60 embeddings stored, one task, p95", "U-Net, one image, median"):
        assert ("/predict", what, "ms") in said
    for what in ("linear head, 60 embeddings stored, 5 tasks, median", "U-Net, 2 images, median"):
        assert ("/predict", what, "ms") in said
    assert ("network", "U-Net VGG-11, an epoch of 4, float32", "s") in said
    assert ("network", "U-Net VGG-11, inference, float32", "images per core-second") in said
    assert all(row["whose"] == "plain loop" for row in rows if row["stage"] == "network")


def test_the_app_answers_from_a_process_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings from outside would change what is measured, as a password would."""
    monkeypatch.setenv("BASIC_AUTH_USER", "somebody")
    monkeypatch.setenv("BASIC_AUTH_PASS", "secret")
    project = drawn_project(tmp_path, 60, 20, 15)
    linear_times.training_rows(project, 60, 1)
    with served(project.context.settings, CHOICES_CONFIG, tmp_path) as asked:
        assert asked.seconds(project.waiting[:2]) > 0
        audited = project.gathered.audit[0]
        with pytest.raises(NothingPredicted):
            asked.seconds([(audited.task, audited.uri)])


def test_an_app_that_does_not_come_up_is_told(tmp_path: Path) -> None:
    settings = replace(settings_for(tmp_path), heads="none")
    with pytest.raises(ServeFailed, match="SEEDQUEUE_HEADS='none' cannot be used"), served(settings, "", tmp_path):
        pass


def test_the_drawn_labels_are_learnable_and_are_promoted(tmp_path: Path) -> None:
    """A training of noise would be another thing to time: the audit slice says that something was learnt."""
    project = drawn_project(tmp_path, 400, 100, 150)
    rows = linear_times.training_rows(project, 400, 1)
    assert [row.unit for row in rows] == ["s", "core-s"]
    first, last = project.context.versions.all(1)
    assert (last.promoted, last.parent, last.labels > 50) == (True, first.number, True)
    assert (len(last.audit), last.held_out) == (150, "audit slice")
    assert last.primary["value"] > np.mean(last.target) + 0.2
    assert not {one.task for one in project.gathered.training} & set(last.audit)


def test_what_is_asked_of_the_linear_head_was_never_labelled(tmp_path: Path) -> None:
    project = drawn_project(tmp_path, 60, 20, 15)
    linear_times.training_rows(project, 60, 1)
    assert len(project.waiting) == 25
    tasks = [{"id": task, "data": {"image": uri}} for task, uri in project.waiting]
    said = TrainedHeads(project.context).predict(1, tasks, CHOICES_CONFIG)
    assert all(len(answers) == 1 and answers[0]["result"] for answers in said)


def test_the_unet_answers_with_masks_from_images_over_http(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (4, 3, 32, 32), dtype=np.uint8)
    head = network_times._with_masks(NetworkHead.create(("structure",), "masks", side=32), pixels)
    assert 0.4 < (head.probabilities(pixels) >= 0.5).mean() < 0.6
    with images_over_http([_png(each) for each in pixels]) as uris:
        settings, places = network_project(tmp_path, head, uris)
        tasks = [{"id": task, "data": {"image": uri}} for task, uri in places]
        said = TrainedHeads(Context(settings)).predict(1, tasks, MASKS_CONFIG)
    assert [answers[0]["result"][0]["type"] for answers in said] == ["brushlabels"] * 4


def test_an_empty_answer_is_no_measurement() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        tasks = json.loads(request.content)["tasks"]
        return httpx.Response(200, json={"results": [[] if task["id"] == 3 else [{}] for task in tasks]})

    with httpx.Client(transport=httpx.MockTransport(answer), base_url="http://app") as client:
        asked = Asked(client, CHOICES_CONFIG)
        assert asked.seconds([(1, "a"), (2, "b")]) > 0
        with pytest.raises(NothingPredicted, match="task 3"):
            asked.seconds([(1, "a"), (3, "c")])
        whats = [row.what for row in asked.rows("ones", [[(1, "a")]] * 20, 50.0)]
        assert whats == ["ones, median", "ones, p95"]
        assert [row.what for row in asked.rows("few", [[(1, "a")]] * 19)] == ["few, median"]


def test_the_plain_loop_trains_the_same_task() -> None:
    """It lowers the loss on what it learns: it is a training that is timed against ours."""
    import torch

    pixels = np.random.default_rng(0).integers(0, 256, (6, 3, 32, 32), dtype=np.uint8)
    pixels[::2] //= 8
    targets = np.arange(6)[:, None] % 2 == np.arange(2)
    torch.manual_seed(0)
    loop = PlainLoop(_flat(2), honest("single"))
    before = _right(loop, pixels, targets)
    for _ in range(100):
        loop.epoch(pixels, targets)
    assert loop.infer(pixels).shape == (6, 2)
    assert _right(loop, pixels, targets) == 1 > before


@pytest.mark.parametrize("halved", [True, False])
def test_networks_are_measured_in_each_arithmetic_once(halved: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A linear layer stands in for VGG-11, which has 129 million weights."""
    from seedqueue.models.heads import arithmetic

    def small(kind: str, classes: int, *_: object) -> torch.nn.Module:
        assert (kind, classes) == ("vgg11", 3)
        return _flat(classes)

    monkeypatch.setattr(networks, "build", small)
    monkeypatch.setattr(arithmetic, "_multiplies_bfloat16", lambda: halved)
    pixels = np.random.default_rng(0).integers(0, 256, (6, 3, 32, 32), dtype=np.uint8)
    rows = network_times.vgg(pixels, 1, lambda text: None)
    names = ["bfloat16", "float32"] if halved else ["float32"]
    epochs = [f"VGG-11, an epoch of 6, {name}" for name in names for _ in ("s", "rate")]
    assert [row.what for row in rows] == epochs + [f"VGG-11, inference, {name}" for name in names]


def test_both_times_and_the_least_of_each(monkeypatch: pytest.MonkeyPatch) -> None:
    core, clock = [0.0], [0.0]
    costs = [(2.0, 5.0), (3.0, 4.0)]

    def work() -> None:
        spent, waited = costs.pop(0)
        core[0] += spent
        clock[0] += waited

    monkeypatch.setattr("time.process_time", lambda: core[0])
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    assert in_turns({"a": work}, 2) == {"a": Spent(2.0, 4.0)}


def test_a_row_in_both_shapes() -> None:
    rows = [
        timed("network", "an epoch", 4, "s", 12, "plain loop"),
        timed("network", "inference", 4, "images per core-second", 12, "plain loop"),
        timed("/predict", "one task", 12.3456, "ms", note="5 requests"),
    ]
    assert [row.ratio for row in rows] == [3.0, 0.3333, None]
    assert rows[2] == Timing("/predict", "one task", 12.35, "ms", note="5 requests")
    assert json.loads(as_json(rows).splitlines()[0])["whose"] == "plain loop"
    assert timings_table(rows).splitlines()[2:] == [
        "| network | an epoch | 4.0 | s | 12.0 (plain loop) | **3.00** |  |",
        "| network | inference | 4.0 | images per core-second | 12.0 (plain loop) | **0.33** |  |",
        "| /predict | one task | 12.35 | ms | - | - | 5 requests |",
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--stored", "349"], "--stored is 349; give at least 350."),
        (["--count", "7"], "--count is 7; give a whole number from 8 to 1000."),
        (["--labels", "1"], "--labels is 1; give a whole number from 2 to 10000."),
        (["--rounds", "0"], "--rounds is 0; give a whole number from 1 to 100."),
    ],
)
def test_sizes_that_cannot_be_are_told_before_anything_runs(words: Sequence[str], said: str, typed: Typed) -> None:
    code, out, err = typed(*words)
    assert (code, out, err.strip()) == (1, "", f"InvalidRequest: {said}")


def test_a_home_too_small_is_told_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="--stored is 10; give at least 40"):
        run([], tmp_path, Sizes(stored=(60, 10), learnt=20, held_out=15, batch=5), lambda text: None)
    assert list(tmp_path.iterdir()) == []


def test_drawn_classes_are_one_a_row_and_all_occur() -> None:
    truth = drawn_classes(features(300))
    assert (truth.sum(axis=1) == 1).all()
    assert (truth.mean(axis=0) > 0.1).all()


def _flat(classes: int) -> torch.nn.Module:
    """One linear layer on 3 x 32 x 32 pixels."""
    import torch

    class Flat(torch.nn.Linear):
        def forward(self, pixels: torch.Tensor) -> torch.Tensor:
            return super().forward(pixels.float().flatten(1) / 255 - 0.25)

    return Flat(3 * 32 * 32, classes)


def _right(loop: PlainLoop, pixels: network_times.Pixels, targets: network_times.Targets) -> float:
    return float((loop.infer(pixels).argmax(dim=1).numpy() == targets.argmax(axis=1)).mean())


def _png(pixels: network_times.Pixels) -> bytes:
    from io import BytesIO

    from PIL import Image

    out = BytesIO()
    Image.fromarray(pixels[0]).save(out, "PNG")
    return out.getvalue()
