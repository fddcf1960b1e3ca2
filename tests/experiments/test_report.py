"""The report as files: what a reader finds in it, and that it is whole, closed and the same each time."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import planted_cells
import pytest

from seedqueue.experiments import document, svg
from seedqueue.experiments.cells import EmbeddingCost
from seedqueue.experiments.report import document as documented
from seedqueue.experiments.report import markdown, write_report
from seedqueue.experiments.study import Study

WINS = {"kmeans": 0.0, "typiclust": 0.06}
NONE_WINS = {"kmeans": 0.0, "typiclust": 0.0}


class Page(HTMLParser):
    """What a page would fetch, its ids, and its tags."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.ids: list[str] = []
        self.tags: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            if name in ("src", "href", "data", "srcset", "xlink:href", "action") and not (value or "").startswith("#"):
                self.fetched.append(value or "")
            if name == "id":
                self.ids.append(value or "")


def test_the_planted_winner_is_told_in_both_forms(tmp_path: Path) -> None:
    write_report(tmp_path, planted_cells.study(WINS))
    assert "`typiclust` wins: above random" in (tmp_path / "report.md").read_text(encoding="utf-8")
    assert "<code>typiclust</code> wins: above random" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_no_winner_is_told_in_both_forms(tmp_path: Path) -> None:
    write_report(tmp_path, planted_cells.study(NONE_WINS))
    for name in ("report.md", "report.html"):
        told = (tmp_path / name).read_text(encoding="utf-8")
        assert "no clear winner. None is clearly above random" in told
        assert " wins" not in told


def test_the_same_cells_give_the_same_files(tmp_path: Path) -> None:
    study = planted_cells.study(WINS)
    write_report(tmp_path / "one", study)
    write_report(tmp_path / "two", replace(study, cells=list(reversed(study.cells))))
    names = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert names == sorted(path.name for path in (tmp_path / "two").iterdir())
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes(), name


def test_the_page_fetches_nothing_and_runs_nothing(tmp_path: Path) -> None:
    study = several()
    write_report(tmp_path, study)
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    page = Page(text)
    assert page.fetched == []
    assert not {"script", "link", "iframe", "img", "object", "embed"} & page.tags
    assert set(re.findall(r"https?://[^\s\"'<)]+", text)) <= {"http://www.w3.org/2000/svg"}
    assert "@import" not in text
    assert not re.search(r"url\((?!#)", text)
    assert len(page.ids) == len(set(page.ids)) == len(study.places)
    assert "prefers-color-scheme: dark" in text
    assert "@media print" in text


def test_every_figure_that_the_markdown_shows_is_there_and_none_else(tmp_path: Path) -> None:
    write_report(tmp_path, several())
    shown = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", (tmp_path / "report.md").read_text(encoding="utf-8"))
    assert sorted(shown) == sorted(path.name for path in tmp_path.glob("*.svg"))
    assert len(shown) == len(set(shown))
    assert "planted-lesion-auprc.svg" in shown


def test_drawings_are_whole_and_small(tmp_path: Path) -> None:
    study = planted_cells.study(WINS)
    large = planted_cells.place(tuple(WINS), images=20_000)
    write_report(tmp_path, replace(study, places=[large]))
    drawings = list(tmp_path.glob("*.svg"))
    for path in drawings:
        root = ElementTree.fromstring(path.read_text(encoding="utf-8"))
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert path.stat().st_size < 150_000
    (chosen,) = [path.read_text(encoding="utf-8") for path in drawings if "-map-" in path.name]
    # 40 marks of each selector, whichever points were left out: the rounds of the first, the squares of the second.
    assert chosen.count("<circle") == 40
    assert chosen.count('<path class="o"') == 40


def test_paper_and_honest_stand_side_by_side() -> None:
    cells = [
        *planted_cells.cells({"kmeans": 0.0}, head="vgg11", start=0.3, noise=1e-9),
        *planted_cells.cells({"kmeans": 0.0}, head="vgg11@paper", start=0.5, noise=1e-9),
    ]
    grid = planted_cells.grid(("kmeans",), heads=("vgg11",), protocol="paper")
    table = next(
        each
        for each in tables(documented(Study(grid, cells, [planted_cells.facts()])))
        if each.title.startswith("AUPRC: mean")
    )
    assert table.columns[2:6] == ("20 paper", "20 honest", "40 paper", "40 honest")
    for row in table.rows:
        published, honest = (float(cell.split(" ± ")[0]) for cell in row[2:4])
        assert published == pytest.approx(0.5, abs=0.03)
        assert honest == pytest.approx(0.3, abs=0.03)


