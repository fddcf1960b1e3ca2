"""The report of a folder: the page and its JSON."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seedqueue.backend import cli, report_words
from seedqueue.backend.demo.phantoms import write_phantoms
from seedqueue.backend.folder import NoImages
from seedqueue.backend.folder_pool import FolderPool, Tables, embed_folder
from seedqueue.backend.folder_queue import select_folder
from seedqueue.backend.records import Choices
from seedqueue.backend.report import Ran, page
from seedqueue.backend.report_charts import chart, charts, spots
from seedqueue.backend.report_folder import ran, report_on, small_picture, write_report
from seedqueue.models import registry
from seedqueue.selectors.errors import BudgetExceedsPool
from seedqueue.selectors.stability.report import Report

HOG = registry.create("hog", Path())
CHOICES = Choices(6, "hog", "kmeans", 3)
RAN = Ran("images", "hog", "0" * 16, "0.1.0", "2026-11-24")


def embedded(folder: Path, budget: int = 6) -> FolderPool:
    return embed_folder(folder, budget, HOG, max_pixels=10**6, progress=lambda done, total: None)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    images = tmp_path_factory.mktemp("images")
    files = write_phantoms(images, 40)
    files[0].rename(images / "<b>x.png")
    files[1].rename(images / "a&'\"<svg><script>.png")
    (images / "page<i>.jpg").write_text("<!doctype html>")
    return images


@pytest.fixture(scope="module")
def pool(folder: Path) -> FolderPool:
    return embedded(folder)


@pytest.fixture(scope="module")
def report(pool: FolderPool) -> Report:
    return report_on(pool, CHOICES, HOG, Tables(), lambda done, total: None)


@pytest.fixture(scope="module")
def written(pool: FolderPool, report: Report, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, Any]]:
    """The page's HTML and the JSON's content."""
    out = tmp_path_factory.mktemp("out")
    told = ran(pool, HOG, "2026-11-24")
    write_report(pool, report, told, out / "r.html", out / "r.json", 10**6, "refuse")
    assert sorted(file.name for file in out.iterdir()) == ["r.html", "r.json"]
    return (out / "r.html").read_text("utf-8"), json.loads((out / "r.json").read_text("utf-8"))


def numbers(value: object) -> Iterator[float]:
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from numbers(each)
    if isinstance(value, (int, float)):
        yield float(value)


def test_the_page_says_what_was_chosen(written: tuple[str, dict[str, Any]], report: Report) -> None:
    html, _ = written
    assert report_words.verdict(report).replace("'", "&#39;") in html
    assert "will train a better model" in html
    assert html.count('<img src="data:image/jpeg;base64,') == len(report.queue) == 6
    for one in report.queue:
        assert f"<b>{one.rank}</b> · stands for {one.stands_for}" in html
        assert f">{one.rank}</text>" in html
    for said in ("seedqueue 0.1.0", HOG.fingerprint, "2026-11-24", "Random seed</dt><dd>3", "Facility location"):
        assert said in html
    assert html.count("<figure>") == 3


@pytest.mark.slow
def test_names_are_escaped_and_nothing_comes_from_elsewhere(
    written: tuple[str, dict[str, Any]], pool: FolderPool
) -> None:
    html, _ = written
    everything = report_on(pool, Choices(len(pool.files), "hog", "uniform", 0), HOG, Tables(), lambda done, total: None)
    all_of_it = page(everything, RAN, pool.unreadable, lambda one: f'/x?a="><script>{one.rank}')
    assert "&lt;b&gt;x.png" in all_of_it
    assert "a&amp;&#39;&#34;&lt;svg&gt;&lt;script&gt;.png" in all_of_it
    for text in (html, all_of_it):
        assert not re.search(r"<(script|b>x|link|iframe|object)", text)
        assert not re.search(r"https?:|url\(|@import|=\s*[\"']//", text)


def test_the_queue_is_the_one_that_select_writes(report: Report, folder: Path) -> None:
    chosen = select_folder(folder, CHOICES, HOG, max_pixels=10**6, progress=lambda done, total: None)
    assert [(e.rank, e.name, e.cluster, e.stands_for) for e in report.queue] == [
        (row.rank, row.file, row.cluster, row.weight) for row in chosen.rows
    ]


def test_the_json_has_every_number_and_all_are_finite(
    written: tuple[str, dict[str, Any]], report: Report, pool: FolderPool
) -> None:
    _, fields = written
    found = list(numbers(fields))
    assert len(found) > 300
    assert np.isfinite(found).all()
    assert fields["coverage"]["ours"]["mean"] == report.coverage.ours.mean
    assert [each["name"] for each in fields["queue"]] == [each.name for each in report.queue]
    assert fields["ran"]["fingerprint"] == HOG.fingerprint
    assert all(fields[part]["meaning"] for part in ("coverage", "stability", "near_duplicates", "outliers", "map"))
    assert len(fields["map"]["points"]) == len(pool.files) == 40


def test_unreadable_images_are_listed(written: tuple[str, dict[str, Any]]) -> None:
    html, fields = written
    assert fields["unreadable"] == [{"name": "page<i>.jpg", "reason": "text/HTML"}]
    assert "page&lt;i&gt;.jpg" in html
    assert "1 image left out" in html


@pytest.mark.slow
def test_tables_and_rules_count(pool: FolderPool, tmp_path: Path) -> None:
    table = tmp_path / "fields.csv"
    table.write_text("file,patient\n" + "".join(f'"{n}",{i // 4}\n' for i, n in enumerate(pool.names) if '"' not in n))
    labelled = tmp_path / "labelled.csv"
    labelled.write_text(f"file\n{pool.names[5]}\n")
    choices = Choices(5, "hog", "facility-location", 0, group_field="patient", near_duplicate=0.9)
    found = report_on(pool, choices, HOG, Tables(fields=table, labelled=labelled), lambda done, total: None)
    assert (found.choice.per_group, found.near_duplicates.threshold, found.pool.labelled) == (1, 0.9, 1)
    assert found.near_duplicates.pairs_in_queue == 0
    html = page(found, RAN, [], lambda one: None)
    assert "at most 1 of a group; no near duplicates from a cosine of 0.9" in html
    assert html.count("no picture") == 5
    assert 'class="known"' in html


def test_a_name_that_is_not_unicode(pool: FolderPool, report: Report, tmp_path: Path) -> None:
    html = page(report, RAN, [("\udcff.png", "text/HTML")], lambda one: None)
    assert "?.png" in html
    write_report(pool, report, RAN, tmp_path / "r.html", None, 10**6, "refuse")


def test_what_cannot_be_reported_on(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"")
    with pytest.raises(NoImages, match="1 images, none readable"):
        embedded(tmp_path, 1)
    with pytest.raises(BudgetExceedsPool, match="6 requested, 1 available"):
        embedded(tmp_path)


def test_drawings_stay_on_their_canvas(report: Report) -> None:
    placed = spots(report.map)
    assert [spot.rank for spot in placed[-6:]] == [6, 5, 4, 3, 2, 1]
    assert all(0 < spot.x < 640 and 0 < spot.y < 640 for spot in placed)
    for drawn in charts(report.sensitivity, "K-means"):
        for line in drawn.lines:
            assert len(line.marks) == len(drawn.columns)
            assert all(0 < mark.x < 320 and 0 < mark.y < 210 for mark in line.marks)


def test_a_small_picture_is_small(pool: FolderPool) -> None:
    assert len(small_picture(pool.files[0], 10**6)) < 12_000


def test_the_summary_has_five_lines(report: Report) -> None:
    lines = report_words.summary(report)
    assert len(lines) == 5
    assert "random queues of the same size" in lines[0]
    assert "better model" in lines[4]


def test_the_command(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SEEDQUEUE_HOME", str(tmp_path / "home"))
    line = f"report --images {folder} --budget 4 --embedder hog --selector facility-location --random-seed 1"

    def typed(more: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["seedqueue", *line.split(), *more.split()])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return int(ended.value.code or 0), *capfd.readouterr()

    code, out, err = typed(f"--out {tmp_path}/r.html --json {tmp_path}/r.json")
    assert code == 0
    assert len(out.splitlines()) == 6
    assert out.splitlines()[-1] == f"{tmp_path}/r.html and {tmp_path}/r.json (1 unreadable)"
    assert "unreadable, skipped: page<i>.jpg: text/HTML" in err
    assert json.loads((tmp_path / "r.json").read_text())["choice"]["random_seed"] == 1
    assert (tmp_path / "r.html").read_text().startswith("<!doctype html>")
    code, _, err = typed(f"--out {tmp_path}/absent/r.html")
    assert (code, err.startswith("CannotWrite: ")) == (1, True)


def test_a_chart_of_a_narrow_range_has_a_third_digit() -> None:
    wide = chart("t", "a", ["1", "2"], [("s", [0.2, 0.9])])
    narrow = chart("t", "a", ["1", "2"], [("s", [0.492, 0.497])])
    assert [mark.label for mark in wide.lines[0].marks] == ["0.20", "0.90"]
    assert [mark.label for mark in narrow.lines[0].marks] == ["0.492", "0.497"]
    assert len({level.label for level in narrow.levels}) == 3
