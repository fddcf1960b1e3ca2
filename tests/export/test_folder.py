"""The folder: whole or not at all, never over what is not ours."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from annotated import annotation, choice, task

from seedqueue.backend.errors import FolderUnusable
from seedqueue.backend.export.errors import NoRoom, NotOurExport
from seedqueue.backend.export.folder import check, replaced

OWNER = {"label_studio": "http://ls", "project": 1}
ONE = task(1, annotation(1, choice("cat")))


def names(place: Path) -> list[str]:
    return sorted(one.relative_to(place).as_posix() for one in place.rglob("*"))


def write(out: Path, content: str = "new", owner: dict[str, object] = OWNER) -> None:
    with replaced(out, owner) as part:
        (part / "a.txt").write_text(content)
        manifest = {"made_by": "seedqueue", **owner, "files": {"a.txt": ""}}
        (part / "manifest.json").write_text(json.dumps(manifest))


@contextmanager
def full(number: int = errno.ENOSPC) -> Iterator[None]:
    yield
    raise OSError(number, os.strerror(number))


def test_a_new_an_empty_and_an_earlier_folder(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "out"
    write(out, "first")
    write(out, "second")
    assert (out / "a.txt").read_text() == "second"
    (tmp_path / "empty").mkdir()
    write(tmp_path / "empty")
    assert names(tmp_path / "empty") == ["a.txt", "manifest.json"]
    assert sorted(one.name for one in out.parent.iterdir()) == ["out"]


def test_what_is_not_ours_is_left_alone(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.txt").write_text("ten years of work")
    with pytest.raises(NotOurExport, match="no export of ours"):
        write(out)
    with pytest.raises(NotOurExport, match="no export of ours"):
        check(out, OWNER)
    assert names(tmp_path) == ["out", "out/thesis.txt"]
    (tmp_path / "file").write_text("")
    with pytest.raises(NotOurExport, match="it is a file"):
        write(tmp_path / "file")


@pytest.mark.parametrize("manifest", ["[]", "null", "{", '{"made_by": "seedqueue", "files": 7}', "{}"])
def test_a_manifest_of_something_else_is_not_ours(tmp_path: Path, manifest: str) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "manifest.json").write_text(manifest)
    with pytest.raises(NotOurExport, match="no export of ours"):
        write(tmp_path / "out")


def test_another_projects_export_and_a_file_that_was_added_are_left_alone(tmp_path: Path) -> None:
    out = tmp_path / "out"
    write(out, owner={**OWNER, "project": 2})
    with pytest.raises(NotOurExport, match="the export of project 2"):
        write(out)
    other = tmp_path / "other"
    write(other)
    (other / "notes.txt").write_text("mine")
    with pytest.raises(NotOurExport, match=r"also holds notes\.txt"):
        write(other)
    assert names(other) == ["a.txt", "manifest.json", "notes.txt"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_named_and_leaves_the_earlier_export(tmp_path: Path, number: int) -> None:
    out = tmp_path / "out"
    write(out, "first")
    with pytest.raises(NoRoom, match="no room for the export"), replaced(out, OWNER) as part, full(number):
        (part / "half.csv").write_text("half")
    assert names(tmp_path) == ["out", "out/a.txt", "out/manifest.json"]
    assert (out / "a.txt").read_text() == "first"


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FolderUnusable, match="File exists"):
        write(tmp_path / "file" / "out")
    with pytest.raises(FolderUnusable), replaced(tmp_path / "out", OWNER), full(errno.EIO):
        pass
    assert names(tmp_path) == ["file"]


def test_the_earlier_export_comes_back_where_the_new_one_cannot_take_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    write(out, "first")
    rename = Path.rename

    def fails(self: Path, target: Path) -> Path:
        if self.name.endswith(".part"):
            raise OSError(errno.EIO, "an error")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fails)
    with pytest.raises(FolderUnusable):
        write(out, "second")
    assert (out / "a.txt").read_text() == "first"
    assert names(tmp_path) == ["out", "out/a.txt", "out/manifest.json"]


def test_an_export_that_was_killed_between_its_last_steps_is_put_back(tmp_path: Path) -> None:
    out = tmp_path / "out"
    write(out, "first")
    out.rename(tmp_path / ".out.old")
    with pytest.raises(NoRoom), replaced(out, OWNER), full():
        pass
    assert (out / "a.txt").read_text() == "first"


def test_the_half_of_an_export_that_was_killed_is_in_nobodys_way(tmp_path: Path) -> None:
    """In a container every process may have the same number."""
    half = tmp_path / f".out.{os.getpid()}.part"
    half.mkdir()
    (half / "half.csv").write_text("half")
    write(tmp_path / "out")
    assert names(tmp_path) == ["out", "out/a.txt", "out/manifest.json"]


def test_what_is_put_there_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    out = tmp_path / "out"

    def meanwhile() -> None:
        with replaced(out, OWNER):
            out.mkdir()
            (out / "notes.txt").write_text("mine")

    with pytest.raises(NotOurExport):
        meanwhile()
    assert names(tmp_path) == ["out", "out/notes.txt"]