def test_prevalence_and_pretraining_stand_beside_every_row() -> None:
    found = [each for each in tables(documented(several())) if ": mean ± SD" in each.title]
    assert len(found) == 2 * 3
    for table in found:
        assert table.columns[-2:] == ("Prevalence", "Pretraining and these images")
        for row in table.rows:
            assert row[-2] == "30.0 %"
            assert row[-1] == f"what {row[0].strip('`')} saw"


def test_of_several_classes_each_ones_share_is_told() -> None:
    facts = planted_cells.facts(positives=300, classes={"benign": 210, "normal": 90})
    found = tables(documented(replace(planted_cells.study(WINS, repeats=2), facts=[facts])))
    assert found[0].rows[0][4:6] == ("benign 210, normal 90", "benign 70.0 %, normal 30.0 %")


def test_means_and_deviations_are_those_of_the_cells() -> None:
    study = planted_cells.study(WINS, repeats=4)
    table = next(each for each in tables(documented(study)) if each.title.startswith("AUPRC: mean"))
    values = [cell.metrics["auprc"] for cell in study.cells if (cell.selector, cell.budget) == ("typiclust", 60)]
    mean = sum(values) / 4
    deviation = (sum((value - mean) ** 2 for value in values) / 3) ** 0.5
    row = next(row for row in table.rows if row[1] == "`typiclust`")
    assert row[table.columns.index("60")] == f"{mean:.3f} ± {deviation:.3f}"


def test_names_are_shown_as_they_are_and_never_run(tmp_path: Path) -> None:
    hostile = "<script>alert(1)</script> | *x*"
    study = planted_cells.study(NONE_WINS, target=hostile, repeats=2)
    write_report(tmp_path, replace(study, facts=[planted_cells.facts(target=hostile)]))
    assert "script" not in Page((tmp_path / "report.html").read_text(encoding="utf-8")).tags
    told = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert "<script>" not in told
    assert "&lt;script&gt;alert(1)&lt;/script&gt; \\| \\*x\\*" in told
    for path in tmp_path.glob("*.svg"):
        ElementTree.fromstring(path.read_text(encoding="utf-8"))


def test_rows_of_a_markdown_table_have_as_many_cells_as_its_head() -> None:
    lines = markdown(several()).splitlines()
    width = 0
    for line in lines:
        if not line.startswith("|"):
            width = 0
            continue
        cells = len(re.findall(r"(?<!\\)\|", line))
        assert width in (0, cells), line
        width = cells


def test_targets_with_names_alike_get_files_of_their_own(tmp_path: Path) -> None:
    names = ("No Finding", "no-finding")
    cells = [cell for name in names for cell in planted_cells.cells(NONE_WINS, target=name, repeats=2)]
    facts = [planted_cells.facts(target=name) for name in names]
    write_report(tmp_path, Study(planted_cells.grid(tuple(NONE_WINS)), cells, facts))
    shown = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", (tmp_path / "report.md").read_text(encoding="utf-8"))
    assert sorted(shown) == sorted(path.name for path in tmp_path.glob("*.svg"))


def test_a_report_of_a_run_that_has_hardly_begun(tmp_path: Path) -> None:
    study = planted_cells.study(WINS)
    write_report(tmp_path, replace(study, cells=study.cells[:1], costs=(), places=(), convergence=()))
    told = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert "every comparison is secondary" in told
    assert "nan" not in told.lower()


def test_f1_is_told_only_where_all_repeats_have_it() -> None:
    study = planted_cells.study(WINS, repeats=4)
    cells = [
        replace(cell, metrics={**cell.metrics, **({"f1_youden": 0.5} if cell.repeat < 3 else {}), "f1_half": 0.4})
        for cell in study.cells
    ]
    found = {each.title: each for each in tables(documented(replace(study, cells=cells)))}
    for title, table in found.items():
        if title.startswith("F1 at Youden's"):
            assert {cell for row in table.rows for cell in row[2:7]} == {"– (3 of 4 repeats)"}
    assert found["F1 at 0.5: mean ± SD over repeats, by number of labels"].rows[0][2] == "0.400 ± 0.000"


def test_distances_carry_the_pools_unit() -> None:
    study = planted_cells.study(WINS, repeats=2)
    for unit, told in (("mm", "HD (mm), lower"), ("pixels", "HD (pixels), lower"), ("", "HD, lower")):
        titles = [each.title for each in tables(documented(replace(study, facts=[planted_cells.facts(unit=unit)])))]
        assert any(title.startswith(told) for title in titles)


