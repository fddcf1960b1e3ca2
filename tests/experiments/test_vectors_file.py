"""Embeddings that somebody else computed, matched to images by file name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from seedqueue.experiments.errors import VectorsUnusable
from seedqueue.experiments.vectors_file import read_vectors

NAMES = ["b/2.png", "a/1.png", "3.png"]


def npz(folder: Path, files: list[str], embeddings: object) -> Path:
    path = folder / "mine.npz"
    np.savez(path, files=np.array(files), embeddings=np.asarray(embeddings))
    return path


def csv(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "mine.csv"
    path.write_bytes(text.encode(encoding))
    return path


def refused(path: Path, names: list[str] = NAMES) -> str:
    with pytest.raises(VectorsUnusable) as caught:
        read_vectors(path, names)
    assert str(path) in str(caught.value)
    return str(caught.value)


def test_rows_come_in_the_order_of_the_images(tmp_path: Path) -> None:
    path = npz(tmp_path, ["a/1.png", "b/2.png", "3.png", "extra.png"], [[1, 0], [2, 0.5], [3, 0], [4, 0]])
    found = read_vectors(path, NAMES)
    assert found.dtype == np.float32
    assert found.tolist() == [[2, 0.5], [1, 0], [3, 0]]


def test_a_path_is_matched_before_a_name_and_a_name_where_there_is_no_path(tmp_path: Path) -> None:
    path = npz(tmp_path, ["x/1.png", "a/1.png", "elsewhere\\2.png", "deep/3.png"], [[0], [1], [2], [3]])
    assert read_vectors(path, NAMES).ravel().tolist() == [2, 1, 3]


def test_a_csv_gives_its_columns_of_numbers(tmp_path: Path) -> None:
    text = "view,e0,file,e1\nPA,1,a/1.png,-1e3\nAP,2,b/2.png,0.5\nPA,3,3.png,0\n"
    assert read_vectors(csv(tmp_path, text), NAMES).tolist() == [[2, 0.5], [1, -1000], [3, 0]]
    assert read_vectors(csv(tmp_path, text, "utf-8-sig"), NAMES).tolist() == [[2, 0.5], [1, -1000], [3, 0]]


def test_images_without_a_row_are_counted(tmp_path: Path) -> None:
    path = npz(tmp_path, ["1.png"], [[1.0]])
    assert "2 of 3 images have no row, 'b/2.png' first" in refused(path)


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_numbers_that_are_none_are_refused_where_an_image_has_them(tmp_path: Path, number: float) -> None:
    path = npz(tmp_path, ["1.png", "2.png", "3.png", "extra.png"], [[1.0], [2.0], [number], [4.0]])
    assert "NaN or infinite" in refused(path)
    spare = npz(tmp_path, ["1.png", "2.png", "3.png", "extra.png"], [[1.0], [2.0], [3.0], [number]])
    assert read_vectors(spare, NAMES).shape == (3, 1)


def test_shapes_that_do_not_fit_are_told(tmp_path: Path) -> None:
    assert "3 files and embeddings of shape (2, 1)" in refused(npz(tmp_path, ["1", "2", "3"], [[1.0], [2.0]]))
    assert "of shape (3,)" in refused(npz(tmp_path, ["1", "2", "3"], [1.0, 2.0, 3.0]))
    assert "of shape (3, 0)" in refused(npz(tmp_path, ["1", "2", "3"], [[], [], []]))


def test_what_is_no_file_of_embeddings_is_told(tmp_path: Path) -> None:
    assert "`files` and `embeddings`" in refused(tmp_path / "absent.npz")
    np.savez(tmp_path / "other.npz", vectors=np.zeros((3, 2)))
    assert "`files` and `embeddings`" in refused(tmp_path / "other.npz")
    (tmp_path / "text.npz").write_text("no archive")
    assert "`files` and `embeddings`" in refused(tmp_path / "text.npz")
    with (tmp_path / "array.npz").open("wb") as file:
        np.save(file, np.zeros((3, 2)))
    assert "`files` and `embeddings`" in refused(tmp_path / "array.npz")
    np.savez(tmp_path / "words.npz", files=np.array(NAMES), embeddings=np.array([["a"], ["b"], ["c"]]))
    assert "`files` and `embeddings`" in refused(tmp_path / "words.npz")
    np.savez(tmp_path / "objects.npz", files=np.array(NAMES, dtype=object), embeddings=np.zeros((3, 2)))
    assert "`files` and `embeddings`" in refused(tmp_path / "objects.npz")


def test_what_is_no_csv_of_embeddings_is_told(tmp_path: Path) -> None:
    assert "cannot be read" in refused(tmp_path / "absent.csv")
    assert "no rows with a column `file`" in refused(csv(tmp_path, ""))
    assert "no rows with a column `file`" in refused(csv(tmp_path, "name,e0\n1.png,1\n"))
    assert "no column of numbers beside `file`" in refused(csv(tmp_path, "file,view\n1.png,PA\n"))
    assert "no column of numbers beside `file`" in refused(csv(tmp_path, "file,e0\n1.png,1\n2.png,\n"))
    assert "cannot be read" in refused(csv(tmp_path, "file,e0\nü.png,1\n", "latin-1"))


def test_a_truncated_archive_is_told(tmp_path: Path) -> None:
    path = npz(tmp_path, NAMES, np.zeros((3, 400)))
    path.write_bytes(path.read_bytes()[:-200])
    assert "`files` and `embeddings`" in refused(path)


def test_a_line_with_too_many_or_too_few_cells(tmp_path: Path) -> None:
    assert "no column of numbers" in refused(csv(tmp_path, "file,e0\n1.png\n2.png,1\n3.png,1\n"))
    found = read_vectors(csv(tmp_path, "file,e0\n1.png,1,9\n2.png,1\n3.png,1\n"), NAMES)
    assert found.shape == (3, 1)
    assert "a line ends before" in refused(csv(tmp_path, "e0,file\n1,1.png\n2\n3,3.png\n"))


def test_a_name_that_several_rows_have_is_nobodys(tmp_path: Path) -> None:
    file = tmp_path / "vectors.npz"
    np.savez(file, files=["A/1.png", "B/1.png"], embeddings=np.eye(2, dtype=np.float32))
    assert read_vectors(file, ["B/1.png", "A/1.png"]).tolist() == [[0, 1], [1, 0]]
    with pytest.raises(VectorsUnusable, match=r"1 of 1 images have no row, 'C/1\.png' first"):
        read_vectors(file, ["C/1.png"])
