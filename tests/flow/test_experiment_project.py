"""A project annotated on a real Label Studio becomes a labelled folder: classes, masks, patients, what is left out."""

from __future__ import annotations

import csv
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from annotating import name_of, submit
from image_server import ImageServer
from numpy.typing import NDArray
from truth import Result, brush

from seedqueue.backend import audit
from seedqueue.backend.context import Context
from seedqueue.backend.demo.label_studio import LabelStudioServer
from seedqueue.backend.demo.phantoms import SIDE
from seedqueue.backend.demo.project import create_project
from seedqueue.backend.errors import InvalidRequest, NothingAnnotated
from seedqueue.backend.experiment_project import export_project, labelled_project
from seedqueue.backend.label_studio import Studio
from seedqueue.backend.settings import Settings, child_environment, environment_of
from seedqueue.experiments.datasets.tables import LabelledImage, read_labels

pytestmark = pytest.mark.slow

CONFIG = """
<View>
  <Image name="image" value="$image"/>
  <Choices name="kind" toName="image"><Choice value="frontal"/><Choice value="other"/></Choices>
  <BrushLabels name="mask" toName="image"><Label value="lung"/><Label value="heart"/></BrushLabels>
</View>
""".strip()


@pytest.fixture(scope="module")
def context(label_studio: LabelStudioServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Context]:
    settings = Settings(
        label_studio_url=label_studio.url,
        label_studio_api_key=label_studio.token,
        home=tmp_path_factory.mktemp("home"),
        image_hosts="127.0.0.1",
    )
    with Context(settings) as opened:
        yield opened


@dataclass(frozen=True)
class Annotated:
    """tasks: by the name of their image, in order; the last two have no annotation that counts."""

    project: int
    tasks: dict[str, int]

    @property
    def names(self) -> list[str]:
        return list(self.tasks)


def band(number: int) -> NDArray[np.bool_]:
    """What is marked on an image: other rows on each."""
    found = np.zeros((SIDE, SIDE), dtype=bool)
    found[10 * number : 10 * number + 10, 50:400] = True
    return found


def said(number: int) -> Result:
    kind = "frontal" if number % 2 else "other"
    chosen = {"from_name": "kind", "to_name": "image", "type": "choices", "value": {"choices": [kind]}}
    return [chosen, *brush(band(number))] if number else [chosen, *brush(band(0)), *brush(band(9), "heart")]


@pytest.fixture
def annotated(context: Context, images: ImageServer) -> Annotated:
    """8 phantoms of 4 patients: one frozen for the audit, one a ground truth, one skipped, one not annotated."""
    studio = context.studio
    project = create_project(studio, "experiment", CONFIG)
    urls = images.urls()[:8]
    body = [{"image": url, "patient": f"p{number // 2}"} for number, url in enumerate(urls)]
    studio.call("POST", f"/api/projects/{project}/import", json=body)
    listed = studio.call("GET", "/api/tasks", params={"project": project, "page_size": 100, "fields": "task_only"})
    tasks = dict(sorted((name_of(task), int(task["id"])) for task in listed["tasks"]))
    for number, task in enumerate(list(tasks.values())[:6]):
        submit(studio, task, said(number), ground_truth=number == 5)
    submit(studio, list(tasks.values())[6], said(6), was_cancelled=True)
    audit.freeze(context.records, project, 1, [audit.as_queued(list(tasks.values())[4], urls[4])])
    return Annotated(project, tasks)


def exported(context: Context, one: Annotated, folder: Path, mask_class: str | None = None) -> dict[int, LabelledImage]:
    table = export_project(context, one.project, folder, "patient", mask_class=mask_class)
    found = read_labels(table).images
    return {int(Path(image.file).name.split("-")[0]): image for image in found}