def test_weak_labels_have_a_pretraining_of_their_own() -> None:
    study = planted_cells.study({"kmeans": 0.0, "weak-label": 0.0}, repeats=2)
    for overlap, told in (("", "not known"), ("from NIH reports", "from NIH reports")):
        facts = [planted_cells.facts(weak_overlap=overlap)]
        table = next(each for each in tables(documented(replace(study, facts=facts))) if "mean ± SD" in each.title)
        beside = {row[1]: row[-1] for row in table.rows}
        assert beside["`weak-label`"] == f"none: no weights; weak labels: {told}"
        assert beside["`kmeans`"] == "none: no weights"


def test_groups_and_what_the_tables_own_split_divides_are_told() -> None:
    study = planted_cells.study(WINS, repeats=2)
    whole = tables(documented(replace(study, facts=[planted_cells.facts(grouped_by="patient")])))[0]
    assert whole.rows[0][whole.columns.index("Grouped by")] == "patient"
    assert whole.rows[0][whole.columns.index("Groups in both parts")] == "0"
    assert "are never split" in whole.note
    divided = tables(documented(replace(study, facts=[planted_cells.facts(crossing=7)])))[0]
    assert divided.rows[0][divided.columns.index("Groups in both parts")] == "7"
    assert "7 groups stand in both parts: the table's own split divides them" in divided.note
    assert "never split" not in divided.note


def test_what_could_not_be_measured_stands_before_the_answers(tmp_path: Path) -> None:
    write_report(tmp_path, replace(planted_cells.study(WINS), missing=3, first_failure="out of memory"))
    for name in ("report.md", "report.html"):
        told = (tmp_path / name).read_text(encoding="utf-8")
        said = "3 units could not be measured; the first: out of memory."
        assert 0 < told.index(said) < told.index("Which selector?")
    assert "could not be measured" not in markdown(planted_cells.study(WINS))


def test_labels_of_the_saving_and_of_thresholds_say_what_they_are() -> None:
    study = planted_cells.study(WINS)
    cells = [replace(cell, metrics={**cell.metrics, "f1_best": 0.5}) for cell in study.cells]
    told = markdown(replace(study, cells=cells))
    assert "From the interval of the difference" in told
    assert "95 % interval of these" not in told
    assert "own curve is taken as exact" in told
    assert "F1 at the best F1's threshold" in told
    assert "best F1 out of fold" not in told
    assert "contains the five folds" in told


def test_one_split_shows_no_sign_and_no_p() -> None:
    study = planted_cells.study(WINS)
    found = tables(documented(replace(study, facts=[planted_cells.facts(fixed_split=True)])))
    table = next(each for each in found if each.title.startswith("Area under"))
    for row in table.rows:
        assert row[table.columns.index("Clear")] == "not judged"
        assert row[table.columns.index("p")] == "–"
    assert "▲" not in table.note


def test_what_is_folded_is_printed(tmp_path: Path) -> None:
    write_report(tmp_path, planted_cells.study(WINS))
    printed = (tmp_path / "report.html").read_text(encoding="utf-8").split("@media print")[1]
    assert "details::details-content { content-visibility: visible" in printed


@pytest.mark.parametrize(
    ("low", "high", "levels"),
    [
        (0.42, 0.58, [0.4, 0.45, 0.5, 0.55, 0.6]),
        (12, 61, [10, 20, 30, 40, 50, 60, 70]),
        (0.5, 0.5, [0, 0.2, 0.4]),
        (0.5, 0.5 + 1e-16, [0, 0.2, 0.4]),
        (0.4, 0.4 + 1e-15, [-0.2, 0, 0.2]),
    ],
)
def test_levels_are_round_and_hold_all_values(low: float, high: float, levels: list[float]) -> None:
    assert svg.levels(low, high)[:3] == levels[:3]
    assert svg.levels(low, high)[0] <= low <= high <= svg.levels(low, high)[-1]


def several() -> Study:
    """Two targets and two embedders."""
    embedders = ("pixels", "hog")
    grid = planted_cells.grid(("kmeans", "typiclust"), embedders=embedders)
    cells = [
        cell
        for seed, target in enumerate(("lesion", "normal"))
        for cell in planted_cells.cells(WINS, target=target, embedders=embedders, repeats=4, seed=seed)
    ]
    facts = [planted_cells.facts(), planted_cells.facts(target="normal")]
    costs = [EmbeddingCost("planted", name, 64, 300, 0.01, 0.02, 250.0, f"what {name} saw") for name in embedders]
    places = [planted_cells.place(tuple(WINS), embedder=name) for name in embedders]
    return Study(grid, cells, facts, costs, places)


def tables(part: document.Document | document.Part) -> list[document.Table]:
    """All of them, however deep."""
    if isinstance(part, document.Table):
        return [part]
    if isinstance(part, document.Document):
        return [each for section in part.sections for each in tables(section)]
    if isinstance(part, document.Section | document.Fold):
        return [each for inner in part.parts for each in tables(inner)]
    return []
