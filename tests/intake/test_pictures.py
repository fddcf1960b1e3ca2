"""What leaves: PNGs of pixels alone, task data of pseudonyms and codes, and what is said before."""

from __future__ import annotations

import io
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import captions
import numpy as np
import pytest
from archives import MARKERS, captioned, named, radiograph, write
from dicoms import dicom
from PIL import Image, PngImagePlugin

from seedqueue.backend.folder import NoImages
from seedqueue.backend.image_table import TableUnusable
from seedqueue.backend.intake import near
from seedqueue.backend.intake.burned_in import burned_in
from seedqueue.backend.intake.errors import ColumnMissing, SourceMissing
from seedqueue.backend.intake.looking import Look, Looks, Seen, ahead_of, look_at
from seedqueue.backend.intake.near import BITS, Pair, hash_of, near_pairs
from seedqueue.backend.intake.patients import Patients
from seedqueue.backend.intake.pictures import Limits, as_png, opened, shown
from seedqueue.backend.intake.private import open_private
from seedqueue.backend.intake.pseudonyms import Pseudonyms
from seedqueue.backend.intake.sorting import belongs, sort_out
from seedqueue.backend.intake.sources import Listed, read_source
from seedqueue.backend.intake.task_values import task_values
from seedqueue.backend.intake.uid_map import UidMap
from seedqueue.backend.spacings import spacing_of, spacing_words
from seedqueue.models.images import read_image
from seedqueue.models.picture import Spacing

ONE = Pseudonyms(b"1" * 32)
LIMITS = Limits(10**7, 10**6, "refuse")
Sent = tuple[dict[str, Any], bytes]


def sent(file: Path, fields: dict[str, str] | None = None) -> Sent:
    """The task data and the PNG that this file would become."""
    found = opened(file, LIMITS)
    picture = shown(found.content, LIMITS)
    look = Look(ONE.image(picture.image), hash_of(picture.image), 0)
    seen = Seen(Listed(file, file.name, fields or {}), look, found.tags())
    mine = belongs(seen, Patients(ONE), ONE)
    return task_values(seen, mine, picture.spacing, "image", f"/data/{look.image_id}.png"), as_png(picture.image)


def chunks(png: bytes) -> set[bytes]:
    """The kinds of chunk in a PNG."""
    found, at = set(), 8
    while at < len(png):
        found.add(png[at + 4 : at + 8])
        at += 12 + int.from_bytes(png[at : at + 4], "big")
    return found


def test_nothing_of_a_header_leaves_but_codes(tmp_path: Path) -> None:
    values, png = sent(write(tmp_path / "MARKERFILE_DOE.dcm", named(1, "MARKERID1", ViewPosition="MARKERVIEW AP")))
    said = png + json.dumps(values).encode()
    assert [each for each in MARKERS if each.encode() in said] == []
    assert chunks(png) == {b"IHDR", b"IDAT", b"IEND"}
    assert set(values) == {"image", "image_id", "patient", "study", "series", "view", "modality", "spacing"}
    assert (values["view"], values["modality"], values["spacing"]) == ("AP", "DX", "0.143x0.2")
    assert values["patient"] == ONE.patient("MARKERID1")
    assert values["study"] == ONE.study("1.2.826.77.1")


def test_an_image_loses_what_it_carries_and_stands_upright(tmp_path: Path) -> None:
    pixels = np.arange(30, dtype=np.uint8).reshape(5, 6) * 8
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "MARKERNAME"  # turned by 90 degrees; a description
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "MARKERNAME")
    file = tmp_path / "MARKERFILE.png"
    Image.fromarray(pixels).save(file, exif=exif, pnginfo=text, dpi=(72, 72), icc_profile=b"MARKERNAME" * 20)
    assert b"MARKERNAME" in file.read_bytes()
    values, png = sent(file)
    assert chunks(png) == {b"IHDR", b"IDAT", b"IEND"}
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(png))), np.rot90(pixels, -1))
    assert set(values) == {"image", "image_id"}


