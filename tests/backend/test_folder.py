"""A folder of images in, a queue and its CSV out."""

import io
import os
import random
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from seedqueue.backend.folder import (
    CannotWrite,
    FolderMissing,
    NoImages,
    check_out,
)
from seedqueue.backend.folder_queue import FolderQueue, QueueRow, select_folder, write_queue_csv
from seedqueue.backend.records import Choices
from seedqueue.models import registry
from seedqueue.selectors.errors import BudgetExceedsPool


def draw(path: Path, seed: int) -> None:
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 6), dtype=np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(coarse).resize((40, 40), Image.Resampling.BICUBIC).save(path)


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    for seed in range(70):
        draw(folder / ("a" if seed % 2 else "b/c") / f"{seed}.png", seed)
    return folder


def queue(folder: Path, budget: int = 9, selector: str = "kmeans", max_pixels: int = 10**6) -> FolderQueue:
    embedder = registry.create("hog", folder)
    choices = Choices(budget, "hog", selector, 0)
    return select_folder(folder, choices, embedder, max_pixels=max_pixels, progress=lambda done, total: None)


def test_ranks_files_and_weights(images: Path) -> None:
    chosen = queue(images)
    assert [row.rank for row in chosen.rows] == list(range(1, 10))
    assert len({row.file for row in chosen.rows}) == 9
    assert all((images / row.file).is_file() and "\\" not in row.file for row in chosen.rows)
    assert sum(row.weight for row in chosen.rows) == 70
    assert chosen.unreadable == ()


def test_the_listing_order_does_not_matter(images: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = queue(images)
    listed = Path.rglob

    def shuffled(self: Path, pattern: str) -> list[Path]:
        found = list(listed(self, pattern))
        random.Random(3).shuffle(found)
        return found

    monkeypatch.setattr(Path, "rglob", shuffled)
    assert queue(images) == expected


def test_names_do_not_matter(images: Path) -> None:
    content = {row.file: (images / row.file).read_bytes() for row in queue(images).rows}
    for number, file in enumerate(sorted(images.rglob("*.png"))):
        file.rename(images / f"{(number * 37) % 70}-renamed.png")
    assert [(images / row.file).read_bytes() for row in queue(images).rows] == list(content.values())


def test_which_files_are_images(tmp_path: Path) -> None:
    for name in ("x.PNG", "y.jpeg", "sub/z.Tiff", "w.webp", "v.bmp"):
        draw(tmp_path / name, len(name))
    for name in (".hidden.png", ".git/in.png", "sub/.x/in.png"):
        draw(tmp_path / name, 1)
    (tmp_path / "notes.txt").write_text("no image")
    (tmp_path / "folder.png").mkdir()
    assert {row.file for row in queue(tmp_path, 5).rows} == {"x.PNG", "y.jpeg", "sub/z.Tiff", "w.webp", "v.bmp"}


def test_unreadable_files_are_listed_and_skipped(images: Path) -> None:
    stream = io.BytesIO()
    Image.new("L", (2000, 1000)).save(stream, "PNG")
    (images / "bomb.png").write_bytes(stream.getvalue())
    (images / "page.jpg").write_text("<!doctype html>")
    (images / "gone.png").symlink_to(images / "nowhere")
    (images / "z.png").write_bytes(next(images.rglob("0.png")).read_bytes()[:200])
    chosen = queue(images, 70)
    assert [file for file, _ in chosen.unreadable] == ["bomb.png", "page.jpg", "z.png"]
    reasons = dict(chosen.unreadable)
    assert reasons["bomb.png"] == "2000 x 1000 = 2 megapixels, more than the limit of 1"
    assert reasons["page.jpg"] == "text/HTML"
    assert reasons["z.png"].startswith("truncated PNG")
    with pytest.raises(BudgetExceedsPool, match="71 requested, 70 available"):
        queue(images, 71)


def test_progress_counts_every_image(images: Path) -> None:
    (images / "bad.png").write_bytes(b"")
    steps: list[tuple[int, int]] = []
    select_folder(
        images,
        Choices(3, "hog", "uniform", 0),
        registry.create("hog", images),
        max_pixels=10**6,
        progress=lambda done, total: steps.append((done, total)),
    )
    assert steps == [(32, 71), (64, 71), (71, 71)]


def test_nothing_to_choose_from(tmp_path: Path) -> None:
    with pytest.raises(FolderMissing):
        queue(tmp_path / "absent")
    with pytest.raises(NoImages, match="no images in"):
        queue(tmp_path)
    (tmp_path / "a.png").write_bytes(b"")
    with pytest.raises(NoImages, match="1 images, none readable"):
        queue(tmp_path, 1)


def test_where_no_csv_can_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check_out(tmp_path / "q.csv")
    with pytest.raises(CannotWrite, match="there is no folder"):
        check_out(tmp_path / "missing" / "q.csv")
    with pytest.raises(CannotWrite, match="it is a folder"):
        check_out(tmp_path)
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may write everywhere
    with pytest.raises(CannotWrite, match="not writable"):
        check_out(tmp_path / "q.csv")


def test_the_csv_is_exact(tmp_path: Path) -> None:
    rows = (QueueRow(1, "a/x, y.png", 4, 30), QueueRow(2, "é.png", 0, 2), QueueRow(3, os.fsdecode(b"\xff.png"), 1, 1))
    path = tmp_path / "queue.csv"
    path.write_text("before")
    write_queue_csv(FolderQueue(rows, ()), path)
    assert path.read_bytes() == (
        b'rank,file,cluster,weight\n1,"a/x, y.png",4,30\n2,' + "é".encode() + b".png,0,2\n3,\xff.png,1,1\n"
    )
    assert [each.name for each in tmp_path.iterdir()] == ["queue.csv"]


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "queue.csv"
    path.write_text("before")

    def refuse(self: Path, target: Path) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(OSError, match="disk full"):
        write_queue_csv(FolderQueue((QueueRow(1, "a", 0, 1),), ()), path)
    assert path.read_text() == "before"
    assert [each.name for each in tmp_path.iterdir()] == ["queue.csv"]


def test_real_ultrasound_with_real_weights(tmp_path: Path, test_data: Path) -> None:
    folder = test_data / "data" / "busi" / "images"
    for file in sorted(folder.iterdir())[::6]:  # 130 of them, to be quick
        (tmp_path / file.name).symlink_to(file)
    chosen = select_folder(
        tmp_path,
        Choices(20, "imagenet:squeezenet1_1", "kmeans", 0),
        registry.create("imagenet:squeezenet1_1", test_data / "weights"),
        max_pixels=50_000_000,
        progress=lambda done, total: None,
    )
    assert len({row.file for row in chosen.rows}) == 20
    assert sum(row.weight for row in chosen.rows) == 130
    # All three kinds of image are in a queue that represents the pool.
    assert {row.file.partition("_")[0] for row in chosen.rows} == {"benign", "malignant", "normal"}
