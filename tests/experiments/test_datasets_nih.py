"""NIH ChestX-ray14's table, and torchxrayvision's reader of it as an oracle."""

import csv
import gzip
from pathlib import Path

import numpy as np
import pytest

from seedqueue.experiments.datasets.errors import LabelTableUnusable
from seedqueue.experiments.datasets.matching import matched
from seedqueue.experiments.datasets.tables import read_labels

HEADER = (
    "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,"
    "OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y],\n"
)
LINES = (
    "00000011_000.png,Cardiomegaly|Emphysema,0,11,58,M,PA,2682,2749,0.143,0.143,\n"
    "00000011_001.png,No Finding,1,11,59,M,AP,2682,2749,0.143,0.143,\n"
    "00000012_000.png,Pleural_Thickening,0,12,60,F,AP,2682,2749,0.143,0.143,\n"
)


def table(folder: Path, lines: str = LINES) -> Path:
    path = folder / "Data_Entry_2017.csv"
    path.write_text(HEADER + lines)
    return path


def test_every_image_with_its_findings_and_patient(tmp_path: Path) -> None:
    found = read_labels(table(tmp_path, LINES + LINES.splitlines()[0]))
    assert found.format == "NIH ChestX-ray14's CSV"
    assert [(image.file, image.labels, image.group, image.split, image.mask) for image in found.images] == [
        ("00000011_000.png", ("Cardiomegaly", "Emphysema"), "11", "", None),
        ("00000011_001.png", ("No Finding",), "11", "", None),
        ("00000012_000.png", ("Pleural_Thickening",), "12", "", None),
    ]


def test_the_official_split_is_taken_from_the_lists_beside_it(tmp_path: Path) -> None:
    (tmp_path / "train_val_list.txt").write_text("00000011_000.png\r\n00000011_001.png")
    assert [image.split for image in read_labels(table(tmp_path)).images] == ["train", "train", ""]
    (tmp_path / "test_list.txt").write_text("00000012_000.png\n")
    assert [image.split for image in read_labels(table(tmp_path)).images] == ["train", "train", "test"]


def test_lines_that_contradict_each_other_are_both_told(tmp_path: Path) -> None:
    lines = LINES + "00000011_001.png,Edema,1,11,59,M,AP,2682,2749,0.143,0.143,\n"
    with pytest.raises(LabelTableUnusable, match=r"lines 3 and 5 .*No Finding.*Edema.* of 00000011_001.png"):
        read_labels(table(tmp_path, lines))


def test_the_same_findings_as_torchxrayvision_in_all_of_nih(tmp_path: Path) -> None:
    import torchxrayvision as xrv

    theirs = xrv.datasets.NIH_Dataset(imgpath=str(tmp_path), views=["*"], unique_patients=False)
    ours = read_labels(Path(theirs.csvpath)).images
    assert [image.file for image in ours] == theirs.csv["Image Index"].tolist()
    assert [image.group for image in ours] == theirs.csv["patientid"].tolist()
    told = np.array([[name in (image.labels or ()) for name in theirs.pathologies] for image in ours])
    assert len(ours) == 112120
    assert (told == theirs.labels.astype(bool)).all()


def test_real_radiographs_are_found_in_all_of_nih(test_data: Path) -> None:
    """The folder holds JPEGs where the table says PNG."""
    import torchxrayvision as xrv

    whole = Path(xrv.datasets.datapath) / "Data_Entry_2017_v2020.csv.gz"
    with (test_data / "data/nih-cxr/labels.csv").open(newline="") as opened:
        rows = list(csv.DictReader(opened))
    found = matched(read_labels(whole), [row["file"] for row in rows])
    for row, image in zip(rows, found, strict=True):
        assert image is not None
        assert (set(image.labels or ()), image.group) == (set(row["label"].split("|")), row["patient"])


def test_a_gzipped_table(tmp_path: Path) -> None:
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress((HEADER + LINES).encode()))
    assert len(read_labels(path).images) == 3