def test_all_that_is_annotated_is_exported(
    context: Context, annotated: Annotated, images: ImageServer, tmp_path: Path
) -> None:
    found = exported(context, annotated, tmp_path)
    assert sorted(found) == sorted(annotated.tasks[name] for name in annotated.names[:6])
    for number, name in enumerate(annotated.names[:6]):
        image = found[annotated.tasks[name]]
        assert (image.labels, image.group) == (("frontal" if number % 2 else "other",), f"p{number // 2}")
        assert (tmp_path / image.file).read_bytes() == images.files[name]
        assert image.mask is not None
        assert (image.mask.read((SIDE, SIDE)) == (band(number) | (band(9) if number == 0 else False))).all()


def test_an_export_goes_on_where_it_was(
    context: Context, annotated: Annotated, images: ImageServer, tmp_path: Path
) -> None:
    name = annotated.names[2]
    images.faults[name] = (404, b"")
    assert annotated.tasks[name] not in exported(context, annotated, tmp_path)
    assert name in (tmp_path / "left-out.csv").read_text()
    images.faults.clear()
    before = images.hits.copy()
    studio = context.studio
    [old] = studio.call("GET", f"/api/tasks/{annotated.tasks[annotated.names[1]]}/")["annotations"]
    studio.call("PATCH", f"/api/annotations/{old['id']}/", json={"result": said(4)})
    found = exported(context, annotated, tmp_path)
    assert images.hits - before == {name: 1}
    changed = found[annotated.tasks[annotated.names[1]]]
    assert changed.labels == ("other",)
    assert changed.mask is not None
    assert (changed.mask.read(None) == band(4)).all()


def test_one_class_of_masks(context: Context, annotated: Annotated, tmp_path: Path) -> None:
    found = exported(context, annotated, tmp_path, "heart")
    first = found[annotated.tasks[annotated.names[0]]].mask
    second = found[annotated.tasks[annotated.names[1]]].mask
    assert first is not None
    assert second is not None
    assert (first.read(None) == band(9)).all()
    assert not second.read(None).any()
    with pytest.raises(InvalidRequest, match="no mask class 'liver'; it has: lung, heart"):
        export_project(context, annotated.project, tmp_path, mask_class="liver")


def test_a_project_without_annotations(context: Context) -> None:
    project = create_project(context.studio, "nothing", CONFIG)
    with pytest.raises(NothingAnnotated, match=f"Project {project} has no annotation"):
        labelled_project(context, project)


def imported(studio: Studio, labelled: Sequence[tuple[str, Result]]) -> int:
    """A project whose annotations were imported with its tasks.

    Label Studio repeats an import that met a locked database, and has lost the annotations by then.
    """
    body = [{"data": {"image": url}, "annotations": [{"result": result}]} for url, result in labelled]
    for _ in range(5):
        project = create_project(studio, "labelled", CONFIG)
        answer = studio.call("POST", f"/api/projects/{project}/import", json=body)
        if answer["annotation_count"] == len(body):
            return project
    raise AssertionError(f"of {len(body)} annotations {answer['annotation_count']} were imported")


def test_the_command_on_an_annotated_project(context: Context, images: ImageServer, tmp_path: Path) -> None:
    studio, s = context.studio, context.settings
    project = imported(studio, [(url, said(number % 10)[:1]) for number, url in enumerate(images.urls())])
    options = "--embedders hog --positive frontal --selectors uniform,kmeans --budgets 4,8 --repeats 2 --draws 2"
    command = f"experiment --project {project} {options} --near-duplicate 0 --workers 1 --out report"
    ended = subprocess.run(
        [sys.executable, "-m", "seedqueue.backend.cli", *command.split()],
        env=child_environment(**environment_of(s)),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert ended.returncode == 0, ended.stderr
    assert f"project {project}: 40 images in 40 groups" in ended.stderr
    assert "no clear difference" in ended.stdout
    with (tmp_path / "report/results.csv").open(newline="") as opened:
        rows = list(csv.DictReader(opened))
    assert {(row["selector"], row["budget"], row["repeat"]) for row in rows if row["metric"] == "auprc"} == {
        (selector, budget, repeat) for selector in ("uniform", "kmeans") for budget in "48" for repeat in "01"
    }