def test_deep_grey_keeps_its_window_and_sheds_outliers_without_one() -> None:
    pixels = radiograph(3) // 8 + 100
    pixels[0, :3] = 4095  # a lead marker
    windowed = shown(dicom(pixels, stored=12, WindowCenter=300, WindowWidth=400), LIMITS)
    assert np.asarray(windowed.image)[0, 0] == 255
    plain = np.asarray(shown(dicom(pixels, stored=12), LIMITS).image)
    stretched = np.asarray(read_image(dicom(pixels, stored=12), max_pixels=10**6).image)
    assert plain[5:].max() > 240 > 60 > stretched[5:].max()


def test_spacing_is_read_as_it_is_written() -> None:
    assert spacing_of(spacing_words(Spacing(0.143, 0.2, "PixelSpacing"))) == (0.143, 0.2)
    assert spacing_of("0.5") == (0.5, 0.5)
    assert [spacing_of(words) for words in ("", "axb", "0x1", "1x2x3", "nan")] == [None] * 5


def test_a_table_s_fields_are_taken_by_name(tmp_path: Path) -> None:
    Image.new("L", (8, 8)).save(tmp_path / "a.png")
    table = tmp_path / "t.csv"
    table.write_text("file,mrn,patient,name,label,age,spacing\na.png,77,raw,MARKERNAME,effusion,61,0.2\n")
    read = read_source(table, "mrn", ["age"])
    assert read.files[0].fields == {"patient": "77", "label": "effusion", "age": "61", "spacing": "0.2"}
    assert read.left == ("name", "patient")
    values, _ = sent(tmp_path / "a.png", dict(read.files[0].fields))
    assert values["patient"] == ONE.patient("77")
    assert (values["label"], values["age"], values["spacing"]) == ("effusion", "61", "0.2x0.2")


def test_sources_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    with pytest.raises(SourceMissing):
        read_source(tmp_path / "none")
    with pytest.raises(NoImages):
        read_source(tmp_path)
    table = tmp_path / "t.csv"
    table.write_text("path\na.png\n")
    with pytest.raises(TableUnusable, match="column `file`"):
        read_source(table)
    table.write_text("file,image_id,patient,mrn\na.png,1,2,3\n")
    for arguments in (("none", ()), ("patient", ("age",)), ("patient", ("image_id",)), ("mrn", ("patient",))):
        with pytest.raises(ColumnMissing):
            read_source(table, *arguments)


def test_dicom_without_a_patient_is_its_study_s_own(tmp_path: Path) -> None:
    files = [write(tmp_path / f"{n}", named(n, "", study)) for n, study in ((1, 1), (2, 1), (3, 2))]
    patients = [sent(file)[0]["patient"] for file in files]
    assert patients[0] == patients[1] != patients[2]


def look(tmp_path: Path, files: list[Path]) -> tuple[list[Seen], list[str]]:
    private = open_private(tmp_path / "private")
    listed = [Listed(file, file.name) for file in files]
    seen, unreadable = look_at(listed, Looks(private, "refuse"), ONE, LIMITS, lambda done, total: None)
    return seen, [f"{one.listed.name}: {one.reason}" for one in unreadable]


def test_repeats_are_same_pixels_whatever_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, same, other = tmp_path / "a.png", tmp_path / "b.dcm", tmp_path / "c.dcm"
    write(same, named(5, "1"))
    write(other, named(6, "1"))
    shown(same.read_bytes(), LIMITS).image.save(one)
    (tmp_path / "broken.png").write_bytes(one.read_bytes()[:60])
    files = [one, same, other, tmp_path / "broken.png", tmp_path / "gone.png"]
    seen, unreadable = look(tmp_path, files)
    assert [line.split(":")[0] for line in unreadable] == ["broken.png", "gone.png"]
    found = sort_out(seen, {seen[2].look.image_id})
    assert [(a.listed.name, b.listed.name) for a, b in found.repeats] == [("b.dcm", "a.png")]
    assert (found.new, found.known) == ((0,), 1)
    # The second look decodes nothing.
    monkeypatch.setattr("seedqueue.backend.intake.looking.shown", None)
    assert look(tmp_path, files[:3])[0] == seen


