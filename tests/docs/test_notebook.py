"""docs/notebook.ipynb runs as it stands, on a fresh kernel of this interpreter, and says what the functions give."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient

from seedqueue.backend.demo.phantoms import write_phantoms
from seedqueue.backend.folder_queue import select_folder, write_queue_csv
from seedqueue.backend.records import Choices
from seedqueue.backend.settings import variables
from seedqueue.models import registry as embedders
from seedqueue.selectors import choosing

pytestmark = pytest.mark.slow

NOTEBOOK = Path(__file__).resolve().parents[2] / "docs" / "notebook.ipynb"
NO_FOLDERS: list[str] = []  # of kernels: what is left is ipykernel's own description, of this interpreter


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the notebook is copied to and its temporary files lie."""
    return tmp_path_factory.mktemp("notebook")


@pytest.fixture(scope="module")
def executed(scratch: Path) -> dict[str, Any]:
    """Its cells by id after a run in a folder of its own, with no settings, profile or history from outside."""
    notebook = nbformat.read(shutil.copy(NOTEBOOK, scratch), as_version=4)
    ours = {variable for variable, _, _ in variables()}
    folders = {name: str(scratch / name) for name in ("TMPDIR", "IPYTHONDIR", "JUPYTER_CONFIG_DIR", "HOME")}
    for folder in folders.values():
        Path(folder).mkdir()
    environment = {name: value for name, value in os.environ.items() if name not in ours}
    manager = AsyncKernelManager(kernel_spec_manager=KernelSpecManager(kernel_dirs=NO_FOLDERS))
    client = NotebookClient(notebook, km=manager, timeout=300, resources={"metadata": {"path": str(scratch)}})
    client.execute(cleanup_kc=True, env={**environment, **folders, "PYTHONWARNINGS": "default"})
    return {cell.id: cell for cell in notebook.cells}


def printed(cell: Any) -> str:
    return "".join(output.text for output in cell.outputs if output.output_type == "stream")


def test_nothing_of_a_run_is_committed() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    assert [cell for cell in notebook.cells if cell.get("outputs") or cell.get("execution_count")] == []


def test_the_kernel_is_this_interpreter() -> None:
    found = KernelSpecManager(kernel_dirs=NO_FOLDERS).get_kernel_spec("python3")
    assert found.argv[0] == sys.executable


def test_every_cell_ran_without_a_warning(executed: dict[str, Any]) -> None:
    ran = [cell for cell in executed.values() if cell.cell_type == "code"]
    assert [cell.execution_count for cell in ran] == list(range(1, len(ran) + 1))
    assert [output for cell in ran for output in cell.outputs if output.get("name") == "stderr"] == []


def test_the_queue_is_the_one_of_the_command_line(executed: dict[str, Any], tmp_path: Path) -> None:
    folder, out = tmp_path / "images", tmp_path / "queue.csv"
    write_phantoms(folder, 120)
    model = embedders.create("hog", tmp_path)
    choices = Choices(10, "hog", "kmeans", 0, near_duplicate=0.9)
    chosen = select_folder(folder, choices, model, max_pixels=10**6, progress=lambda done, total: None)
    write_queue_csv(chosen, out)
    assert printed(executed["writing"]) == out.read_text() + "\n"
    assert printed(executed["embedding"]).endswith("120 120\n(120, 1764) unreadable: ()\n")


def test_both_maps_show_every_image_and_number_the_chosen(executed: dict[str, Any]) -> None:
    for cell, groups in (("map", 1), ("labels", 6)):
        (output,) = executed[cell].outputs
        *points, chosen = output["data"]["application/vnd.plotly.v1+json"]["data"]
        assert len(points) == groups
        assert sum(len(trace["hovertext"]) for trace in points) == 120
        assert chosen["text"] == [str(rank) for rank in range(1, 11)]


def test_vectors_of_ones_own_give_the_selectors_rows(executed: dict[str, Any]) -> None:
    vectors = np.random.default_rng(0).normal(size=(200, 64)).astype(np.float32)
    rows = choosing.select("facility-location", vectors, 10).rows
    assert printed(executed["own-vectors"]).splitlines() == [f"case {row}" for row in rows]
    (output,) = executed["rows"].outputs
    assert output["data"]["text/plain"] == repr(rows)


def test_it_tidies_up(executed: dict[str, Any], scratch: Path) -> None:
    assert executed
    assert list((scratch / "TMPDIR").iterdir()) == []
