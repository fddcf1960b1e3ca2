"""ChestX-Det's JSON: findings, polygons of one or all of them, and what is told of a JSON that is none."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seedqueue.experiments.datasets.errors import LabelTableUnusable
from seedqueue.experiments.datasets.labelled import LabelledImage
from seedqueue.experiments.datasets.tables import read_labels

LEFT, RIGHT = [10, 20, 30, 60], [500, 100, 520, 110]


def corners(box: list[int]) -> list[list[int]]:
    left, top, right, bottom = box
    return [[left, top], [right, top], [right, bottom], [left, bottom]]


def entry(name: str, polygons: bool = True, **boxes: list[list[int]]) -> dict[str, Any]:
    """boxes: those of each finding."""
    pairs = [(finding, box) for finding, mine in boxes.items() for box in mine]
    found: dict[str, Any] = {"file_name": name, "syms": [a for a, _ in pairs], "boxes": [b for _, b in pairs]}
    return found | ({"polygons": [corners(box) for _, box in pairs]} if polygons else {})


ENTRIES = [
    entry("36199.png"),
    entry("36204.png", Nodule=[LEFT, RIGHT], Effusion=[LEFT]),
    entry("36205.png", Effusion=[RIGHT]),
]


def table(folder: Path, content: Any, name: str = "ChestX_Det_train.json") -> Path:
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def filled(image: LabelledImage) -> list[list[int]]:
    """The rectangles that are marked, each [left, top, right, bottom]; nothing else is."""
    from skimage.measure import label, regionprops

    assert image.mask is not None
    marked = image.mask.read(None)
    found = regionprops(label(marked, connectivity=2))
    boxes = [[left, top, right - 1, bottom - 1] for top, left, bottom, right in (one.bbox for one in found)]
    assert sum((box[2] - box[0] + 1) * (box[3] - box[1] + 1) for box in boxes) == marked.sum()
    return boxes


def test_findings_and_the_union_of_all_polygons(tmp_path: Path) -> None:
    found = read_labels(table(tmp_path, ENTRIES))
    assert found.format == "ChestX-Det's JSON"
    assert [image.file for image in found.images] == ["36199.png", "36204.png", "36205.png"]
    assert [image.labels for image in found.images] == [(), ("Nodule", "Effusion"), ("Effusion",)]
    assert [filled(image) for image in found.images] == [[], [LEFT, RIGHT], [RIGHT]]
    assert {(image.split, image.group) for image in found.images} == {("train", "")}


def test_the_polygons_of_one_finding(tmp_path: Path) -> None:
    found = read_labels(table(tmp_path, ENTRIES), finding="Effusion")
    assert [filled(image) for image in found.images] == [[], [LEFT], [RIGHT]]
    with pytest.raises(LabelTableUnusable, match="no image has the finding 'Mass'; name one of Effusion, Nodule"):
        read_labels(table(tmp_path, ENTRIES), finding="Mass")


def test_without_polygons_boxes_are_the_masks(tmp_path: Path) -> None:
    ten = [entry("a.png", polygons=False, Mass=[LEFT], Nodule=[RIGHT]), entry("b.png", polygons=False)]
    found = read_labels(table(tmp_path, ten, "test.json"))
    assert found.format == "ChestX-Det10's JSON, its boxes as masks"
    assert [filled(image) for image in found.images] == [[LEFT, RIGHT], []]
    assert {image.split for image in found.images} == {"test"}


def test_entries_that_are_repeated(tmp_path: Path) -> None:
    assert len(read_labels(table(tmp_path, [*ENTRIES, ENTRIES[1]], "all.json")).images) == 3
    with pytest.raises(LabelTableUnusable, match=r"lines 3 and 4.*'Effusion'.*'Nodule'.* of 36205.png"):
        read_labels(table(tmp_path, [*ENTRIES, entry("36205.png", Nodule=[LEFT])]))


def test_a_polygon_lies_within_its_box(tmp_path: Path) -> None:
    angle = np.linspace(0, 2 * np.pi, 50)
    points = np.rint(np.stack([300 + 40 * np.cos(angle), 200 + 25 * np.sin(angle)], axis=1)).astype(int)
    one = {"file_name": "a.png", "syms": ["Mass"], "boxes": [[260, 175, 340, 225]], "polygons": [points.tolist()]}
    [image] = read_labels(table(tmp_path, [one])).images
    assert image.mask is not None
    marked = image.mask.read(None)
    rows, columns = np.nonzero(marked)
    assert [columns.min(), rows.min(), columns.max(), rows.max()] == one["boxes"][0]
    assert marked.sum() == pytest.approx(np.pi * 40.5 * 25.5, rel=0.02)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("[{]", "no JSON"),
        ("[" * 100_000, "too deeply"),
        ({"images": []}, "no list of images"),
        ([], "no list of images"),
        ([{"name": "a.png"}], "entry 1 names no file"),
        ([ENTRIES[0], {"file_name": "a.png", "syms": None}], r"entry 2 \(a.png\) has no list `syms`"),
        ([{"file_name": "a.png", "syms": []}], "neither `boxes` nor `polygons`"),
        ([ENTRIES[1] | {"polygons": [[[1, 2]]]}], r"36204.png\) has 3 findings and 1 polygons"),
        ([ENTRIES[2] | {"polygons": [[1, 2, 3]]}], "36205.png: its points are no pairs"),
        ([ENTRIES[2] | {"polygons": [["a", "b"]]}], "36205.png"),
        ([entry("a.png", polygons=False, Mass=[[30, 20, 10, 60]])], "not left, top, right, bottom"),
    ],
)
def test_what_is_wrong_with_a_json_is_told(tmp_path: Path, content: Any, told: str) -> None:
    with pytest.raises(LabelTableUnusable, match=told):
        read_labels(table(tmp_path, content))
