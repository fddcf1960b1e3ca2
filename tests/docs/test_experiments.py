"""Every question of docs/experiments can be asked, has its report, and is told of in the index."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from seedqueue.experiments.grid import read_grid

FOLDER = Path(__file__).resolve().parents[2] / "docs/experiments"
CONFIGURATIONS = sorted(FOLDER.glob("*.toml"))
# What was published, for who has its weights.
NOT_RUN = {"paper"}


@pytest.mark.parametrize("file", CONFIGURATIONS, ids=lambda file: file.stem)
def test_a_question_can_be_asked(file: Path) -> None:
    grid = read_grid(file)
    assert grid.question.endswith("?")


@pytest.mark.parametrize("name", [file.stem for file in CONFIGURATIONS if file.stem not in NOT_RUN])
def test_its_report_is_there_and_in_the_index(name: str) -> None:
    assert f"({name}/report.md)" in (FOLDER / "README.md").read_text(encoding="utf-8")
    report = FOLDER / name / "report.md"
    text = report.read_text(encoding="utf-8")
    assert text.startswith(f"# {read_grid(FOLDER / f'{name}.toml').title}\n")
    for picture in re.findall(r"\]\(([^)]+\.svg)\)", text):
        assert (report.parent / picture).is_file(), picture


def test_no_report_tells_of_a_machine() -> None:
    for report in FOLDER.rglob("*.md"):
        assert not re.search(r"(/work/|/root/|/tmp/|/home/)", report.read_text(encoding="utf-8")), report
