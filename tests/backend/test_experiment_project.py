"""An annotated pool as a labelled folder: what `read_labels` finds in it is what the annotators said."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from annotated import BOTH, MASKS, MULTI, annotation, choice, region, task
from image_server import ImageServer
from PIL import Image

from seedqueue.backend.annotations import examples_from
from seedqueue.backend.context import Context
from seedqueue.backend.errors import FolderUnusable
from seedqueue.backend.experiment_files import suffix_of
from seedqueue.backend.experiment_project import ProjectPool, label_cell, write_pool
from seedqueue.backend.label_config import Labelling
from seedqueue.backend.pool_errors import NoReadableImage
from seedqueue.backend.settings import Settings
from seedqueue.experiments.datasets.tables import LabelledImage, read_labels

WIDE, HIGH = 12, 8
LEFT = np.arange(WIDE)[None, :].repeat(HIGH, axis=0) < 4
TOP = np.arange(HIGH)[:, None].repeat(WIDE, axis=1) < 2


def encoded(number: int, kind: str = "PNG") -> bytes:
    kept = io.BytesIO()
    drawn = np.random.default_rng(number).random((HIGH, WIDE)) * 255
    Image.fromarray(drawn.astype(np.uint8)).save(kept, kind)
    return kept.getvalue()


@pytest.fixture
def context(tmp_path: Path) -> Iterator[Context]:
    settings = Settings(
        home=tmp_path / "home",
        label_studio_url="http://127.0.0.1:1",
        label_studio_api_key="a" * 40,
        image_hosts="127.0.0.1",
    )
    with Context(settings) as opened:
        yield opened


@pytest.fixture
def images() -> Iterator[ImageServer]:
    with ImageServer({f"im{number}.png": encoded(number) for number in range(1, 7)}) as server:
        yield server


Make = Callable[..., ProjectPool]


@pytest.fixture
def make(images: ImageServer) -> Make:
    """`make(labelling, task, ...)`: the pool of tasks whose images are served."""

    def pool(labelling: Labelling, *tasks: dict[str, object]) -> ProjectPool:
        for one in tasks:
            data = one["data"]
            assert isinstance(data, dict)
            data["image"] = f"{images.url}/{data['image']}"
        found = examples_from(tasks, labelling, "patient")
        return ProjectPool(labelling.classes, labelling.mask_classes, found.examples, found.problems)

    return pool


def by_task(table: Path) -> dict[int, LabelledImage]:
    found = read_labels(table).images
    return {int(Path(image.file).name.split("-")[0]): image for image in found}


def marked(image: LabelledImage) -> list[list[bool]]:
    assert image.mask is not None
    found: list[list[bool]] = image.mask.read((WIDE, HIGH)).tolist()
    return found


def three(make: Make) -> ProjectPool:
    """Classes and masks, classes alone, and an image in which nothing was marked."""
    return make(
        BOTH,
        task(1, annotation(1, choice("dog"), region(LEFT.tolist()), region(TOP.tolist(), "b")), patient=7),
        task(2, annotation(2, choice("cat"), region(LEFT.tolist(), "gone"))),
        task(3, annotation(3), patient="8"),
    )


def test_classes_masks_and_patients_come_through(context: Context, make: Make, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    written = write_pool(context, three(make), tmp_path / "out", progress=lambda done, of: seen.append((done, of)))
    assert written == tmp_path / "out/labels.csv"
    found = by_task(written)
    assert {number: image.labels for number, image in found.items()} == {1: ("dog",), 2: ("cat",), 3: None}
    assert {number: image.group for number, image in found.items()} == {1: "7", 2: "", 3: "8"}
    assert marked(found[1]) == (LEFT | TOP).tolist()
    assert found[2].mask is None
    assert not np.any(marked(found[3]))
    for number, image in found.items():
        assert (written.parent / image.file).read_bytes() == encoded(number)
    with Image.open(written.parent / "masks/1.png") as opened:
        assert opened.mode == "1"
    assert seen[-1] == (3, 3)


def test_the_mask_of_one_class(context: Context, make: Make, tmp_path: Path) -> None:
    found = by_task(write_pool(context, three(make), tmp_path, mask_class="b"))
    assert marked(found[1]) == TOP.tolist()


def test_a_second_export_fetches_what_is_not_there_and_reads_labels_anew(
    context: Context, make: Make, images: ImageServer, tmp_path: Path
) -> None:
    images.faults["im2.png"] = (503, b"")
    write_pool(context, three(make), tmp_path)
    (tmp_path / "images/9-cut.png.1.part").write_bytes(b"half")
    images.faults.clear()
    changed = make(
        BOTH,
        task(1, annotation(1, choice("cow"), region(TOP.tolist()))),
        task(2, annotation(2, choice("cat"))),
        task(3, annotation(3), patient="8"),
    )
    found = by_task(write_pool(context, changed, tmp_path))
    assert (found[1].labels, marked(found[1])) == (("cow",), TOP.tolist())
    assert sorted(found) == [1, 2, 3]
    assert images.hits == {"im1.png": 1, "im2.png": 2, "im3.png": 1}


def test_another_image_of_the_same_task_is_fetched(
    context: Context, make: Make, images: ImageServer, tmp_path: Path
) -> None:
    one = task(1, annotation(1, choice("cat")))
    write_pool(context, make(BOTH, one), tmp_path)
    other = task(1, annotation(1, choice("cat"))) | {"data": {"image": "im2.png"}}
    [image] = read_labels(write_pool(context, make(BOTH, other), tmp_path)).images
    assert (tmp_path / image.file).read_bytes() == encoded(2)


def test_what_is_left_out_is_listed_with_its_reason(
    context: Context, make: Make, images: ImageServer, tmp_path: Path
) -> None:
    images.files["im2.png"] = b"no image"
    wide = np.ones((HIGH, 3 * WIDE), dtype=int).tolist()
    pool = make(
        BOTH,
        task(1, annotation(1, choice("dog"))),
        task(2, annotation(2, choice("dog"))),
        task(3, annotation(3, choice("cat"), region(wide))),
        task(4, annotation(4, choice("horse"))),
        task(99, annotation(99, choice("dog"))),
    )
    said: list[str] = []
    found = by_task(write_pool(context, pool, tmp_path, say=said.append))
    assert {number: image.labels for number, image in found.items()} == {1: ("dog",), 3: ("cat",), 4: None}
    assert found[3].mask is None
    assert said[0].startswith("2 of 5 images cannot be read; the first: task 2: text")
    assert said[1].startswith("1 of 5 masks cannot be used; the first: task 3: ")
    with (tmp_path / "left-out.csv").open(newline="") as opened:
        reasons = {(int(row["task"]), row["reason"]) for row in csv.DictReader(opened)}
    assert {number for number, _ in reasons} == {2, 3, 4, 99}
    assert (2, "text") in reasons
    assert any(number == 4 and "'horse'" in reason for number, reason in reasons)


def test_a_pool_without_a_readable_image(context: Context, make: Make, tmp_path: Path) -> None:
    with pytest.raises(NoReadableImage, match=r"None of the 1 images .* task 99: HTTP 404"):
        write_pool(context, make(BOTH, task(99, annotation(1, choice("dog")))), tmp_path)
    assert not (tmp_path / "labels.csv").exists()


def test_a_folder_that_cannot_be_written(context: Context, make: Make, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(FolderUnusable, match="Not a directory"):
        write_pool(context, three(make), tmp_path / "file/out")


def test_several_classes_none_of_them_and_names_that_hold_a_bar(context: Context, make: Make, tmp_path: Path) -> None:
    few = [annotation(number, choice(label)) for number, label in enumerate(("cat", "dog", "cow"), 1)]
    pool = make(MULTI, task(1, annotation(9, choice("cow", "cat"))), task(2, *few))
    found = by_task(write_pool(context, pool, tmp_path))
    assert (found[1].labels, found[2].labels) == (("cat", "cow"), ())
    assert label_cell((True, True, False), ("a|b", "c", "d")) == "a/b|c"
    assert label_cell(None, ("a",)) == ""


def test_images_are_named_by_what_they_are(
    context: Context, make: Make, images: ImageServer, test_data: Path, tmp_path: Path
) -> None:
    kinds = {"im1.png": "JPEG", "im2.png": "TIFF", "im3.png": "WEBP", "im4.png": "GIF", "im5.png": "BMP"}
    for name, kind in kinds.items():
        images.files[name] = encoded(1, kind)
    dicom = next((test_data / "data/dicom").glob("siim_*.dcm"))
    images.files["im6.png"] = dicom.read_bytes()
    tasks = [task(number, annotation(number, choice("cat"))) for number in range(1, 7)]
    found = by_task(write_pool(context, make(BOTH, *tasks), tmp_path))
    suffixes = [Path(found[number].file).suffix for number in range(1, 7)]
    assert suffixes == [".jpg", ".tif", ".webp", ".png", ".bmp", ".dcm"]
    with Image.open(tmp_path / found[4].file) as opened:
        assert opened.format == "PNG"
        assert (np.asarray(opened.convert("L")) == np.asarray(Image.open(io.BytesIO(encoded(1))))).all()
    assert suffix_of((test_data / "data/dicom/barre_CR-MONO1-10-chest.dcm").read_bytes()) == ".dcm"


def test_masks_without_classes(context: Context, make: Make, tmp_path: Path) -> None:
    pool = make(MASKS, task(1, annotation(1, region(LEFT.tolist()))), task(2, annotation(2)))
    found = by_task(write_pool(context, pool, tmp_path))
    assert {image.labels for image in found.values()} == {None}
    assert marked(found[1]) == LEFT.tolist()
    assert not np.any(marked(found[2]))
