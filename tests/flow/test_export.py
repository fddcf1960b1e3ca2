"""A project on a real Label Studio as a dataset: its labels with their reasons, the same bytes again."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from image_server import ImageServer
from running import Backend
from typer.testing import CliRunner

from seedqueue.backend import audit
from seedqueue.backend.cli import app
from seedqueue.backend.demo.annotator import Annotator
from seedqueue.backend.demo.project import LABEL_CONFIG
from seedqueue.backend.export import exporting
from seedqueue.backend.export.choices import ExportChoices
from seedqueue.backend.export.errors import NothingToExport, NotOurExport
from seedqueue.backend.export.exporting import export_project
from seedqueue.backend.milestones import Exported
from seedqueue.backend.pool import list_pool
from seedqueue.backend.settings import environment_of

Annotators = Callable[[int, int], list[Annotator]]
BOXES = '<RectangleLabels name="box" toName="image"><Label value="nodule"/></RectangleLabels></View>'
CONFIG = LABEL_CONFIG.replace("</View>", BOXES)
COUNT = 16


def choice(label: str) -> dict[str, Any]:
    return {"from_name": "finding", "to_name": "image", "type": "choices", "value": {"choices": [label]}}


def box(left: float) -> dict[str, Any]:
    value = {"x": left, "y": 25, "width": 50, "height": 50, "rotation": 0, "rectanglelabels": ["nodule"]}
    size = {"original_width": 100, "original_height": 100, "image_rotation": 0}
    return {"id": "r1", "from_name": "box", "to_name": "image", "type": "rectanglelabels", "value": value, **size}


def content(folder: Path) -> dict[str, bytes]:
    return {one.relative_to(folder).as_posix(): one.read_bytes() for one in folder.rglob("*") if one.is_file()}


def rows(folder: Path, name: str = "labels.csv") -> dict[int, dict[str, str]]:
    """By task, the last one of each."""
    with (folder / name).open(newline="", encoding="utf-8") as opened:
        return {int(one["task"]): one for one in csv.DictReader(opened)}


class Project:
    """A seeded project with an audit slice, two images a patient, one annotator."""

    def __init__(self, backend: Backend, images: ImageServer, annotators: Annotators) -> None:
        self.backend, self.context, self.studio, self.images = backend, backend.context, backend.context.studio, images
        self.number = backend.new_project([], CONFIG)
        body = [{"image": url, "patient": f"p{at // 2}", "view": "PA"} for at, url in enumerate(images.urls()[:COUNT])]
        self.studio.call("POST", f"/api/projects/{self.number}/import", json=body)
        self.queue = backend.seed(self.number, budget=6, audit=2)
        self.audit = {one.task for one in audit.frozen(self.context.records, self.number)}
        self.seeds = [one.task for one in self.queue if not one.audit]
        pool = list_pool(self.studio, self.number)
        self.others = [one.task for one in pool if one.task not in self.audit.union(self.seeds)]
        self.files = {one.task: one.uri.rpartition("/")[2] for one in pool}
        [self.annotator] = annotators(self.number, 1)

    def annotate(self, task: int, *result: dict[str, Any], **more: Any) -> None:
        body = {"result": list(result), **more}
        self.annotator.studio.call("POST", f"/api/tasks/{task}/annotations/", json=body)

    def predicted(self, task: int, version: str, *result: dict[str, Any]) -> int:
        body = {"task": task, "result": list(result), "score": 0.5, "model_version": version}
        return int(self.studio.call("POST", "/api/predictions/", json=body)["id"])

    def rank_of(self, task: int) -> int:
        """The queue's own prediction of a task."""
        [found] = self.studio.call("GET", "/api/predictions/", params={"task": task})
        return int(found["id"])

    def export(self, out: Path, **choices: Any) -> tuple[Exported, list[str]]:
        said: list[str] = []
        return export_project(self.context, self.number, out, ExportChoices(**choices), said.append), said


@dataclass(frozen=True)
class Made:
    """The first export; roles: tasks by what was done with them."""

    project: Project
    out: Path
    found: Exported
    said: list[str]
    roles: dict[str, int]


@pytest.fixture(scope="module")
def images(phantoms: list[Path]) -> Iterator[ImageServer]:
    with ImageServer({file.name: file.read_bytes() + b"export" for file in phantoms}) as server:
        yield server


@pytest.fixture(scope="module")
def project(backend: Backend, images: ImageServer, annotators: Annotators) -> Project:
    return Project(backend, images, annotators)


def annotated(project: Project) -> dict[str, int]:
    """Label the project in all the ways there are; what was done with which task."""
    names = ("plain", "changed", "lost", "skipped", "beside", "unread", "locked", "deleted")
    roles = dict(zip(names, [*project.seeds[:5], *project.others[:3]], strict=True))
    for task in project.audit:
        project.annotate(task, choice("finding"), box(0))
    project.annotate(roles["plain"], choice("finding"), box(0), parent_prediction=project.rank_of(roles["plain"]))
    begun = project.predicted(roles["changed"], "linear-3+unet-vgg11-4", choice("finding"), box(0))
    project.annotate(roles["changed"], choice("no finding"), box(25), parent_prediction=begun)
    # The queue's own prediction carried a head's word, and went with its queue.
    project.context.records.append("learning", project.number, 1, {"outcome": "refreshed", "message": ""})
    rank = project.rank_of(roles["lost"])
    project.studio.call("PATCH", f"/api/predictions/{rank}/", json={"result": [choice("finding")]})
    project.annotate(roles["lost"], choice("finding"), parent_prediction=rank)
    project.studio.call("DELETE", f"/api/predictions/{rank}/")
    project.annotate(roles["skipped"], was_cancelled=True)
    project.predicted(roles["beside"], "linear-3", choice("finding"))
    for name in ("beside", "unread", "locked", "deleted"):
        project.annotate(roles[name], choice("finding"))
    project.context.records.append("locked", project.number, 0, {"tasks": [roles["locked"]]})
    return roles


