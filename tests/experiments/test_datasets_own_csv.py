"""Our own table: what its cells mean, and what is told of a table that cannot be used."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from seedqueue.experiments.datasets.errors import LabelTableUnusable
from seedqueue.experiments.datasets.tables import LabelledImage, read_labels


def table(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "labels.csv"
    path.write_bytes(text.encode(encoding))
    return path


def only(folder: Path, text: str) -> LabelledImage:
    [image] = read_labels(table(folder, text)).images
    return image


def refused(folder: Path, text: str, **columns: str) -> str:
    with pytest.raises(LabelTableUnusable) as caught:
        read_labels(table(folder, text), **columns)
    assert str(folder / "labels.csv") in str(caught.value)
    return str(caught.value)


def draw(file: Path, rows: list[list[int]]) -> None:
    Image.fromarray(np.array(rows, dtype=np.uint8)).save(file)


def test_a_whole_line(tmp_path: Path) -> None:
    draw(tmp_path / "m.png", [[0, 255]])
    found = read_labels(table(tmp_path, "file,label,mask,patient,split,age\nsub/a.png,x|y,m.png,7,Training,70\n"))
    assert found.format == "seedqueue's CSV"
    [image] = found.images
    assert (image.file, image.labels, image.group, image.split) == ("sub/a.png", ("x", "y"), "7", "train")
    assert image.mask is not None
    assert image.mask.read(None).tolist() == [[False, True]]


@pytest.mark.parametrize(
    ("cell", "labels"),
    [("", None), ("|", ()), ("No Finding", ("No Finding",)), (" b | a |b", ("b", "a")), ('"a, b"', ("a, b",))],
)
def test_an_empty_cell_is_not_known_and_a_lone_bar_is_none(
    tmp_path: Path, cell: str, labels: tuple[str, ...] | None
) -> None:
    assert only(tmp_path, f"file,label\na.png,{cell}\n").labels == labels


def test_what_is_not_in_the_table_is_not_known(tmp_path: Path) -> None:
    image = only(tmp_path, "file,label,mask\na.png,,\n")
    assert (image.labels, image.mask, image.group, image.split) == (None, None, "", "")


@pytest.mark.parametrize(
    "text",
    [
        "\ufefffile,label\r\na.png,x\r\n\r\nb.png,y\r\n",
        "label; File \n x ; a.png \ny;b.png",
        "file\tlabel\na.png\tx\n\n\t\nb.png\ty\n",
        'file,label\n"a.png", "x"\n./b.png,y\n',
        "file,label\na.png,x\nb.png,y\na.png,x\n",
    ],
)
def test_marks_blanks_newlines_separators_and_repeated_lines_do_not_matter(tmp_path: Path, text: str) -> None:
    found = read_labels(table(tmp_path, text))
    assert [(image.file, image.labels) for image in found.images] == [("a.png", ("x",)), ("b.png", ("y",))]


def test_columns_of_other_names(tmp_path: Path) -> None:
    path = table(tmp_path, "file,label,kind,case\na\\b.png,x,y,9\n")
    [image] = read_labels(path, label_column="kind", group_column="case").images
    assert (image.file, image.labels, image.group) == ("a/b.png", ("y",), "9")


def test_a_column_that_is_not_there_is_told_with_those_that_are(tmp_path: Path) -> None:
    text = "file,kind,case\na.png,x,1\n"
    for columns, missing in (({}, "label"), ({"label_column": "sort"}, "sort")):
        message = refused(tmp_path, text, **columns)
        assert f"no column '{missing}'" in message
        assert "file, kind, case" in message
    assert "no column 'study'" in refused(tmp_path, text, label_column="kind", group_column="study")
    assert "image, label" in refused(tmp_path, "image,label\na.png,x\n")


def test_a_mask_that_is_not_there_is_named(tmp_path: Path) -> None:
    draw(tmp_path / "m.png", [[0]])
    message = refused(tmp_path, "file,mask\na.png,m.png\nb.png,masks/b.png\n")
    assert "line 3" in message
    assert str(tmp_path / "masks/b.png") in message


def test_lines_that_contradict_each_other_are_both_told(tmp_path: Path) -> None:
    message = refused(tmp_path, "file,label\na.png,x\nb.png,y\na.png,y\n")
    assert "lines 2 and 4" in message
    assert "a.png" in message
    assert "'x'" in message
    assert "'y'" in message


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "empty"),
        ("file,label\n", "no images"),
        ("file,label\na.png,x,y\n", "line 2 has 3 cells and the first line 2"),
        ("file,label\n,x\n", "line 2 names no file"),
        ("file,label,split\na.png,x,fold1\n", "'fold1'"),
        ('file,label\n"a.png,x\n', "line 2"),
    ],
)
def test_what_is_wrong_with_a_table_is_told(tmp_path: Path, text: str, told: str) -> None:
    assert told in refused(tmp_path, text)


def test_a_table_that_cannot_be_read(tmp_path: Path) -> None:
    for encoding, told in (("utf-16", "UTF-16"), ("latin-1", "no UTF-8")):
        with pytest.raises(LabelTableUnusable, match=told):
            read_labels(table(tmp_path, "file,label\nä.png,x\n", encoding))
    with pytest.raises(LabelTableUnusable, match="No such file"):
        read_labels(tmp_path / "none.csv")
    (tmp_path / "cut.gz").write_bytes(b"\x1f\x8b\x08\x00cut")
    with pytest.raises(LabelTableUnusable):
        read_labels(tmp_path / "cut.gz")


def test_breast_ultrasound(test_data: Path) -> None:
    images = read_labels(test_data / "data/busi/labels.csv").images
    assert Counter(image.labels for image in images) == {("benign",): 437, ("malignant",): 210, ("normal",): 133}
    empty = 0
    for image in images[::13]:
        with Image.open(test_data / "data/busi" / image.file) as opened:
            size = opened.size
        assert image.mask is not None
        marked = image.mask.read(size)
        assert marked.shape == (size[1], size[0])
        assert marked.any() == (image.labels != ("normal",))
        empty += not marked.any()
    assert empty > 5


def test_radiographs(test_data: Path) -> None:
    nih = read_labels(test_data / "data/nih-cxr/labels.csv").images
    often = Counter(label for image in nih for label in image.labels or ())
    assert (len(nih), often["Pneumothorax"], often["Effusion"], often["No Finding"]) == (621, 44, 82, 100)
    assert all(image.group and image.mask is None for image in nih)
    lungs = read_labels(test_data / "data/cxr-lungs/labels.csv").images
    assert len(lungs) == 400
    assert all(image.mask is not None for image in lungs)
    dicoms = read_labels(test_data / "data/dicom/labels.csv").images
    assert Counter(image.labels for image in dicoms) == {None: 8, ("pneumothorax",): 5, ("no_pneumothorax",): 6}
