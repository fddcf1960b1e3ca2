"""Pseudonyms, who is who under one id, and the folder that keeps the way back."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from archives import MARKERS, named
from dicoms import file_of
from PIL import Image

from seedqueue.backend.intake.asked import ImportChoices, check_choices
from seedqueue.backend.intake.errors import (
    ImportRunning,
    KeyMissing,
    KeyUnusable,
    PlaceExposed,
    PrivateFolderMissing,
    PrivateFolderOpen,
)
from seedqueue.backend.intake.ledger import Ledger
from seedqueue.backend.intake.patients import Patients, Who, who_of
from seedqueue.backend.intake.private import open_private, place_of
from seedqueue.backend.intake.pseudonyms import Pseudonyms
from seedqueue.backend.intake.tags import Tags, modality_code, read_tags, view_code

ONE, OTHER = Pseudonyms(b"1" * 32), Pseudonyms(b"2" * 32)


def test_the_same_under_one_key_and_others_under_another() -> None:
    assert ONE.patient("4711") == Pseudonyms(b"1" * 32).patient("4711")
    assert ONE.patient("4711").startswith("p-")
    assert len({ONE.patient("4711"), OTHER.patient("4711"), ONE.patient("4712"), ONE.patient("4711", "who")}) == 4
    assert ONE.study("1.2")[3:] != ONE.series("1.2")[3:]


def test_an_image_is_its_pixels() -> None:
    pixels = np.arange(64, dtype=np.uint8).reshape(8, 8)
    image = Image.fromarray(pixels)
    image.info["comment"] = "anything"
    assert ONE.image(image) == ONE.image(Image.fromarray(pixels.copy())) != OTHER.image(image)
    others = [pixels.reshape(4, 16), pixels[::-1].copy(), np.repeat(pixels[..., None], 3, axis=2)]
    assert len({ONE.image(Image.fromarray(each)) for each in [pixels, *others]}) == 4


def test_the_header_s_words_are_read_and_codes_allowed_by_list() -> None:
    tags = read_tags(file_of(named(1, "MARKERID1", ViewPosition="AP", Modality="DX")))
    assert (tags.patient, tags.name, tags.birth, tags.sex) == ("MARKERID1", "MARKERNAME^MARKERID1", "19510203", "F")
    assert (tags.view, tags.modality, tags.study) == ("AP", "DX", "1.2.826.77.1")
    assert view_code("AP Supine") == "AP-SUPINE"
    assert view_code("SMITH JOHN") == "" == modality_code("SMITH")
    without = file_of(named(1, "MARKERID1"), meta=False)
    assert read_tags(without).patient == "MARKERID1"
    assert read_tags(b"no DICOM at all") == Tags()


@pytest.mark.parametrize("nobody", ["", "ANONYMOUS", "anon01", "0000", "unknown", "N/A", "---", "No ID"])
def test_placeholders_are_nobody(nobody: str) -> None:
    assert read_tags(file_of(named(1, nobody))).patient == ""


@pytest.mark.parametrize("somebody", ["100", "A-0", "Anna1", "7", "unknown-17"])
def test_ids_are_somebody(somebody: str) -> None:
    assert read_tags(file_of(named(1, somebody))).patient == somebody


def test_names_are_compared_by_their_words() -> None:
    said = [Tags(name=name) for name in ("Müller^Jörg", "JORG MULLER", "muller^jorg^^^")]
    assert len({who_of(each, ONE) for each in said}) == 1
    assert who_of(said[0], ONE).contradicts(who_of(Tags(name="Meier^Jörg"), ONE))
    assert not who_of(said[0], ONE).contradicts(Who())
    assert Who.from_text(str(who_of(said[0], ONE))) == who_of(said[0], ONE)


def who(name: str = "", birth: str = "", sex: str = "", issuer: str = "") -> Who:
    return who_of(Tags(name=name, birth=birth, sex=sex, issuer=issuer), ONE)


def test_two_patients_under_one_id_are_kept_apart_and_named() -> None:
    patients = Patients(ONE)
    first, again, other = (patients.of("7", who(name)) for name in ("Doe^Jane", "JANE DOE", "Roe^Rick"))
    assert first == again == ONE.patient("7") != other
    assert patients.of("8", who("Doe^Jane")) == ONE.patient("8")
    assert patients.shared == {"7"}
    for different in (who(birth="19500101"), who(sex="M"), who(issuer="here")):
        apart = Patients(ONE)
        apart.of("7", Who(*(part and f"{part}x" for part in different.parts)))
        assert apart.of("7", different) != ONE.patient("7")


def test_who_could_be_either_is_neither() -> None:
    patients = Patients(ONE)
    both = {patients.of("7", who("Doe", "1950")), patients.of("7", who("Roe", "1960"))}
    assert patients.of("7", Who()) not in both
    assert patients.of("7", who("Doe", "1950")) in both


def test_trusted_ids_merge_and_are_still_told() -> None:
    patients = Patients(ONE, trust_ids=True)
    assert patients.of("7", who("Doe")) == patients.of("7", who("Roe"))
    assert patients.shared == {"7"}


def test_a_later_import_knows_who_came_before() -> None:
    before = Patients(ONE)
    doe, roe = before.of("7", who("Doe")), before.of("7", who("Roe"))
    later = Patients(ONE)
    later.remember([("7", doe, who("Doe")), ("7", roe, who("Roe"))])
    assert (later.of("7", who("Roe")), later.of("7", who("Doe"))) == (roe, doe)
    alone = Patients(ONE)  # the other order, had nobody remembered
    assert alone.of("7", who("Roe")) == doe


def test_the_private_folder_is_for_its_owner(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        private = open_private(tmp_path / "private")
        with private.alone():
            private.write(3, "unreadable.csv", ["file"], [["MARKER"]])
        Ledger(private.folder / "uid-map.csv", ["a"]).add([{"a": 1}])
    finally:
        os.umask(old)
    for path in [private.folder, *private.folder.rglob("*")]:
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path
    assert open_private(private.folder).key == private.key != open_private(tmp_path / "other").key


def test_what_is_wrong_with_the_private_folder_has_a_name(tmp_path: Path) -> None:
    with pytest.raises(PrivateFolderMissing, match="--private"):
        place_of("s3://bucket/home", None)
    assert place_of(tmp_path / "home", None) == tmp_path / "home-private"
    folder = tmp_path / "open"
    folder.mkdir(mode=0o755)
    with pytest.raises(PrivateFolderOpen, match="chmod 700"):
        open_private(folder)
    folder.chmod(0o700)
    for name in ("uid-map.csv", "looked-at-1.csv"):
        (folder / name).write_text("image_id\n")
        with pytest.raises(KeyMissing, match=f"{name}.* backup"):
            open_private(folder)
        (folder / name).unlink()
    (folder / "secret.key").write_text("not hexadecimal")
    with pytest.raises(KeyUnusable):
        open_private(folder)


def test_one_import_at_a_time(tmp_path: Path) -> None:
    private = open_private(tmp_path / "private")
    with private.alone(), pytest.raises(ImportRunning), private.alone():
        pass
    with private.alone():
        pass
    (private.folder / "secret.key").unlink()  # two keys made at once would be one too many
    with private.alone(), pytest.raises(ImportRunning):
        open_private(private.folder)


def test_the_private_folder_is_never_served(tmp_path: Path) -> None:
    private, apart, link = tmp_path / "private", tmp_path / "apart", tmp_path / "link"
    for folder in (private / "images", apart):
        folder.mkdir(parents=True)
    link.symlink_to(private / "images")
    for out in (private, private / "images", tmp_path, link, apart / ".." / "private"):
        with pytest.raises(PlaceExposed):
            check_choices(ImportChoices(out=out, url="http://images.example/"), private)
    check_choices(ImportChoices(out=apart, url="http://images.example/"), private)


def test_a_ledger_survives_a_line_cut_short(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "map.csv", ["name", "said"])
    ledger.add([{"name": "a", "said": "1, 2"}, {"name": "b", "said": 'x"y'}])
    whole = ledger.path.read_bytes()
    ledger.path.write_bytes(whole + "c,ä".encode()[:-1])  # within a letter
    assert [row["name"] for row in ledger.rows()] == ["a", "b"]
    ledger.add([{"name": "d", "said": "4"}])
    assert [(row["name"], row["said"]) for row in ledger.rows()] == [("a", "1, 2"), ("b", 'x"y'), ("d", "4")]


def test_markers_are_in_the_files_that_the_tests_make() -> None:
    content = file_of(named(1, "MARKERID1"))
    missing = [each for each in MARKERS if each.encode() not in content]
    assert missing == ["MARKERVIEW", "MARKERFILE"]  # those stand in a view position and in a file's name, elsewhere
