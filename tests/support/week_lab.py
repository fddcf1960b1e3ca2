"""The lab of the week: servers, a project, annotators, and what is known of every task."""

from __future__ import annotations

import csv
import hashlib
import os
from collections.abc import Collection, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from running import Backend
from waiting import eventually
from week_archive import first_month, later_month, secrets_of, ultrasound
from week_readers import CONFIG, Known, Reader, file_of
from week_report import Report

from seedqueue.backend import audit, connection, locked, pool
from seedqueue.backend.children import Children, free_port
from seedqueue.backend.context import Context
from seedqueue.backend.demo import backend as backends
from seedqueue.backend.demo.annotator import Annotator
from seedqueue.backend.demo.label_studio import LabelStudioServer, sign_up
from seedqueue.backend.demo.project import create_project
from seedqueue.backend.gathering import annotated_tasks
from seedqueue.backend.milestones import Overlap
from seedqueue.backend.settings import Settings, child_environment, environment_of

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("SEEDQUEUE_TEST_DATA") or ROOT.parent / "shared").resolve()
LABEL_STUDIO = Path(os.environ.get("SEEDQUEUE_LABEL_STUDIO") or ROOT / ".venv-label-studio/bin/label-studio")
LONGEST = 1200.0
NAMES = ("ada@lab.example", "ben@lab.example", "cem@lab.example")
WRONG, SHIFT = (0.03, 0.03, 0.30), (1, 2, 25)
CARELESS = 2
MONTH, TEST, REPEATS, LATER, FOREIGN = 560, 60, 5, 180, 40


class Lab:
    """What there is during the week."""

    def __init__(self, opened: ExitStack, children: Children, place: Path) -> None:
        self.place = place
        print("starting Label Studio ...", flush=True)
        server = LabelStudioServer(children, LABEL_STUDIO, place / "label-studio")
        server.start()
        port = free_port()
        settings = Settings(
            label_studio_url=server.url,
            label_studio_api_key=server.token,
            backend_url=f"http://127.0.0.1:{port}",
            home=place / "home",
            weights=DATA / "weights",
            embedder="imagenet:squeezenet1_1",
            heads="linear",
        )
        served = backends.start(children, settings, port, 2, place / "serve.log")
        self.context = opened.enter_context(Context(settings))
        self.backend = Backend(self.context, children, place / "serve.log", eventually, served.pid)
        self.report = Report(child_environment(**environment_of(settings)), place)
        self.project = create_project(self.context.studio, "breast ultrasound", CONFIG)
        self.before = self.standing()
        images = ultrasound(DATA)
        self.first = first_month(place / "month-1", images[:MONTH], TEST, REPEATS)
        chest = sorted((DATA / "data/cxr-lungs/images").iterdir())[:FOREIGN]
        self.later = later_month(place / "month-2", images[MONTH : MONTH + LATER], chest)
        self.readers = [
            Reader(Annotator(server.url, sign_up(server, name, "a long password"), self.project), self.known, *errs)
            for name, *errs in zip(NAMES, WRONG, SHIFT, range(len(NAMES)), strict=True)
        ]

    def tasks(self, project: int) -> dict[int, dict[str, Any]]:
        """{task: {"id": ..., "data": ...}}"""
        found = pool.task_data(self.context.studio, project, [])
        return {task: {"id": task, "data": content} for task, content in found.items()}

    def pseudonyms(self) -> dict[str, str]:
        """{pseudonym of an image: its file}, from the map that the lab keeps."""
        with (self.place / "home-private/uid-map.csv").open(newline="") as opened:
            return {row["image_id"]: row["file"] for row in csv.DictReader(opened)}

    def known(self, task: Mapping[str, Any]) -> Known | None:
        """What is true of a task's image, None where it is no breast ultrasound."""
        name = file_of(task, self.pseudonyms())
        return self.first.known.get(name) or self.later.known.get(name)

    def true(self, task: Mapping[str, Any]) -> Known:
        known = self.known(task)
        assert known is not None, f"{task} is no breast ultrasound"
        return known

    def queue(self) -> list[int]:
        run = self.context.records.published_run(self.project)
        return [one.task for one in self.context.records.queue(self.project, run.number)] if run else []

    def shared(self) -> set[int]:
        """The tasks that are read in common."""
        last = Overlap.last(self.context.records, self.project)
        return set(last.tasks) if last else set()

    def audit(self) -> set[int]:
        return {one.task for one in audit.frozen(self.context.records, self.project)}

    def locked(self) -> frozenset[int]:
        return locked.locked(self.context.records, self.project)

    def standing(self) -> dict[str, Any]:
        """What attaching and queues change in a project."""
        studio, described = self.context.studio, self.backend.described(self.project)
        return {
            **{name: described[name] for name in ("sampling", "model_version", "maximum_annotations")},
            "connections": connection.connections(studio, self.project),
            "webhooks": studio.call("GET", "/api/webhooks/", params={"project": self.project}),
            "tabs": [view["data"].get("title") for view in pool.views(studio, self.project)],
            "versions": studio.call("GET", f"/api/projects/{self.project}/model-versions", params={"extended": "true"}),
        }

    def learnt(self, labels: int) -> None:
        """Wait for a version that has learnt from so many images."""

        def there() -> bool:
            made = self.context.versions.all(self.project)
            return bool(made) and made[-1].labels >= labels

        eventually(there, LONGEST, f"a version that learnt from {labels} images")

    def labels(self) -> int:
        made = self.context.versions.all(self.project)
        return made[-1].labels if made else 0

    def ground_truth(self) -> None:
        """The team's own labels of its test set."""
        tasks = self.tasks(self.project)
        for task in sorted(self.locked()):
            body = {"result": self.true(tasks[task]).result(), "ground_truth": True}
            self.context.studio.call("POST", f"/api/tasks/{task}/annotations/", json=body)

    def adjudicated(self, tasks: Collection[int]) -> int:
        """Wrong annotations of these tasks corrected; how many."""
        changed = 0
        for task in annotated_tasks(self.context.studio, self.project):
            for annotation in task["annotations"] if task["id"] in tasks else ():
                known = self.true(task)
                said = [item["value"]["choices"][0] for item in annotation["result"] if item["type"] == "choices"]
                if said != [known.kind]:
                    body = {"result": known.result()}
                    self.context.studio.call("PATCH", f"/api/annotations/{annotation['id']}/", json=body)
                    changed += 1
        return changed

    def leaks(self, project: int) -> list[str]:
        """What of the archive's names, dates and ids stands in task data or in the bytes of the images."""
        told = secrets_of(self.place / "pacs")
        studio, found = self.context.studio, list[str]()
        for task in self.tasks(project).values():
            answer = studio.http.get(f"{studio.url}{task['data']['image']}", headers=studio.headers())
            answer.raise_for_status()
            text = f"{task['data']}".encode() + answer.content
            found += [secret for secret in told if secret.encode() in text]
        return sorted(set(found))


def digest(folder: Path) -> str:
    """SHA-256 over the names and bytes of all files of a folder."""
    found = hashlib.sha256()
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            found.update(file.relative_to(folder).as_posix().encode() + b"\0" + file.read_bytes())
    return found.hexdigest()