def test_the_map_leads_back_from_every_pseudonym_that_left(tmp_path: Path) -> None:
    file = write(tmp_path / "archive" / os.fsdecode(b"M\xfcller.dcm"), named(1, "1"))  # no UTF-8
    [listed] = read_source(tmp_path / "archive").files
    assert listed.name == "M\\udcfcller.dcm"
    [seen], _ = look(tmp_path, [file])
    private = open_private(tmp_path / "private")
    for patient in ("", "7", "7"):  # the table was mended, and the import broke off once
        one = replace(seen, listed=Listed(file, listed.name, {"patient": patient}))
        UidMap(private).add(1, [(one, belongs(one, Patients(ONE), ONE), None)])
    who = [(number, pseudonym) for number, pseudonym, _ in UidMap(private).patients()]
    assert who == [("1", ONE.patient("1")), ("7", ONE.patient("7"))]
    assert os.fsencode(file) in (private.folder / "uid-map.csv").read_bytes()


def test_near_duplicates_are_found_across_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(near, "BLOCK", 7)
    rng = np.random.default_rng(0)
    bits = rng.integers(0, 2, (30, BITS), dtype=np.uint8)
    bits[20], bits[21], bits[29] = bits[3], bits[3], bits[28]
    bits[20, :5] ^= 1
    bits[21, :40] ^= 1
    bits[29, :41] ^= 1
    hashes = [np.packbits(row).tobytes().hex() for row in bits]
    assert near_pairs(hashes, 40) == [Pair(20, 3, 5), Pair(21, 20, 35)] == near_pairs(hashes, 35)
    assert near_pairs(hashes, 34) == [Pair(20, 3, 5)]
    assert near_pairs(hashes, 40, first=4) == near_pairs(hashes, 40)  # what comes before is there to be near
    assert near_pairs(hashes, 40, first=21) == [Pair(21, 20, 35)]
    assert near_pairs(hashes, 40, first=22) == [] == near_pairs(hashes, 40, first=30)
    assert near_pairs([]) == [] == near_pairs(["00" * 32] * 2, -1)


def test_a_brighter_copy_is_near_and_another_picture_is_not() -> None:
    first, other = (Image.fromarray((radiograph(seed, 200) // 16).astype(np.uint8)) for seed in (1, 2))
    copy = Image.fromarray((np.asarray(first) * 0.8 + 20).astype(np.uint8)).resize((150, 150))
    assert near_pairs([hash_of(each) for each in (first, other, copy)])[0].one == 2
    assert len(near_pairs([hash_of(each) for each in (first, other, copy)])) == 1


@pytest.mark.parametrize("height", [8, 12, 24, 40])
def test_planted_words_are_noticed(height: int) -> None:
    assert burned_in(captioned("", height)) == 0
    found = captioned("DOE 1951", height)
    assert burned_in(found) >= 5
    assert burned_in(Image.fromarray(255 - np.asarray(found))) >= 5
    assert burned_in(found.convert("RGB")) >= 5


def test_lesser_captions_and_noise_are_none() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (300, 300), dtype=np.uint8)
    for picture in (captioned("L", 20), Image.fromarray(noise), Image.new("L", (1, 1)), Image.new("L", (3000, 2))):
        assert burned_in(picture) == 0


def test_captions_of_real_ultrasound_are_noticed(test_data: Path) -> None:
    found, all_captions, alarms, without = captions.on_ultrasound(test_data / "data/busi/images", every=3)
    assert (all_captions, without) == (22, 33)
    assert found >= 20
    assert alarms <= 2


def test_real_radiographs_are_not_near_each_other(test_data: Path) -> None:
    files = sorted((test_data / "data/nih-cxr").rglob("*.jpg"))[::3]
    assert near_pairs(list(ahead_of(lambda file: hash_of(Image.open(file)), files))) == []
