"""DICOM in a folder and from the settings: files of any name, several frames, unreadable ones listed."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from dicoms import dataset, dicom, file_of
from PIL import Image

from seedqueue.backend.errors import InvalidSetting
from seedqueue.backend.folder import list_images
from seedqueue.backend.folder_queue import FolderQueue, select_folder
from seedqueue.backend.records import Choices
from seedqueue.backend.settings import load
from seedqueue.models import registry
from seedqueue.models.picture import Frames

RNG = np.random.default_rng(0)


def content(**elements: object) -> bytes:
    coarse = Image.fromarray(RNG.integers(0, 256, (6, 6), dtype=np.uint8)).resize((40, 40), Image.Resampling.BICUBIC)
    return dicom(np.asarray(coarse), **elements)


def queue(folder: Path, budget: int, frames: Frames = "refuse") -> FolderQueue:
    return select_folder(
        folder,
        Choices(budget, "hog", "kmeans", 0),
        registry.create("hog", folder),
        max_pixels=10**7,
        progress=lambda done, total: None,
        frames=frames,
    )


def test_dicom_files_are_found_whatever_their_name(tmp_path: Path) -> None:
    names = ["a.dcm", "b.DICOM", "DICOM/ST0/SE0/IM00001", "1.2.840.113619.2.30", "c.ima", "plain.dcm"]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content())
    for name in ("DICOMDIR", ".hidden", "DICOM/dicomdir"):
        (tmp_path / name).write_bytes(content())
    (tmp_path / "README").write_text("D" * 200)
    (tmp_path / "short").write_bytes(b"\0" * 130)
    assert [path.relative_to(tmp_path).as_posix() for path in list_images(tmp_path)] == sorted(names)
    assert {row.file for row in queue(tmp_path, len(names)).rows} == set(names)


def test_what_cannot_be_shown_is_listed(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"{number}.dcm").write_bytes(content())
    report = dataset(np.zeros((2, 2), np.uint8), SOPClassUID="1.2.840.10008.5.1.4.1.1.88.11")
    del report.PixelData, report.Rows
    (tmp_path / "report").write_bytes(file_of(report))
    pixels = np.repeat(np.arange(40, dtype=np.uint8)[None], 80, axis=0)
    (tmp_path / "cine.dcm").write_bytes(dicom(pixels[:40], NumberOfFrames=2, PixelData=pixels.tobytes()))
    assert dict(queue(tmp_path, 3).unreadable) == {
        "report": "a DICOM without pixel data (Basic Text SR Storage)",
        "cine.dcm": "a DICOM of 2 frames; set SEEDQUEUE_DICOM_FRAMES=first to take the first of them",
    }
    assert "cine.dcm" in {row.file for row in queue(tmp_path, 4, "first").rows}


def test_the_setting() -> None:
    assert load({}).dicom_frames == "refuse"
    assert load({"SEEDQUEUE_DICOM_FRAMES": " first "}).dicom_frames == "first"
    with pytest.raises(InvalidSetting, match=r"^SEEDQUEUE_DICOM_FRAMES='last' cannot be used: give refuse or first"):
        load({"SEEDQUEUE_DICOM_FRAMES": "last"})


def test_a_folder_of_real_dicom(tmp_path: Path, test_data: Path) -> None:
    for file in (test_data / "data" / "dicom").glob("*.dcm"):
        shutil.copy(file, tmp_path / file.stem)
    chosen = queue(tmp_path, 5)
    assert sum(row.weight for row in chosen.rows) == 18  # one of the 19 has no file meta and so needs its suffix
    assert chosen.unreadable == ()
