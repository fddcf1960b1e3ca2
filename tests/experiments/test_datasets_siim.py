"""SIIM-ACR's run-length table, its masks as pictures and torchxrayvision's decoder as oracles."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from seedqueue.experiments.datasets.errors import LabelTableUnusable
from seedqueue.experiments.datasets.labelled import LabelledImage
from seedqueue.experiments.datasets.masks import PngMask
from seedqueue.experiments.datasets.tables import read_labels

HEADER = "ImageId, EncodedPixels\n"
UID = "1.2.276.0.7230010.3.1.4.8323329.{}.1517875220.9"


@pytest.fixture
def table(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        path = tmp_path / "train-rle.csv"
        path.write_text(text)
        return path

    return write


def pixels(image: LabelledImage) -> list[tuple[int, int]]:
    """(row, column) of what is marked, column by column."""
    assert image.mask is not None
    return [(row, column) for column, row in np.argwhere(image.mask.read(None).T).tolist()]


@pytest.mark.parametrize("header", [HEADER, "ImageId,EncodedPixels\n", "\ufeffimageid , encodedpixels\r\n", ""])
def test_runs_go_down_the_columns_and_count_from_the_last(table: Callable[[str], Path], header: str) -> None:
    text = f"{header}{UID.format(1)}, -1\n{UID.format(2)}, 2 3 1019 1\n{UID.format(3)},1048575 1\n"
    found = read_labels(table(text))
    assert found.format == "SIIM-ACR's run-length CSV"
    none, some, last = found.images
    assert [image.file for image in found.images] == [f"{UID.format(number)}.dcm" for number in (1, 2, 3)]
    assert (none.labels, some.labels) == ((), ("Pneumothorax",))
    assert pixels(none) == []
    assert pixels(some) == [(2, 0), (3, 0), (4, 0), (0, 1)]
    assert pixels(last) == [(1023, 1023)]


def test_the_lines_of_an_image_are_united(table: Callable[[str], Path]) -> None:
    one = UID.format(1)
    [image] = read_labels(table(f"{HEADER}{one}, 0 2\n{one}, 1 2\n{one}, 0 2\n{one}, -1\n")).images
    assert image.labels == ("Pneumothorax",)
    assert pixels(image) == [(0, 0), (1, 0), (2, 0)]


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("5", "1 numbers are no pairs"),
        ("5 -2", "-2 is below zero"),
        ("5 x", "no whole number"),
        ("5 1048572", "end at pixel 1048577 of 1048576"),
        ("", "is .*give its ImageId"),
    ],
)
def test_a_code_that_is_none_is_told_with_its_line(table: Callable[[str], Path], code: str, told: str) -> None:
    with pytest.raises(LabelTableUnusable, match=f"line 2.*{told}"):
        read_labels(table(f"{HEADER}{UID.format(1)},{code}\n"))


def test_real_masks(test_data: Path) -> None:
    folder = test_data / "data/dicom"
    images = read_labels(folder / "siim_train-rle-sample.csv").images
    with_mask = 0
    for image in images:
        assert (folder / f"siim_{image.file}").is_file()
        picture = folder / "masks" / f"siim_{image.file.removesuffix('.dcm')}.png"
        assert image.mask is not None
        marked = image.mask.read(None)
        assert picture.is_file() == bool(image.labels) == bool(marked.any())
        if image.labels:
            assert (marked == PngMask(picture).read(None)).all()
            with_mask += 1
    assert (len(images), with_mask) == (10, 5)


def test_the_same_as_torchxrayvision_where_an_image_has_one_line(tmp_path: Path) -> None:
    """Of an image's lines theirs keeps the last alone: ours is compared where that is all."""
    import torchxrayvision as xrv

    theirs = xrv.datasets.SIIM_Pneumothorax_Dataset(imgpath=str(tmp_path), pathology_masks=True)
    ours = {image.file.removesuffix(".dcm"): image for image in read_labels(Path(theirs.csvpath)).images}
    assert len(ours) == theirs.csv["ImageId"].nunique()
    positive = dict(theirs.csv.groupby("ImageId")["has_masks"].max())
    assert {name: bool(image.labels) for name, image in ours.items()} == positive
    often = theirs.csv["ImageId"].value_counts()
    single = [name for name in ours if often[name] == 1 and positive[name]]
    for name in single[:: len(single) // 20]:
        [marked] = theirs.get_pathology_mask_dict(name, 1024)[0]
        mask = ours[name].mask
        assert mask is not None
        assert (mask.read(None) == marked.astype(bool)).all()
