"""Python and notebooks: the command line's queue, refusals by name, a map that shows every image as plain text."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from seedqueue.backend import cli
from seedqueue.backend.errors import InvalidRequest
from seedqueue.backend.folder import CannotWrite, FolderMissing, NoImages
from seedqueue.backend.folder_queue import FolderQueue, QueueRow
from seedqueue.backend.map_figure import MOST_SHAPES, MapPoints, map_figure, plain
from seedqueue.backend.notebook import NamesUnusable, Pool, draw_map, embed_folder, select, write_queue
from seedqueue.models.errors import UnknownEmbedder, WeightsMissing
from seedqueue.selectors import choosing
from seedqueue.selectors.errors import BudgetExceedsPool, InvalidBudget, InvalidEmbeddings, UnknownSelector
from seedqueue.selectors.stability.landscape import MOST_ROWS

pytestmark = pytest.mark.slow


def draw(path: Path, seed: int) -> None:
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 6), dtype=np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(coarse).resize((40, 40), Image.Resampling.BICUBIC).save(path)


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    for seed in range(40):
        draw(folder / ("a" if seed % 2 else "b") / f"{seed}.png", seed)
    draw(folder / "again.png", 7)
    (folder / "page.jpg").write_text("<!doctype html>")
    return folder


@pytest.fixture
def pool() -> Pool:
    return Pool([f"{row}.png" for row in range(50)], np.random.default_rng(1).normal(size=(50, 8)))


def typed_queue(monkeypatch: pytest.MonkeyPatch, images: Path, scratch: Path, **options: object) -> bytes:
    """The file that `seedqueue select` writes with these options."""
    out = scratch / "typed.csv"
    words = [str(part) for name, value in options.items() for part in (f"--{name.replace('_', '-')}", value)]
    start = ["seedqueue", "select", "--images", str(images), "--out", str(out), "--embedder", "hog"]
    monkeypatch.setattr(sys, "argv", [*start, *words])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert not ended.value.code
    return out.read_bytes()


def written(queue: FolderQueue, scratch: Path) -> bytes:
    write_queue(queue, str(scratch / "ours.csv"))
    return (scratch / "ours.csv").read_bytes()


def table(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize(("selector", "seed"), [("kmeans", 0), ("kmeans", 3), ("facility-location", 0), ("uniform", 1)])
def test_the_queue_of_the_command_line(
    selector: str, seed: int, images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options: dict[str, Any] = {"selector": selector, "random_seed": seed}
    chosen = written(select(embed_folder(images, "hog"), 12, **options), tmp_path)
    assert typed_queue(monkeypatch, images, tmp_path, budget=12, **options) == chosen


def test_tables_and_rules_as_on_the_command_line(images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pool = embed_folder(str(images), "hog")
    first = [row.file for row in select(pool, 6, selector="uniform").rows]
    options: dict[str, Any] = {
        "group_field": "patient",
        "fields": table(tmp_path / "fields.csv", "file,patient", *(f"{seed}.png,{seed % 12}" for seed in range(40))),
        "per_group": 2,
        "near_duplicate": 0.05,
        "labelled": table(tmp_path / "labelled.csv", "file", *first[:3]),
        "selector": "uniform",
        "random_seed": 6,
        "representation": "raw",
        "components": 4,
    }
    chosen = select(pool, 9, **options)
    assert typed_queue(monkeypatch, images, tmp_path, budget=9, **options) == written(chosen, tmp_path)
    for name in ("group_field", "per_group", "near_duplicate", "labelled", "selector", "random_seed"):
        assert select(pool, 9, **{**options, name: None}) != chosen, f"{name} is of no consequence here"
    options = {"extends": tmp_path / "ours.csv", "labelled": options["labelled"], "selector": "facility-location"}
    longer = select(pool, 15, **options)
    assert longer.rows[:9] == chosen.rows
    assert typed_queue(monkeypatch, images, tmp_path, budget=15, **options) == written(longer, tmp_path)


def test_predictions_and_weak_labels_as_on_the_command_line(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fields = table(
        tmp_path / "fields.csv", "file,finding", *(f"{seed}.png,{'rare' * (seed < 4)}" for seed in range(40))
    )
    sure = np.random.default_rng(0).random(41).round(3)
    files = [*(f"{seed}.png" for seed in range(40)), "again.png"]
    rows = (f"{file},{value},{1 - value}" for file, value in zip(files, sure, strict=True))
    predictions = table(tmp_path / "predictions.csv", "file,benign,malignant", *rows)
    pool = embed_folder(images, "hog")
    later: dict[str, Any] = {"selector": "entropy", "predictions": predictions}
    rare: dict[str, Any] = {"selector": "weak-label", "weak_label": "field:finding", "fields": fields}
    for options in (later, rare):
        chosen = written(select(pool, 8, **options), tmp_path)
        assert typed_queue(monkeypatch, images, tmp_path, budget=8, **options) == chosen


def test_what_is_not_given_comes_from_the_settings(images: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEEDQUEUE_EMBEDDER", "hog")
    monkeypatch.setenv("SEEDQUEUE_SELECTOR", "uniform")
    monkeypatch.setenv("SEEDQUEUE_BUDGET", "5")
    pool = embed_folder(images)
    assert select(pool) == select(pool, 5, selector="uniform")
    assert len(select(pool).rows) == 5
    monkeypatch.setenv("SEEDQUEUE_RANDOM_SEED", "1")
    assert select(pool) != select(pool, random_seed=0)


def test_unreadable_files_are_listed(images: Path) -> None:
    pool = embed_folder(images, "hog")
    assert pool.unreadable == (("page.jpg", "text/HTML"),)
    assert len(pool.names) == len(pool.vectors) == 41
    assert repr(pool) == "Pool of 41 images, 1 unreadable"
    assert select(pool, 3).unreadable == pool.unreadable


def test_progress_is_silent_unless_asked_for(images: Path, capfd: pytest.CaptureFixture[str]) -> None:
    embed_folder(images, "hog")
    assert capfd.readouterr() == ("", "")
    embed_folder(images, "hog", progress=print)
    assert capfd.readouterr() == ("32 42\n42 42\n", "")


def test_folders_that_cannot_be_embedded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEEDQUEUE_WEIGHTS", str(tmp_path / "weights"))
    with pytest.raises(FolderMissing, match=r"there is no folder .*absent"):
        embed_folder(tmp_path / "absent", "hog")
    with pytest.raises(NoImages, match="no images in"):
        embed_folder(tmp_path, "hog")
    with pytest.raises(UnknownEmbedder, match="hgo"):
        embed_folder(tmp_path, "hgo")
    with pytest.raises(WeightsMissing, match="seedqueue weights fetch txrv"):
        embed_folder(tmp_path, "txrv")


def test_choices_that_cannot_be_had(pool: Pool) -> None:
    with pytest.raises(BudgetExceedsPool, match="51 requested, 50 available"):
        select(pool, 51)
    with pytest.raises(InvalidBudget, match="the budget is 0"):
        select(pool, 0)
    with pytest.raises(UnknownSelector, match="there is no selector 'best'"):
        select(pool, 5, selector="best")
    with pytest.raises(InvalidRequest, match="'entropy' goes by a head's predictions"):
        select(pool, 5, selector="entropy")
    with pytest.raises(InvalidEmbeddings, match="the first is row 0"):
        select(Pool(["a", "b"], np.full((2, 3), np.nan)), 1)


def test_queues_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(CannotWrite, match="there is no folder"):
        write_queue(FolderQueue((), ()), tmp_path / "absent" / "queue.csv")


def test_names_must_tell_the_images_apart(pool: Pool) -> None:
    with pytest.raises(NamesUnusable, match="there are 2 names for 3 vectors"):
        Pool(["a", "b"], np.zeros((3, 2)))
    with pytest.raises(NamesUnusable, match="there are 0 names for 0 vectors"):
        Pool([], np.zeros((0, 2)))
    with pytest.raises(NamesUnusable, match="2 images are named 'a'"):
        Pool(["a", "b", "a"], np.zeros((3, 2)))
    with pytest.raises(NamesUnusable, match="there are 1 labels for 50 images"):
        draw_map(pool, labels=["one"])
    with pytest.raises(NamesUnusable, match=r"'other\.png' of the queue is not in the pool"):
        draw_map(pool, FolderQueue((QueueRow(1, "other.png", 0, 1),), ()))


def test_vectors_of_ones_own(pool: Pool) -> None:
    rows = choosing.select("facility-location", pool.vectors, 7).rows
    assert [row.file for row in select(pool, 7, selector="facility-location").rows] == [f"{row}.png" for row in rows]


def test_the_map_shows_every_image_and_the_ranks(pool: Pool) -> None:
    queue = select(pool, 6)
    figure = draw_map(pool, queue)
    every, chosen = figure.data
    assert (every.type, len(every.x), figure.layout.title.text) == ("scatter", 50, "6 of 50 images, t-SNE")
    assert len({*zip(every.x, every.y, strict=True)}) == 50
    assert list(chosen.text) == [str(rank) for rank in range(1, 7)]
    place = dict(zip(pool.names, zip(every.x, every.y, strict=True), strict=True))
    assert [place[row.file] for row in queue.rows] == list(zip(chosen.x, chosen.y, strict=True))
    told = dict(zip(pool.names, every.hovertext, strict=True))
    for row, hover in zip(queue.rows, chosen.hovertext, strict=True):
        many = "image" if row.weight == 1 else "images"
        assert hover == told[row.file] == f"{row.file}<br>rank {row.rank}, stands for {row.weight} {many}"
    assert sum("<br>" in hover for hover in every.hovertext) == 6
    assert draw_map(pool, queue) == figure


def test_a_map_without_a_queue(pool: Pool) -> None:
    every, chosen = draw_map(pool).data
    assert list(every.hovertext) == list(pool.names)
    assert len(chosen.x) == 0


def test_labels_colour_the_map(pool: Pool) -> None:
    figure = draw_map(pool, labels=np.where(np.arange(50) % 3, "film", "<i>digital</i>"))
    names = {trace.name: len(trace.x) for trace in figure.data}
    assert names == {"&lt;i&gt;digital&lt;/i&gt;": 17, "film": 33, "chosen": 0}
    assert figure.layout.showlegend


def test_larger_maps_are_the_graphics_cards() -> None:
    rows = MOST_SHAPES + 1
    names = [str(row) for row in range(rows)]
    pool = Pool(names, np.random.default_rng(0).normal(size=(rows, 4)))
    figure = draw_map(pool, select(pool, 3, selector="uniform"))
    assert [trace.type for trace in figure.data] == ["scattergl", "scattergl"]
    assert rows > MOST_ROWS
    assert figure.layout.title.text == "3 of 3,001 images, PCA"
    fewer = MapPoints(names[1:], np.zeros(rows - 1), np.zeros(rows - 1))
    assert [trace.type for trace in map_figure(fewer, {}, "PCA").data] == ["scatter", "scatter"]


def test_names_are_never_markup() -> None:
    assert plain("<img src=x onerror=alert(1)>.png") == "&lt;img src=x onerror=alert(1)&gt;.png"
    assert plain("a &lt; $x^2$") == "a &amp;lt; &#36;x^2&#36;"
    names = ["<b>", os.fsdecode(b"\xff.png"), "$\\href{javascript:alert(1)}{x}$"]
    figure = draw_map(Pool(names, np.eye(3)), labels=names)
    sent = json.loads(figure.to_json())["data"]
    shown = [text for trace in sent[:3] for text in (trace["name"], *trace["hovertext"])]
    assert shown == [text for text in ("&#36;\\href{javascript:alert(1)}{x}&#36;", "&lt;b&gt;", "?.png") for _ in "12"]
