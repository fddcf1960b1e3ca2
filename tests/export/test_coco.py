"""coco.json and labels.csv load where they are used: pycocotools, torchvision, torchxrayvision."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from annotated import BOTH, CHOICES, annotation, choice, config, region, task
from PIL import Image

from seedqueue.backend.export.coco import box, counts
from seedqueue.backend.export.pixels import Seen
from seedqueue.backend.export.table import COLUMNS

Make = Callable[..., Path]
DOCS = Path(__file__).parents[2] / "docs" / "export.md"
CORNER = np.zeros((6, 8), dtype=bool)
CORNER[1:3, 2:7] = True
DOT = np.zeros((6, 8), dtype=bool)
DOT[5, 0] = True


def picture(seed: int) -> bytes:
    stream = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 256, (6, 8), dtype=np.uint8)
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture
def exported(make: Make) -> Path:
    """Three images: two objects, of two annotators, and with nothing on it."""
    tasks = [
        task(1, annotation(1, choice("cat"), region(CORNER.tolist()), region(DOT.tolist(), "b")), patient="p1"),
        task(2, annotation(2, choice("dog"), region((CORNER | DOT).tolist())), annotation(3, choice("dog"))),
        task(3, annotation(4, choice("cow"))),
    ]
    files = {f"images/task-{n}.png": picture(n) for n in (1, 2, 3)}
    seen = {n: Seen((8, 6), "", f"images/task-{n}.png") for n in (1, 2, 3)}
    return make(*tasks, labelling=BOTH, files=files, seen=seen)


def loaded(folder: Path) -> Any:
    from pycocotools.coco import COCO

    with redirect_stdout(io.StringIO()):
        return COCO(str(folder / "coco.json"))


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # pycocotools under NumPy 2
def test_pycocotools_reads_the_same_masks_as_the_pngs(exported: Path) -> None:
    coco = loaded(exported)
    assert [one["name"] for one in coco.loadCats(coco.getCatIds())] == ["a", "b"]
    assert sorted(coco.getImgIds()) == [1, 2, 3]
    for category in coco.loadCats(coco.getCatIds()):
        for number in (1, 2, 3):
            whole = np.zeros((6, 8), dtype=bool)
            for one in coco.loadAnns(coco.getAnnIds([number], [category["id"]])):
                found = coco.annToMask(one).astype(bool)
                assert one["area"] == found.sum() > 0
                assert one["bbox"] == box(found)
                whole |= found
            with Image.open(exported / "masks" / category["name"] / f"task-{number}.png") as png:
                assert np.array_equal(np.asarray(png) > 0, whole)


def test_objects_are_regions_of_one_annotator_and_connected_parts_of_several(exported: Path) -> None:
    coco = loaded(exported)
    boxes = {n: [one["bbox"] for one in coco.loadAnns(coco.getAnnIds([n]))] for n in (1, 2, 3)}
    assert boxes == {1: [[2, 1, 5, 2], [0, 5, 1, 1]], 2: [[2, 1, 5, 2], [0, 5, 1, 1]], 3: []}


def test_run_lengths_are_pycocotools_own() -> None:
    from pycocotools import mask as tools

    random = np.random.default_rng(0)
    for _ in range(50):
        height, width = random.integers(1, 9, 2)
        mask = random.random((height, width)) < random.random()
        runs = {"size": [int(height), int(width)], "counts": counts(mask)}
        assert sum(runs["counts"]) == mask.size
        packed = tools.frPyObjects(runs, int(height), int(width))
        assert packed == tools.encode(np.asfortranarray(mask.astype(np.uint8)))
    assert counts(np.ones((2, 2), dtype=bool)) == [0, 4]
    assert counts(np.zeros((2, 2), dtype=bool)) == [4]


def test_torchvision_loads_it(exported: Path) -> None:
    from torchvision.datasets import CocoDetection

    with redirect_stdout(io.StringIO()):
        found = CocoDetection(str(exported / "images"), str(exported / "coco.json"))
    assert len(found) == 3
    image, objects = found[0]
    assert (image.size, len(objects)) == ((8, 6), 2)
    assert [len(found[at][1]) for at in (1, 2)] == [2, 0]


def code_of_the_page() -> str:
    found = re.search(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    return found[1]


def test_the_pages_class_is_a_torchxrayvision_dataset(exported: Path) -> None:
    import torchxrayvision as xrv

    space: dict[str, Any] = {}
    exec(compile(code_of_the_page(), str(DOCS), "exec"), space)
    found = space["Exported"](exported)
    assert (len(found), found.pathologies, found.labels.dtype) == (3, ["cat", "dog", "cow", "a", "b"], np.float32)
    assert found.labels.tolist() == [[1, 0, 0, 1, 1], [0, 1, 0, 1, 0], [0, 0, 1, 0, 0]]
    sample = found[1]
    assert (sample["img"].shape, sample["lab"].tolist()) == ((1, 6, 8), [0, 1, 0, 1, 0])
    assert -1024 <= sample["img"].min() < sample["img"].max() <= 1024
    some = xrv.datasets.SubsetDataset(found, [0, 2])
    assert (len(some), list(some.csv["task"]), list(some.csv["patient"])) == (2, [1, 3], ["p1", ""])
    xrv.datasets.relabel_dataset(["dog", "Mass", "cat"], found, silent=True)
    assert found.labels[:, [0, 2]].tolist() == [[0, 1], [1, 0], [0, 0]]
    assert np.isnan(found.labels[:, 1]).all()
    assert found.totals()["cat"] == {0.0: 2, 1.0: 1}
    assert "num_samples=3" in found.string()


def test_labels_that_are_not_known_are_nan(make: Make) -> None:
    folder = make(
        task(1, annotation(1, choice("cat"), region([[1, 0]]))),
        task(2, annotation(2, region([[1, 0]]))),
        labelling=config(
            CHOICES.format("multiple"), '<BrushLabels name="brush" toName="image"><Label value="a"/></BrushLabels>'
        ),
    )
    space: dict[str, Any] = {}
    exec(compile(code_of_the_page(), str(DOCS), "exec"), space)
    labels = space["Exported"](folder).labels
    assert np.isnan(labels[1, :3]).all()
    assert labels[:, 3].tolist() == [1, 1]


def test_the_page_tells_every_column() -> None:
    """A column without words of its own stands beside the one before it."""
    told: dict[str, str] = {}
    for names, words in re.findall(
        r"^\| (`\w+`(?:, `\w+`)*) \| (.*) \|$", DOCS.read_text(encoding="utf-8"), re.MULTILINE
    ):
        first, *others = re.findall(r"\w+", names)
        told |= {first: words, **dict.fromkeys(others, "")}
    assert told == dict(COLUMNS)
    assert list(told) == list(COLUMNS)


def test_the_file_is_json_without_nan(exported: Path) -> None:
    text = (exported / "coco.json").read_text(encoding="utf-8")
    assert set(json.loads(text)) == {"images", "annotations", "categories"}
    assert "NaN" not in text
