"""A small archive of radiographs as a hospital exports it; all its texts are markers that must not leave."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from dicoms import dataset, file_of
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from pydicom.dataset import Dataset

# What must not be found in anything that leaves: names, ids, dates, institutions, private tags, UIDs.
MARKERS = (
    "MARKERNAME", "MARKERID", "19510203", "MARKERHOSPITAL", "MARKERDOCTOR", "MARKERPRIVATE", "MARKERCOMMENT",
    "MARKERACCESSION", "1.2.826.77", "20240517", "MARKERADDRESS", "MARKERVIEW", "MARKERFILE",
)  # fmt: skip


def radiograph(seed: int, side: int = 64) -> NDArray[np.uint16]:
    """Soft shapes in 12 bits, each seed other ones."""
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 256, (9, 9), dtype=np.uint8)).resize(
        (side, side), Image.Resampling.BICUBIC
    )
    return np.asarray(coarse, dtype=np.uint16) * 16


def named(seed: int, patient: str, study: int = 1, **elements: Any) -> Dataset:
    """A radiograph's dataset, full of what must not leave; `elements` replace what stands there."""
    said: dict[str, Any] = {
        "PatientID": patient,
        "PatientName": f"MARKERNAME^{patient}",
        "PatientBirthDate": "19510203",
        "PatientSex": "F",
        "PatientAddress": "MARKERADDRESS 1",
        "StudyInstanceUID": f"1.2.826.77.{study}",
        "SeriesInstanceUID": f"1.2.826.77.{study}.1",
        "SOPInstanceUID": f"1.2.826.77.{study}.1.{seed}",
        "StudyDate": "20240517",
        "AccessionNumber": "MARKERACCESSION",
        "InstitutionName": "MARKERHOSPITAL",
        "ReferringPhysicianName": "MARKERDOCTOR",
        "ImageComments": "MARKERCOMMENT",
        "Modality": "DX",
        "ViewPosition": "PA",
        "PixelSpacing": [0.143, 0.2],
        "WindowCenter": 2048,
        "WindowWidth": 4096,
    }
    made = dataset(radiograph(seed), 12, **{**said, **elements})
    made.private_block(0x0099, "MARKERPRIVATE", create=True).add_new(1, "LO", "MARKERPRIVATE VALUE")
    return made


def write(path: Path, made: Dataset) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(file_of(made))
    return path


def captioned(words: str, height: int, seed: int = 0, side: int = 400) -> Image.Image:
    """A soft picture with words in white, letters so many pixels high."""
    picture = Image.fromarray((radiograph(seed, side) // 24).astype(np.uint8))
    ImageDraw.Draw(picture).text((side // 10, side // 2), words, fill=255, font_size=height * 1.35)
    return picture
