"""Importing into a real Label Studio: what arrives, what does not, and that no crash loses or doubles a task."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path
from typing import Any

import httpx
import pytest
from archives import MARKERS, named, radiograph, write
from PIL import Image
from running import Backend

from seedqueue.backend.demo.label_studio import LabelStudioServer
from seedqueue.backend.demo.project import LABEL_CONFIG
from seedqueue.backend.errors import LabelStudioRefused
from seedqueue.backend.intake import encoding, importing, sending
from seedqueue.backend.intake.asked import ImportChoices
from seedqueue.backend.intake.errors import NoRoom, UploadsUnsupported
from seedqueue.backend.intake.importing import Outcome, import_images
from seedqueue.backend.milestones import Imported
from seedqueue.backend.pool import task_data
from seedqueue.backend.pool_errors import NoImageInLabelConfig

TWO_KEYS = LABEL_CONFIG.replace(
    "</View>",
    '<Text name="t" value="$report"/><Choices name="c" toName="t"><Choice value="a"/></Choices></View>',
)
TEXT_ONLY = '<View><Text name="t" value="$text"/><Choices name="c" toName="t"><Choice value="a"/></Choices></View>'


@pytest.fixture
def archive(tmp_path: Path, phantoms: list[Path]) -> Path:
    """Nine readable files, eight images: six DICOM, two phantoms, one repeated; and three broken files."""
    folder = tmp_path / "archive"
    for seed, patient, name in (
        (1, "MARKERID1", "MARKERFILE/IM0001"),
        (2, "MARKERID1", "MARKERFILE/IM0002"),
        (3, "MARKERID2", "ST2/1.2.826.77.3.dcm"),
        (4, "", "ST2/nobody"),
    ):
        write(folder / name, named(seed, patient, study=seed))
    write(folder / "shared/a", named(5, "MARKERID7", study=7))
    write(folder / "shared/b", named(6, "MARKERID7", study=8, PatientName="MARKERNAME^OTHER", PatientSex="M"))
    for file in phantoms[:2]:
        shutil.copy(file, folder / f"MARKERNAME_{file.name}")
    shutil.copy(phantoms[0], folder / "again.png")
    (folder / "broken.png").write_bytes(phantoms[2].read_bytes()[:500])
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "cut.dcm").write_bytes((folder / "shared/a").read_bytes()[:900])
    return folder


def imported(
    backend: Backend, project: int, source: Path, private: Path, said: list[str] | None = None, **choices: Any
) -> Outcome:
    say = (said if said is not None else []).append
    return import_images(backend.context, project, source, ImportChoices(private=private, **choices), say)


def tasks(backend: Backend, project: int) -> list[dict[str, Any]]:
    return list(task_data(backend.context.studio, project, []).values())


def test_an_archive_becomes_tasks_and_then_a_queue(
    backend: Backend, archive: Path, tmp_path: Path, label_studio: LabelStudioServer
) -> None:
    project, private, said = backend.new_project([]), tmp_path / "private", list[str]()
    check = imported(backend, project, archive, private, said, check=True)
    assert tasks(backend, project) == []
    assert Imported.last(backend.context.records, project) is None
    assert any("3 cannot be read" in line for line in said)
    outcome = imported(backend, project, archive, private)
    told = outcome.imported
    assert told == check.imported == Imported.last(backend.context.records, project)
    assert (told.files, told.dicom, told.repeats, told.known, told.tasks) == (12, 7, 1, 0, 8)
    assert sorted(name for name, _ in told.unreadable) == ["broken.png", "cut.dcm", "empty.jpg"]
    assert (told.without_patient, told.shared_ids, told.patients, told.studies) == (1, 1, 5, 6)
    assert told.burned_in == 2  # the phantoms say that they are drawn
    found = tasks(backend, project)
    _nothing_leaked(backend, found)
    by_study = {each.get("study"): each["patient"] for each in found if "patient" in each}
    assert len(by_study) == 6
    assert len(set(by_study.values())) == 5
    again = imported(backend, project, archive, private)
    assert (again.imported.known, again.imported.tasks) == (8, 0)
    assert len(tasks(backend, project)) == 8
    _next_month_is_compared_with_what_is_there(backend, project, tmp_path / "next", private)
    backend.attach(project)
    assert len(backend.seed(project, budget=3, group_field="patient")) == 3


def _next_month_is_compared_with_what_is_there(backend: Backend, project: int, folder: Path, private: Path) -> None:
    said: list[str] = []
    write(folder / "brighter", named(1, "MARKERID1", study=9, WindowCenter=1900))
    write(folder / "another", named(11, "MARKERID9", study=10))
    assert imported(backend, project, folder, private, said, check=True).imported.near == 1
    assert [line for line in said if "brighter like" in line and line.endswith("MARKERFILE/IM0001")]
    [row] = csv.DictReader((private / f"project-{project}" / "near-duplicates.csv").read_text().splitlines())
    there = [task for task in tasks(backend, project) if task["image_id"] == row["near_image_id"]]
    assert [task["patient"] for task in there] == [row["near_patient"]]
    assert row["state"] == "new"
    other = backend.new_project([])
    assert imported(backend, other, folder, private, check=True).imported.near == 0


def _nothing_leaked(backend: Backend, found: list[dict[str, Any]]) -> None:
    studio = backend.context.studio
    for each in found:
        answer = httpx.get(studio.url + each["image"], headers=studio.headers(), timeout=30)
        assert answer.status_code == 200
        leaving = answer.content + json.dumps(each).encode()
        assert [marker for marker in MARKERS if marker.encode() in leaving] == []
        with Image.open(io.BytesIO(answer.content)) as image:
            assert (image.format, image.mode, image.info) == ("PNG", "L", {})


def test_a_crash_between_batches_loses_and_doubles_nothing(
    backend: Backend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, private, folder = backend.new_project([]), tmp_path / "private", tmp_path / "images"
    folder.mkdir()
    for seed in range(7):
        Image.fromarray((radiograph(seed) // 16).astype("uint8")).save(folder / f"{seed}.png")
    monkeypatch.setattr(encoding, "BATCH", 2)
    made: list[int] = []
    make_tasks, post = importing.make_tasks, sending.post

    def dies_after_one_batch(*arguments: Any) -> None:
        if made:
            raise KeyboardInterrupt
        made.append(1)
        make_tasks(*arguments)

    monkeypatch.setattr(importing, "make_tasks", dies_after_one_batch)
    with pytest.raises(KeyboardInterrupt):
        imported(backend, project, folder, private)
    told = Imported.last(backend.context.records, project)
    assert told is not None
    assert told.tasks == len(tasks(backend, project)) == 2
    uploads = _uploads(backend, project)
    assert len(uploads) == 4  # those of the second batch have no task yet

    def answer_lost_once(*arguments: Any, **content: Any) -> Any:
        answer = post(*arguments, **content)
        if "json" in content and len(made) == 1:
            made.append(2)
            raise LabelStudioRefused("here", 500, "database is locked")
        return answer

    monkeypatch.setattr(importing, "make_tasks", make_tasks)
    monkeypatch.setattr(sending, "post", answer_lost_once)
    outcome = imported(backend, project, folder, private)
    assert len(made) == 2
    assert (outcome.imported.known, outcome.imported.tasks) == (2, 5)
    ids = [each["image_id"] for each in tasks(backend, project)]
    assert len(ids) == len(set(ids)) == 7
    assert _uploads(backend, project) >= uploads  # the second batch's were used, not sent again
    assert len(_uploads(backend, project)) == 7
    rows = (private / "uid-map.csv").read_text().splitlines()
    assert len(rows) == 1 + 7


def _uploads(backend: Backend, project: int) -> set[str]:
    path = f"/api/projects/{project}/file-uploads"
    return {each["file"] for each in backend.context.studio.call("GET", path, params={"all": "true"})}


def test_images_served_by_others_and_projects_that_cannot_take_any(
    backend: Backend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, out, private = tmp_path / "images", tmp_path / "out", tmp_path / "private"
    folder.mkdir()
    out.mkdir()
    Image.fromarray((radiograph(1) // 16).astype("uint8")).save(folder / "a.png")
    (folder / "t.csv").write_text("file,patient,report\na.png,7,clear\nmissing.png,8,none\n")
    project = backend.new_project([], TWO_KEYS)
    with pytest.raises(UploadsUnsupported, match="--out"):
        imported(backend, project, folder, private)
    served = {"out": out, "url": "http://images.example/set/", "fields": ("report",)}

    def full(*arguments: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(Path, "write_bytes", full)
        with pytest.raises(NoRoom, match=f"to {out} .* 0 tasks are in the project"):
            imported(backend, project, folder / "t.csv", private, **served)
    outcome = imported(backend, project, folder / "t.csv", private, **served)
    assert [name for name, _ in outcome.imported.unreadable] == ["missing.png"]
    [task] = tasks(backend, project)
    assert task["image"] == f"http://images.example/set/{task['image_id']}.png"
    assert task["report"] == "clear"
    assert [path.name for path in out.iterdir()] == [f"{task['image_id']}.png"]
    with pytest.raises(NoImageInLabelConfig):
        imported(backend, backend.new_project([], TEXT_ONLY), folder, private)
