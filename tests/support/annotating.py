"""Annotators who are always right: they take the tasks that Label Studio serves and submit the truth."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from image_server import ImageServer
from truth import Result, Truth

from seedqueue.backend.demo.annotator import Annotator
from seedqueue.backend.label_studio import Studio

SECONDS = 7.5  # what Label Studio's own screen would have measured for each annotation


@dataclass(frozen=True)
class Answered:
    """A served task, the pre-annotations that it came with, and the annotation that answered it."""

    task: int
    predictions: tuple[Mapping[str, Any], ...]
    annotation: int

    @property
    def versions(self) -> list[str]:
        """Whose pre-annotations were shown."""
        return [str(one["model_version"]) for one in self.predictions]

    @property
    def shown(self) -> list[Result]:
        """The pre-annotations that were shown."""
        return [one["result"] for one in self.predictions]


class Expert:
    """An annotator who knows the truth."""

    def __init__(self, annotator: Annotator, truth: Truth) -> None:
        self.annotator, self.truth = annotator, truth

    def work(self, count: int) -> list[Answered]:
        """Take and answer up to `count` tasks, in the order in which they are served."""
        answered: list[Answered] = []
        while len(answered) < count and (task := self.annotator.next_task()) is not None:
            number = submit(self.annotator.studio, task["id"], self.truth.result(name_of(task)))
            answered.append(Answered(task["id"], tuple(task["predictions"]), number))
        return answered

    def answer(self, tasks: Iterable[int], **more: Any) -> dict[int, int]:
        """Answer these tasks whatever is served, several at a time; the annotation of each."""
        studio = self.annotator.studio

        def one(task: int) -> tuple[int, int]:
            found = studio.call("GET", f"/api/tasks/{task}/")
            return task, submit(studio, task, self.truth.result(name_of(found)), **more)

        with ThreadPoolExecutor(4) as threads:
            return dict(threads.map(one, tasks))


def submit(studio: Studio, task: int, result: Result, **more: Any) -> int:
    """Annotate a task; the annotation's number. more: further fields, such as `ground_truth`."""
    body = {"result": result, "lead_time": SECONDS, **more}
    return int(studio.call("POST", f"/api/tasks/{task}/annotations/", json=body)["id"])


def name_of(task: Mapping[str, Any]) -> str:
    """The name of a task's image file."""
    return Path(urlsplit(task["data"]["image"]).path).name


def served(truth: Truth) -> ImageServer:
    """The truth's images over HTTP."""
    return ImageServer({name: file.read_bytes() for name, file in truth.images.items()})
