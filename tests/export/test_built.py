"""What is written of handmade tasks: rows, masks, what is left out; the same bytes in whatever order tasks come."""

from __future__ import annotations

import csv
import hashlib
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from annotated import BOTH, BRUSH, MASKS, MULTI, SINGLE, annotation, choice, config, region, task
from PIL import Image

from seedqueue.backend.export.choices import ExportChoices
from seedqueue.backend.export.errors import NothingToExport
from seedqueue.backend.export.pixels import Seen
from seedqueue.backend.export.reasons import Reasons

Make = Callable[..., Path]
LEFT = [[1, 1, 0, 0]]
WIDE = [[1, 1, 0, 0]] * 3


def rows(folder: Path, name: str = "labels.csv") -> list[dict[str, str]]:
    with (folder / name).open(newline="", encoding="utf-8") as opened:
        return list(csv.DictReader(opened))


def left(folder: Path) -> list[tuple[str, str, str]]:
    return [(one["task"], one["what"], one["reason"]) for one in rows(folder, "left-out.csv")]


def mask(folder: Path, label: str, number: int) -> list[list[int]]:
    with Image.open(folder / "masks" / label / f"task-{number}.png") as opened:
        assert opened.mode == "L"
        found: list[list[int]] = (np.asarray(opened) // 255).tolist()
    return found


def content(folder: Path) -> dict[str, bytes]:
    return {one.relative_to(folder).as_posix(): one.read_bytes() for one in folder.rglob("*") if one.is_file()}


def test_a_row_tells_the_label_and_who_gave_it(make: Make) -> None:
    agreeing = task(1, annotation(1, choice("cat")), annotation(2, choice("cat")), patient="p1", study="s1", view="PA")
    arguing = task(2, annotation(3, choice("dog")), annotation(4, choice("cat")))
    truth = task(3, annotation(5, choice("cow")), annotation(6, choice("dog"), ground_truth=True))
    first, second, third = rows(make(agreeing, arguing, truth, known={(1, "im1.png"): "ab"}))
    told = ("task", "file", "sha256", "patient", "study", "view", "label", "annotations", "annotators", "agreed", "cat")
    assert [first[name] for name in told] == ["1", "im1.png", "ab", "p1", "s1", "PA", "cat", "1|2", "2", "yes", "1"]
    assert [second[name] for name in (*told[6:], "dog")] == ["dog", "3|4", "2", "no", "0", "1"]
    assert [third[name] for name in (*told[6:10], "ground_truth")] == ["dog", "6", "1", "", "1"]
    assert (first["group"], second["group"], first["because"], first["prefilled_by"]) == (
        "p1",
        "task 2",
        "other",
        "no|no",
    )


def test_several_classes_and_masks_without_classes(make: Make) -> None:
    [one] = rows(make(task(1, annotation(1, choice("cow", "cat"))), labelling=MULTI))
    assert (one["label"], one["cat"], one["dog"], one["cow"], one["masks"]) == ("cat|cow", "1", "0", "1", "")
    drawn, empty = task(1, annotation(1, region(LEFT, "b"))), task(2, annotation(2))
    folder = make(drawn, empty, labelling=MASKS, seen={2: Seen((4, 1), "cd", "")})
    first, second = rows(folder)
    assert [first[name] for name in ("label", "a", "b", "masks", "changed_mask")] == ["b", "0", "1", "1", "-"]
    assert [second[name] for name in ("label", "a", "b", "masks", "sha256")] == ["", "0", "0", "1", "cd"]
    assert (mask(folder, "a", 1), mask(folder, "b", 1), mask(folder, "b", 2)) == ([[0] * 4], LEFT, [[0] * 4])


def test_masks_of_several_annotators_are_those_of_the_half_and_their_dice_is_told(make: Make) -> None:
    folder = make(
        task(1, annotation(1, region(LEFT)), annotation(2, region(LEFT)), annotation(3, region([[0, 1, 1, 0]]))),
        labelling=MASKS,
    )
    assert mask(folder, "a", 1) == LEFT
    assert rows(folder)[0]["dice"] == f"{(1 + 0.5 + 0.5) / 3:.4f}"


def test_masks_of_different_sizes_are_listed_and_the_label_stays(make: Make) -> None:
    odd = (annotation(1, choice("cat"), region(LEFT)), annotation(2, choice("cat"), region(WIDE)))
    folder = make(task(1, *odd), task(2, annotation(3, choice("dog"), region(LEFT))), labelling=BOTH)
    assert [(one["label"], one["masks"]) for one in rows(folder)] == [("cat", "0"), ("dog|a", "1")]
    [(number, what, reason)] = left(folder)
    assert (number, what) == ("1", "masks")
    assert "different sizes, 4 x 1 and 4 x 3" in reason
    assert [one["id"] for one in json.loads((folder / "coco.json").read_text())["images"]] == [2]


def test_the_images_own_size_decides_where_it_is_known(make: Make) -> None:
    drawn = annotation(1, region(LEFT))
    seen = {1: Seen((8, 2), "", ""), 2: Seen((4, 4), "", ""), 3: Seen((4, 1), "", "")}
    folder = make(*(task(n, drawn | {"id": n}) for n in (1, 2, 3)), labelling=MASKS, seen=seen)
    assert mask(folder, "a", 1) == [[1, 1, 1, 1, 0, 0, 0, 0]] * 2
    assert [one["task"] for one in rows(folder)] == ["1", "3"]
    assert [(n, what) for n, what, _ in left(folder)] == [("2", "masks")]
    assert "the image has 4 x 4" in left(folder)[0][2]


def test_an_empty_mask_of_an_image_that_cannot_be_read_is_listed(make: Make) -> None:
    folder = make(task(1, annotation(1)), task(2, annotation(2, region(LEFT))), labelling=MASKS)
    assert [(n, what) for n, what, _ in left(folder)] == [("1", "masks")]
    assert "size cannot be read" in left(folder)[0][2]


def test_what_is_left_out_and_why(make: Make) -> None:
    skip = annotation(2, was_cancelled=True)
    folder = make(
        task(1, annotation(1, choice("cat"))),
        task(2, skip),
        task(3),
        task(4, annotation(4, choice("gone"))),
        task(5, annotation(5, choice("dog"))),
        task(6, annotation(6)),
        gone=(5,),
    )
    assert [one["task"] for one in rows(folder)] == ["1"]
    assert left(folder) == [
        ("2", "task", "it was skipped"),
        ("3", "task", "nobody has annotated it"),
        ("4", "annotation 4", "the label 'gone' is not in the label config"),
        ("4", "task", "its annotations hold no label that the label config has"),
        ("5", "task", "it was deleted meanwhile"),
        ("6", "task", "its annotations hold no label that the label config has"),
    ]


def test_a_deleted_tasks_files_are_taken_away(make: Make) -> None:
    drawn = [task(n, annotation(n, region(LEFT))) for n in (1, 11)]
    images = {f"images/task-{n}.png": b"x" for n in (1, 11)}
    folder = make(*drawn, labelling=MASKS, gone=(1,), files=images)
    assert {"images/task-11.png", "masks/a/task-11.png"} < set(content(folder))
    assert not {"images/task-1.png", "masks/a/task-1.png"} & set(content(folder))


def test_a_project_without_a_label_is_named(make: Make, tmp_path: Path) -> None:
    with pytest.raises(NothingToExport, match="None of the 2 tasks of project 1 has a label"):
        make(task(1), task(2, annotation(1, was_cancelled=True)))
    assert not (tmp_path / "out").exists()


def some_tasks() -> list[dict[str, Any]]:
    drawn = [annotation(n, choice("cat"), region([[n % 2, 1, 0, 1]], "ab"[n % 2])) for n in range(1, 9)]
    return [task(n, drawn[n - 1], patient=f"p{n % 3}") for n in range(1, 9)] + [task(9)]


def test_the_same_bytes_again_and_in_whatever_order_tasks_come(make: Make) -> None:
    first = content(make(*some_tasks(), labelling=BOTH))
    shuffled = random.Random(3).sample(some_tasks(), 9)
    assert shuffled != some_tasks()
    assert content(make(*shuffled, labelling=BOTH)) == first
    assert content(make(*shuffled, labelling=BOTH, name="elsewhere")) == first
    assert content(make(*some_tasks()[1:], labelling=BOTH)) != first


def test_the_manifest_has_every_files_hash(make: Make) -> None:
    folder = make(*some_tasks(), labelling=BOTH, files={"images/task-1.png": b"bytes"})
    manifest = json.loads((folder / "manifest.json").read_text())
    files = content(folder)
    del files["manifest.json"]
    assert manifest["files"] == {name: hashlib.sha256(held).hexdigest() for name, held in files.items()}
    assert len(files) == 4 + 16 + 1
    lines = "".join(f"{sha256}  {name}\n" for name, sha256 in manifest["files"].items())
    assert manifest["fingerprint"] == hashlib.sha256(lines.encode()).hexdigest()
    assert manifest["counts"]["images"] == 8
    assert manifest["counts"]["left_out"] == {"nobody has annotated it": 1}


def test_audit_and_locked_tasks_are_in_test_with_their_patients(make: Make) -> None:
    reasons = Reasons(frozenset({1}), frozenset({2}), ())
    folder = make(*some_tasks(), labelling=BOTH, reasons=reasons, choices=ExportChoices(splits=(("train", 100.0),)))
    found = {one["task"]: one for one in rows(folder)}
    assert {n: one["split"] for n, one in found.items()} == {
        str(n): "train" if n % 3 == 0 else "test" for n in range(1, 9)
    }
    assert [(found[n]["because"], found[n]["locked"]) for n in "123"] == [
        ("audit", "0"),
        ("locked", "1"),
        ("other", "0"),
    ]


def test_classes_with_awkward_names_get_columns_and_folders_of_their_own(make: Make) -> None:
    brush = BRUSH.replace('"a"', '"../lung / left"').replace('"b"', '"__lung_ _left"')
    tags = '<Choices name="choice" toName="image"><Choice value="split"/><Choice value="Task"/></Choices>'
    folder = make(
        task(1, annotation(1, choice("split"), region(LEFT, "../lung / left"))), labelling=config(tags, brush)
    )
    [one] = rows(folder)
    assert (one["split (class)"], one["Task (class)"], one["../lung / left"]) == ("1", "0", "1")
    masks = [name for name in content(folder) if name.startswith("masks/")]
    assert sorted(masks) == ["masks/lung_left-2/task-1.png", "masks/lung_left/task-1.png"]
    told = json.loads((folder / "manifest.json").read_text())["classes"]
    assert [(each["name"], each["folder"]) for each in told][2:] == [
        ("../lung / left", "lung_left"),
        ("__lung_ _left", "lung_left-2"),
    ]


def test_secrets_in_addresses_are_not_exported_and_half_characters_survive(make: Make) -> None:
    uri = "https://user:pass@host/a%20b.png?X-Amz-Signature=secret&v=1"
    odd = task(1, annotation(1, choice("cat")), patient="M\udc80ller") | {}
    odd["data"]["image"] = uri
    folder = make(odd)
    [one] = rows(folder)
    assert (one["uri"], one["file"]) == ("https://host/a%20b.png?v=1", "a b.png")
    assert one["patient"] == "M\\udc80ller"
    assert "secret" not in "".join(held.decode() for held in content(folder).values())


def test_an_image_without_an_address_sinks_no_export(make: Make) -> None:
    odd = task(1, annotation(1, choice("cat")))
    odd["data"]["image"] = "http://[lab/a.png"
    [one] = rows(make(odd))
    assert (one["file"], one["uri"]) == ("", "http://[lab/a.png")


def test_single_labels_are_one_hot(make: Make) -> None:
    found = rows(make(task(1, annotation(1, choice("dog"))), labelling=SINGLE))
    assert [[one[name] for name in ("cat", "dog", "cow")] for one in found] == [["0", "1", "0"]]
