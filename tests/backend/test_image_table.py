"""Tables of images: rows find their files, and what cannot be read is named."""

from pathlib import Path

import numpy as np
import pytest

from seedqueue.backend.errors import TableUnusable
from seedqueue.backend.image_table import fields_by_image, positions_of, read_table
from seedqueue.backend.predictions import read_predictions

NAMES = ["a/1.png", "b/1.png", "b/2.png"]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return tmp_path / "table.csv"


def test_rows_belong_to_the_file_of_their_path(table: Path) -> None:
    table.write_text("file,patient\nb/1.png,7\na/1.png, 8 \nelsewhere.png,9\n")
    assert [dict(row) for row in fields_by_image(table, NAMES)] == [
        {"file": "a/1.png", "patient": "8"},
        {"file": "b/1.png", "patient": "7"},
        {},
    ]


def test_a_name_that_stands_once_needs_no_path(table: Path) -> None:
    table.write_text("﻿file,patient\nimages\\2.png,7\n1.png,8\n", encoding="utf-8")
    assert [row.get("patient") for row in fields_by_image(table, NAMES)] == [None, None, "7"]


def test_the_images_a_table_lists_in_its_order(table: Path) -> None:
    table.write_text("file\n2.png\na/1.png\n2.png\n")
    assert positions_of(table, NAMES) == [2, 0]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it has no rows"),
        (b"file,label\n", "it has no rows"),
        (b"name,label\nx,y\n", "it has no column `file`, but: name, label"),
        (b"file\n\xff\xfe\n", "can't decode"),
    ],
)
def test_a_table_that_cannot_be_used(table: Path, content: bytes, reason: str) -> None:
    table.write_bytes(content)
    with pytest.raises(TableUnusable, match=reason):
        read_table(table)


def test_a_table_of_other_images_and_none_at_all(table: Path) -> None:
    with pytest.raises(TableUnusable, match="No such file"):
        read_table(table)
    table.write_text("file\nother.png\n")
    with pytest.raises(TableUnusable, match=r"none of its files is among the images, 'other.png' first"):
        fields_by_image(table, NAMES)


def test_probabilities_are_scaled_to_one(table: Path) -> None:
    table.write_text("file,benign,malignant,pixel_entropy\na/1.png,3,1,0.5\nb/1.png,0,2,0.1\nb/2.png,1,1,0\n")
    signals = read_predictions(table, NAMES)
    assert signals.probabilities is not None
    assert signals.probabilities.tolist() == [[0.75, 0.25], [0, 1], [0.5, 0.5]]
    assert signals.pixel_entropy is not None
    assert signals.pixel_entropy.tolist() == [0.5, 0.1, 0]
    assert signals.known() == {"probabilities", "pixel_entropy"}


def test_several_rows_of_an_image_are_its_draws(table: Path) -> None:
    rows = [f"{name},{n},{4 - n}" for n in (1, 3) for name in NAMES]
    table.write_text("\n".join(["file,no,yes", *rows]))
    signals = read_predictions(table, NAMES)
    assert signals.dropout_probabilities is not None
    assert signals.dropout_probabilities.shape == (2, 3, 2)
    assert signals.dropout_probabilities[:, 0].tolist() == [[0.25, 0.75], [0.75, 0.25]]
    assert np.allclose(signals.probabilities, 0.5)


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ("a/1.png,1,0\nb/1.png,1,0\n", "b/2.png has no row"),
        ("a/1.png,1,0\na/1.png,1,0\nb/1.png,1,0\nb/2.png,1,0\n", r"images have \[1, 2\] rows"),
        ("a/1.png,1,x\nb/1.png,1,0\nb/2.png,1,0\n", "a value is no number"),
        ("a/1.png,-1,2\nb/1.png,1,0\nb/2.png,1,0\n", "two or more columns of probabilities; found no, yes"),
        ("a/1.png,0,0\nb/1.png,1,0\nb/2.png,1,0\n", "two or more columns of probabilities"),
    ],
)
def test_predictions_that_cannot_be_used(table: Path, rows: str, reason: str) -> None:
    table.write_text("file,no,yes\n" + rows)
    with pytest.raises(TableUnusable, match=reason):
        read_predictions(table, NAMES)
