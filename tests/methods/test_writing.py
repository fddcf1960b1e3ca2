"""The files: what is written where, the same bytes every time, and what is said where nothing can be written."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from seedqueue.backend import cli
from seedqueue.backend.context import Context
from seedqueue.backend.errors import FolderUnusable
from seedqueue.backend.methods.writing import NothingRecorded, write_methods
from seedqueue.backend.records import Choices, Run

NAMES = ["methods.md", "flow.svg", "model-card.md", "references.md", "references.bib"]


def test_the_files_and_no_others(planted: Context, tmp_path: Path) -> None:
    out = tmp_path / "new" / "paper"
    out.mkdir(parents=True)
    (out / "mine.txt").write_text("stays")
    (out / "methods.md").write_text("goes")
    assert write_methods(planted, 7, out) == [out / name for name in NAMES]
    assert sorted(os.listdir(out)) == sorted([*NAMES, "mine.txt"])
    assert (out / "mine.txt").read_text() == "stays"
    assert (out / "methods.md").read_text().startswith("# Methods\n")


def test_the_same_records_give_the_same_bytes(planted: Context, tmp_path: Path) -> None:
    """From a home that is opened anew, too."""
    again = Context(planted.settings)
    for name, context in (("one", planted), ("two", again)):
        write_methods(context, 7, tmp_path / name, sources=True)
    for name in NAMES:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_neither_label_studio_nor_redis_is_asked(planted: Context, tmp_path: Path) -> None:
    write_methods(planted, 7, tmp_path)
    assert not {"studio", "broker"} & vars(planted).keys()


def test_a_project_without_a_record(context: Context, tmp_path: Path) -> None:
    with pytest.raises(NothingRecorded, match=r"no record of project 8 .*`seedqueue seed --project 8`"):
        write_methods(context, 8, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_another_projects_records_are_not_told(planted: Context, tmp_path: Path) -> None:
    with pytest.raises(NothingRecorded):
        write_methods(planted, 6, tmp_path)


def test_a_run_that_failed_is_told_as_nothing_yet(context: Context, tmp_path: Path) -> None:
    context.records.save_run(Run(7, 1, "failed", Choices(40, "hog", "kmeans", 0), error="no"))
    write_methods(context, 7, tmp_path)
    told = (tmp_path / "methods.md").read_text()
    assert "which images were selected for labelling" in told
    assert "No image is counted in the records." in told


def test_a_folder_that_cannot_be_written(planted: Context, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(FolderUnusable, match="Give another folder"):
        write_methods(planted, 7, file)
    with pytest.raises(FolderUnusable):
        write_methods(planted, 7, file / "below")
    (tmp_path / "full" / "flow.svg").mkdir(parents=True)
    with pytest.raises(FolderUnusable):
        write_methods(planted, 7, tmp_path / "full")


def test_the_command(planted: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEEDQUEUE_HOME", str(planted.settings.home))
    monkeypatch.setenv("SEEDQUEUE_WEIGHTS", str(planted.settings.weights))
    monkeypatch.setenv("LABEL_STUDIO_URL", planted.settings.label_studio_url)
    monkeypatch.setenv("REDIS_URL", planted.settings.redis_url)
    result = CliRunner().invoke(cli.app, ["methods", "--project", "7", "--out", str(tmp_path), "--sources"])
    assert result.exit_code == 0, result.output
    assert result.output.split() == [str(tmp_path / name) for name in NAMES]
    assert "## Sources" in (tmp_path / "methods.md").read_text()
