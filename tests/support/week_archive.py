"""The lab's archive in the week: folders of real images as they come from a PACS, with faults planted in them."""

from __future__ import annotations

import csv
import random
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pydicom
from week_readers import Known

BROKEN = {"truncated.jpg": 400, "empty.png": 0, "letter.jpg": -1}  # bytes kept of a real one; -1: a text


@dataclass(frozen=True)
class Month:
    """A delivery: its table, what is true of its images by file name, and what was planted."""

    table: Path
    known: Mapping[str, Known]
    test: int
    repeats: int
    foreign: frozenset[str]


def ultrasound(data: Path) -> list[tuple[Path, Known]]:
    """Every breast ultrasound with what is true of it, in random order, the same one always."""
    folder = data / "data/busi"
    with (folder / "labels.csv").open(newline="") as opened:
        rows = sorted(csv.DictReader(opened), key=lambda row: row["file"])
    random.Random(7).shuffle(rows)
    return [(folder / row["file"], Known(row["label"], folder / row["mask"])) for row in rows]


def first_month(place: Path, images: Sequence[tuple[Path, Known]], test: int, repeats: int) -> Month:
    """Images with a test set of the team's own, some files twice under other names, and three broken ones."""
    place.mkdir(parents=True)
    rows, known = [], {}
    for at, (file, truth) in enumerate(images):
        rows.append(_copied(file, place, file.name, "A", "test" if at < test else "pool"))
        known[file.name] = truth
    for file, truth in images[-repeats:]:
        rows.append(_copied(file, place, f"copy-of-{file.name}", "A", "pool"))
        known[f"copy-of-{file.name}"] = truth
    for name, length in BROKEN.items():
        content = b"Dear colleague, the scan is in the mail." if length < 0 else images[0][0].read_bytes()[:length]
        (place / name).write_bytes(content)
        rows.append({"file": name, "scanner": "A", "set": "pool"})
    return Month(_table(place, rows), known, test, repeats, frozenset())


def later_month(place: Path, images: Sequence[tuple[Path, Known]], foreign: Sequence[Path]) -> Month:
    """Images of which two thirds come from another scanner, and some that are no breast ultrasound at all."""
    place.mkdir(parents=True)
    rows, known = [], {}
    for at, (file, truth) in enumerate(images):
        rows.append(_copied(file, place, file.name, "A" if at % 3 == 0 else "B", "pool"))
        known[file.name] = truth
    for file in foreign:
        rows.append(_copied(file, place, file.name, "B", "pool"))
    return Month(_table(place, rows), known, 0, 0, frozenset(file.name for file in foreign))


def dicoms(place: Path, data: Path) -> list[Path]:
    """The real DICOM files with patients put in: one file without a patient's id, one id that two patients share."""
    place.mkdir(parents=True)
    files = sorted((data / "data/dicom").glob("*.dcm"))
    for at, file in enumerate(files):
        found = pydicom.dcmread(file, force=True)
        found.PatientName, found.PatientBirthDate = f"SECRET^PATIENT{at // 2}", f"19{40 + at // 2}0101"
        found.PatientSex = "F" if at // 2 % 2 else "M"
        found.PatientID = "" if at == 0 else f"HOSPITAL-{at // 2:04}"
        found.ReferringPhysicianName, found.InstitutionName = "SECRET^DOCTOR", "SECRET HOSPITAL"
        if at == len(files) - 1:
            found.PatientID = "HOSPITAL-0001"
        found.save_as(place / f"{found.PatientName}-{file.name}".replace("^", "_"))
    return files


def secrets_of(folder: Path) -> list[str]:
    """What must not leave: names, dates, ids and UIDs of the DICOM files of a folder."""
    found: set[str] = {"SECRET"}
    for file in folder.iterdir():
        told = pydicom.dcmread(file, force=True, stop_before_pixels=True)
        for name in (
            "PatientID",
            "PatientBirthDate",
            "StudyDate",
            "StudyInstanceUID",
            "SeriesInstanceUID",
            "SOPInstanceUID",
        ):
            found.add(str(told.get(name) or ""))
    return sorted(one for one in found if len(one) > 5)


def _copied(file: Path, place: Path, name: str, scanner: str, part: str) -> dict[str, str]:
    shutil.copyfile(file, place / name)
    return {"file": name, "scanner": scanner, "set": part}


def _table(place: Path, rows: Sequence[Mapping[str, str]]) -> Path:
    table = place / "images.csv"
    with table.open("w", newline="") as opened:
        writer = csv.DictWriter(opened, ["file", "scanner", "set"])
        writer.writeheader()
        writer.writerows(rows)
    return table
