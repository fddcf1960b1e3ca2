"""Real ultrasound through a real network, and the same choice with and without Label Studio."""

from __future__ import annotations

import csv
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from image_server import ImageServer
from running import Backend

from seedqueue.backend.demo.annotator import Annotator
from seedqueue.backend.demo.project import upload
from seedqueue.backend.file_names import file_name
from seedqueue.backend.settings import child_environment


@pytest.mark.slow
def test_ultrasound_uploads_are_queued_with_imagenet_weights(
    make_backend: Callable[..., Backend], test_data: Path, annotators: Callable[[int, int], list[Annotator]]
) -> None:
    backend = make_backend(weights=test_data / "weights", embedder="imagenet:squeezenet1_1")
    files = sorted((test_data / "data/busi/images").iterdir())[::8]
    project = backend.new_project([])
    upload(backend.context.studio, project, files, lambda done, total: None)
    backend.attach(project)
    queue = backend.seed(project, budget=10)
    [annotator] = annotators(project, 1)
    assert [one.task for one in annotator.work(10)] == [task.task for task in queue]
    assert {file_name(task.uri) for task in queue} <= {file.name for file in files}
    assert 10 <= sum(task.weight for task in queue) <= len(files)


@pytest.mark.slow
def test_label_studio_and_a_folder_give_the_same_queue(
    backend: Backend, project: int, images: ImageServer, phantoms: list[Path], tmp_path: Path
) -> None:
    queue = backend.seed(project, budget=8)
    out = tmp_path / "queue.csv"
    command = [sys.executable, "-m", "seedqueue.backend.cli", "select", "--images", str(phantoms[0].parent)]
    chosen = ["--budget", "8", "--embedder", "hog", "--selector", "kmeans", "--out", str(out)]
    subprocess.run([*command, *chosen], check=True, env=child_environment(), capture_output=True)
    with out.open(newline="") as opened:
        rows = list(csv.DictReader(opened))
    assert [row["file"] for row in rows] == [file_name(task.uri) for task in queue]
    assert [int(row["weight"]) for row in rows] == [task.weight for task in queue]
