"""What the queue says of its tasks, written into their task data where the setting allows it, and taken out again."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from image_server import ImageServer
from running import Backend, Eventually

from seedqueue.backend import field_jobs, settings, tabs
from seedqueue.backend.demo.label_studio import LabelStudioServer
from seedqueue.backend.demo.project import create_project
from seedqueue.backend.records import QueuedTask
from seedqueue.backend.task_fields import CLUSTER, NAMES, NEAREST, RANK, STANDS_FOR

pytestmark = pytest.mark.slow

ODD = {"zeta": 'ü "quoted"', "alpha": {"b": [1, 2.5, None]}, "1e3": 1e-7, "rank": 7, "empty": ""}


@pytest.fixture(scope="module")
def writing(make_backend: Callable[..., Backend]) -> Backend:
    return make_backend(task_fields="write")


class Stored:
    """Task data of a project as the database holds it, to the byte."""

    def __init__(self, server: LabelStudioServer, project: int) -> None:
        [self._file] = server.data_dir.rglob("*.sqlite3")
        self._project = project

    def texts(self) -> dict[int, str]:
        with sqlite3.connect(f"file:{self._file}?mode=ro", uri=True) as opened:
            found = opened.execute("SELECT id, data FROM task WHERE project_id = ?", (self._project,)).fetchall()
        opened.close()
        return dict(found)

    def fields(self) -> dict[int, dict[str, Any]]:
        """Ours, of the tasks that have any."""
        told = {task: json.loads(text) for task, text in self.texts().items()}
        ours = {task: {name: data[name] for name in NAMES if name in data} for task, data in told.items()}
        return {task: fields for task, fields in ours.items() if fields}


def ranks(queue: list[QueuedTask]) -> dict[int, int]:
    return {one.task: one.rank for one in queue}


def project_of(backend: Backend, images: ImageServer, count: int = 24) -> int:
    project = backend.new_project([])
    tasks = [{"image": url, **ODD} for url in images.urls()[:count]]
    backend.context.studio.call("POST", f"/api/projects/{project}/import", json=tasks)
    backend.attach(project)
    return project


def columns(backend: Backend, project: int) -> list[str]:
    found = backend.context.studio.call("GET", "/api/dm/columns", params={"project": project})["columns"]
    return [column["id"] for column in found]


def test_the_queues_tasks_say_it_until_undo(
    writing: Backend, images: ImageServer, label_studio: LabelStudioServer, eventually: Eventually
) -> None:
    project = project_of(writing, images)
    stored, studio = Stored(label_studio, project), writing.context.studio
    before, columns_before = stored.texts(), columns(writing, project)
    queue = writing.seed(project, budget=5)

    def written(expected: list[QueuedTask]) -> Callable[[], bool]:
        return lambda: {task: fields[RANK] for task, fields in stored.fields().items()} == ranks(expected)

    eventually(written(queue), 60, "the ranks in task data")
    for one in queue:
        fields = stored.fields()[one.task]
        assert (fields[CLUSTER], fields[STANDS_FOR]) == (one.cluster, one.weight)
        assert NEAREST not in fields  # nobody has labelled anything
    assert set(columns(writing, project)) == {*columns_before, RANK, CLUSTER, STANDS_FOR}
    [tab] = [
        view
        for view in studio.call("GET", "/api/dm/views", params={"project": project})
        if view["data"]["title"] == tabs.TITLE
    ]
    hidden = tab["data"]["hiddenColumns"]
    assert not {f"tasks:data.{name}" for name in NAMES} & set(hidden["explore"])
    assert "tasks:data.zeta" in hidden["labeling"]  # as Label Studio's own Default tab
    longer = writing.post(f"/api/projects/{project}/extend", {"budget": 8})
    assert longer.status_code == 202
    eventually(lambda: len(writing.get(f"/api/projects/{project}/queue").json()["queue"]) == 8, 60, "eight tasks")
    eventually(written(writing.context.records.queue(project, 2)), 60, "the longer queue's ranks")
    other = writing.seed(project, budget=3, selector="uniform", random_seed=3)
    assert {one.task for one in other} != {one.task for one in queue}
    eventually(written(other), 60, "the next queue's ranks, and no other ones")
    assert writing.delete(f"/api/projects/{project}/queue").status_code == 200
    eventually(lambda: not stored.fields(), 60, "task data without our fields")
    assert stored.texts() == before
    eventually(lambda: sorted(columns(writing, project)) == sorted(columns_before), 30, "the columns of before")
    summary = studio.call("GET", f"/api/projects/{project}/summary/")
    assert set(summary["all_data_columns"].values()) == {24}


def test_the_nearest_labelled_task_appears(
    writing: Backend, images: ImageServer, label_studio: LabelStudioServer, eventually: Eventually
) -> None:
    project = project_of(writing, images, 12)
    studio, stored = writing.context.studio, Stored(label_studio, project)
    labelled = min(stored.texts())
    choice = {"from_name": "finding", "to_name": "image", "type": "choices", "value": {"choices": ["finding"]}}
    studio.call("POST", f"/api/tasks/{labelled}/annotations/", json={"result": [choice]})
    queue = writing.seed(project, budget=3)
    told = {one.task for one in queue}

    def near() -> set[int | None]:
        return {stored.fields().get(task, {}).get(NEAREST) for task in told}

    eventually(lambda: near() == {labelled}, 90, f"the nearest labelled task ({near()})")


def test_a_synced_storage_keeps_its_nameless_value(
    writing: Backend, phantoms: list[Path], label_studio: LabelStudioServer, eventually: Eventually
) -> None:
    """Label Studio stores a synced file under a name that its API never tells."""
    studio, folder = writing.context.studio, label_studio.document_root / "fields"
    folder.mkdir()
    for picture in phantoms[:6]:
        (folder / picture.name).write_bytes(picture.read_bytes())
    project = create_project(studio, "synced")
    storage = {"project": project, "path": str(folder), "use_blob_urls": True}
    made = studio.call("POST", "/api/storages/localfiles", json=storage)
    stored = Stored(label_studio, project)

    def sync() -> bool:  # sqlite may be locked by a neighbour's write, which fails a sync
        studio.call("POST", f"/api/storages/localfiles/{made['id']}/sync", json={})
        return len(stored.texts()) == 6

    eventually(sync, 30, "the storage's tasks")
    before = stored.texts()
    assert all("$undefined$" in text for text in before.values())
    queue = writing.seed(project, budget=3)
    eventually(lambda: len(stored.fields()) == 3, 60, "the ranks in task data")
    for one in queue:
        data = json.loads(stored.texts()[one.task])
        assert {name: value for name, value in data.items() if name not in NAMES} == json.loads(before[one.task])
    assert writing.delete(f"/api/projects/{project}/queue").status_code == 200
    eventually(lambda: not stored.fields(), 60, "task data without our fields")
    assert stored.texts() == before


def test_without_the_setting_no_task_changes(
    backend: Backend,
    images: ImageServer,
    label_studio: LabelStudioServer,
    eventually: Eventually,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(settings, "load", lambda: backend.context.settings)
    project, studio = project_of(backend, images, 8), backend.context.studio
    stored = Stored(label_studio, project)
    a_users_own = min(stored.texts())  # such as one from another project's export
    studio.call("PATCH", f"/api/tasks/{a_users_own}/", json={"data": {"image": images.urls()[0], RANK: 9}})
    before = stored.texts()
    backend.seed(project, budget=3)

    def titles() -> list[str]:
        return [view["data"]["title"] for view in studio.call("GET", "/api/dm/views", params={"project": project})]

    eventually(lambda: tabs.TITLE in titles(), 30, "the tab")
    field_jobs.renew(project)
    assert stored.texts() == before
    assert backend.delete(f"/api/projects/{project}/queue").status_code == 200
    field_jobs.renew(project)
    assert stored.texts() == before


def test_turned_off_again_what_was_written_goes(
    writing: Backend,
    images: ImageServer,
    label_studio: LabelStudioServer,
    eventually: Eventually,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    project = project_of(writing, images, 8)
    stored = Stored(label_studio, project)
    before = stored.texts()
    writing.seed(project, budget=3)
    eventually(lambda: len(stored.fields()) == 3, 60, "the ranks in task data")
    off = replace(writing.context.settings, task_fields="off")
    monkeypatch.setattr(settings, "load", lambda: off)
    field_jobs.renew(project)  # as a worker that was started without the setting does
    assert stored.texts() == before
    rows = [body for _, _, body in writing.context.records.bodies("fields", project)]
    assert rows == [{"stand": True}, {"stand": False}]
