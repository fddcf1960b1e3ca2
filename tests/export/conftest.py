"""Exports of handmade tasks, written as those of a project are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from annotated import SINGLE, Json

from seedqueue.backend.annotations import examples_from
from seedqueue.backend.export.building import Read, build
from seedqueue.backend.export.choices import ExportChoices
from seedqueue.backend.export.folder import replaced
from seedqueue.backend.export.leaving import left_out
from seedqueue.backend.export.pixels import Seen
from seedqueue.backend.export.reading import Listing
from seedqueue.backend.export.reasons import Reasons
from seedqueue.backend.label_config import Labelling
from seedqueue.backend.pool import PoolTask

OWNER = {"label_studio": "http://ls", "project": 1}
Make = Callable[..., Path]


def listed(task: Json) -> PoolTask:
    said = [one for one in task["annotations"] if not one["was_cancelled"]]
    fields = {name: str(value) for name, value in task["data"].items()}
    return PoolTask(task["id"], task["data"]["image"], bool(said), len(said) < len(task["annotations"]), fields)


def read_of(tasks: list[Json], labelling: Labelling, choices: ExportChoices, **more: Any) -> Read:
    pool = tuple(listed(task) for task in tasks)
    annotated = {task["id"]: task for task, one in zip(tasks, pool, strict=True) if one.labelled}
    listing = Listing("handmade", "<View/>", labelling, pool, annotated)
    found = examples_from(annotated.values(), labelling, choices.group_field)
    nothing: dict[str, Any] = {
        "reasons": Reasons(frozenset(), frozenset(), ()),
        "refreshed": (),
        "kept": {},
        "known": {},
    }
    return Read(listing, found.examples, left_out(listing, found, found.examples), **{**nothing, **more})


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """`make(*tasks)`: the folder of their export. files: bytes to put into it first, by name."""

    def write(
        *tasks: Json,
        labelling: Labelling = SINGLE,
        name: str = "out",
        choices: ExportChoices | None = None,
        seen: Mapping[int, Seen] | None = None,
        gone: tuple[int, ...] = (),
        files: Mapping[str, bytes] | None = None,
        **more: Any,
    ) -> Path:
        asked = choices or ExportChoices()
        with replaced(tmp_path / name, OWNER) as part:
            for file, content in (files or {}).items():
                (part / file).parent.mkdir(exist_ok=True)
                (part / file).write_bytes(content)
            build(part, read_of(list(tasks), labelling, asked, **more), seen or {}, gone, OWNER, asked)
        return tmp_path / name

    return write
