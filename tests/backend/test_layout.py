"""A home of another layout is migrated or refused, never guessed."""

from __future__ import annotations

from pathlib import Path

import lancedb
import pyarrow as pa
import pytest

from seedqueue.backend import layout
from seedqueue.backend.layout import HomeLayoutDiffers
from seedqueue.backend.records import Choices, Records, Run
from seedqueue.backend.tables import FOLDER, Home

RUN = Run(1, 1, "published", Choices(4, "hog", "kmeans", 0))


def told(place: Path) -> int:
    return int(lancedb.connect(place / FOLDER).open_table(layout.TABLE).to_arrow()["layout"].to_pylist()[-1])


def write(place: Path, number: int) -> None:
    row = {"layout": number, "seedqueue": "9.9"}
    lancedb.connect(place / FOLDER).create_table(layout.TABLE, data=[row], schema=layout.SCHEMA, mode="overwrite")


def test_a_new_home_says_its_layout(tmp_path: Path) -> None:
    Records(Home(tmp_path), "ls").save_run(RUN)
    assert told(tmp_path) == layout.LAYOUT == 1


def test_a_newer_home_is_refused(tmp_path: Path) -> None:
    Records(Home(tmp_path), "ls").save_run(RUN)
    write(tmp_path, 2)
    with pytest.raises(HomeLayoutDiffers, match=r"has layout 2; this seedqueue knows layout 1\. Install the version"):
        Home(tmp_path)


def test_an_older_home_that_nothing_leads_from_is_refused_and_left_alone(tmp_path: Path) -> None:
    Records(Home(tmp_path), "ls").save_run(RUN)
    write(tmp_path, -1)
    with pytest.raises(HomeLayoutDiffers, match="Nothing leads from layout -1"):
        Home(tmp_path)
    assert told(tmp_path) == -1


def test_an_older_home_is_migrated_step_by_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Records(Home(tmp_path), "ls").save_run(RUN)
    write(tmp_path, -1)
    seen: list[object] = []
    monkeypatch.setattr(layout, "LAYOUT", 2)
    monkeypatch.setattr(
        layout, "MIGRATIONS", {-1: lambda _: seen.append(-1), 0: lambda _: seen.append(0), 1: lambda _: seen.append(1)}
    )
    monkeypatch.setattr(layout.steps, "__defaults__", (layout.MIGRATIONS,))
    Home(tmp_path)
    assert seen == [-1, 0, 1]
    assert told(tmp_path) == 2
    Home(tmp_path)
    assert seen == [-1, 0, 1]


def test_a_home_from_before_the_number_is_of_layout_1(tmp_path: Path) -> None:
    Records(Home(tmp_path), "ls").save_run(RUN)
    lancedb.connect(tmp_path / FOLDER).drop_table(layout.TABLE)
    assert Records(Home(tmp_path), "ls").runs() == [RUN]


def test_a_table_with_other_columns_is_refused_with_their_names(tmp_path: Path) -> None:
    Records(Home(tmp_path), "ls").save_run(RUN)
    schema = pa.schema([("kind", pa.string()), ("instance", pa.int64()), ("owner", pa.string())])
    lancedb.connect(tmp_path / FOLDER).create_table("records", schema=schema, mode="overwrite")
    with pytest.raises(HomeLayoutDiffers, match=r"'records' with at: absent, .*instance: int64.*owner: string"):
        Records(Home(tmp_path), "ls").append("run", 1, 1, {})