@pytest.fixture(scope="module")
def made(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """An export with images, one of which is none; a task is deleted between the listing and the end."""
    out = tmp_path_factory.mktemp("export") / "out"
    with pytest.raises(NothingToExport, match=f"None of the {COUNT} tasks"):
        project.export(out)
    roles = annotated(project)
    project.images.faults[project.files[roles["unread"]]] = (200, b"no image")
    fetching = exporting.write_images

    def meanwhile(*arguments: Any) -> Any:
        project.studio.call("DELETE", f"/api/tasks/{roles['deleted']}/", missing_ok=True)
        return fetching(*arguments)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(exporting, "write_images", meanwhile)
        found, said = project.export(out, images=True)
    return Made(project, out, found, said, roles)


def test_why_each_label_exists(made: Made) -> None:
    table, roles, project = rows(made.out), made.roles, made.project
    seeds = [roles[name] for name in ("plain", "changed", "lost", "beside")]
    expected = {**dict.fromkeys(project.audit, "audit"), **dict.fromkeys(seeds, "seed")}
    assert {task: row["because"] for task, row in table.items()} == {
        **expected,
        roles["unread"]: "other",
        roles["locked"]: "locked",
    }
    ranks = {one.task: str(one.rank) for one in project.queue}
    assert {task: table[task]["rank"] for task in seeds} == {task: ranks[task] for task in seeds}
    assert {table[task]["run"] for task in seeds} == {"1"}
    assert table[roles["locked"]]["locked"] == "1"


def test_what_each_annotation_was_begun_from(made: Made) -> None:
    table = rows(made.out)
    names = ("prefilled_by", "changed_label", "changed_mask")
    told = {role: [table[task][name] for name in names] for role, task in made.roles.items() if task in table}
    assert told == {
        "plain": ["no", "-", "-"],
        "changed": ["linear-3+unet-vgg11-4", "other", "0.5000"],
        "lost": ["unknown", "-", "-"],
        "beside": ["unknown", "-", "-"],
        "unread": ["no", "-", "-"],
        "locked": ["no", "-", "-"],
    }


def test_patients_stay_together_and_what_is_kept_apart_is_in_test(made: Made) -> None:
    table, of_patient = rows(made.out), dict[str, set[str]]()
    for row in table.values():
        assert row["group"] == row["patient"]
        of_patient.setdefault(row["patient"], set()).add(row["split"])
    assert all(len(splits) == 1 for splits in of_patient.values())
    assert {table[task]["split"] for task in (*made.project.audit, made.roles["locked"])} == {"test"}
    assert sum(images for _, images, _ in made.found.splits) == len(table)


def test_what_is_left_out(made: Made) -> None:
    left = {task: (row["what"], row["reason"]) for task, row in rows(made.out, "left-out.csv").items()}
    assert left[made.roles["skipped"]] == ("task", "it was skipped")
    assert left[made.roles["deleted"]] == ("task", "it was deleted meanwhile")
    what, reason = left[made.roles["unread"]]
    assert what == "masks"  # it is empty, and nothing else tells its size
    assert "size cannot be read" in reason
    assert [left[task] for task in made.project.others[3:]] == [("task", "nobody has annotated it")] * (
        len(made.project.others) - 3
    )
    row = rows(made.out)[made.roles["unread"]]
    assert (row["label"], row["image"], row["masks"]) == ("finding", "", "0")
    assert (made.roles["deleted"], "task: it was deleted meanwhile") in made.found.left_out


def test_the_manifest_and_the_milestone(made: Made) -> None:
    files, table = content(made.out), rows(made.out)
    assert made.found.manifest == hashlib.sha256(files.pop("manifest.json")).hexdigest()
    manifest = json.loads((made.out / "manifest.json").read_text())
    assert manifest["files"] == {name: hashlib.sha256(held).hexdigest() for name, held in files.items()}
    plain = table[made.roles["plain"]]
    assert (plain["label"], plain["view"], plain["masks"]) == ("finding|nodule", "PA", "1")
    assert plain["sha256"] == hashlib.sha256(files[plain["image"]]).hexdigest()
    assert f"masks/nodule/task-{made.roles['plain']}.png" in files
    assert f"images/task-{made.roles['deleted']}.png" not in files
    assert Exported.all(made.project.context.records, made.project.number)[0][1] == made.found
    assert made.found.images == len(table) == 8
    assert made.said[0] == f"8 labelled images of project {made.project.number} in {made.out}"


def test_the_same_bytes_again_and_by_the_command(made: Made, tmp_path: Path) -> None:
    project, out = made.project, tmp_path / "out"
    project.export(out, images=True)
    first = content(out)
    project.export(out, images=True)
    arguments = ["export", "--project", str(project.number), "--out", str(tmp_path / "other"), "--images"]
    ran = CliRunner().invoke(app, arguments, env=environment_of(project.context.settings))
    assert ran.exit_code == 0, ran.output
    assert f"8 labelled images of project {project.number}" in ran.output
    assert content(out) == content(tmp_path / "other") == first
    (out / "notes.txt").write_text("mine")
    with pytest.raises(NotOurExport, match=r"notes\.txt"):
        project.export(out)
    assert content(out).keys() == {*first, "notes.txt"}
