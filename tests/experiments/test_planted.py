"""Pools whose answer is known by construction, measured for real: the report has to say it."""

from __future__ import annotations

from pathlib import Path

import drawn_pools
import numpy as np
import pytest

from seedqueue.experiments.comparisons import Findings
from seedqueue.experiments.prepared import PreparedPool
from seedqueue.experiments.report import write_report
from seedqueue.experiments.verdicts import BETTER, headline, verdicts

GRID = drawn_pools.grid(budgets=(20, 30), repeats=10, draws=5)
KINDS, COMMON, RARE = 20, 420, 12


def kmeans_wins(folder: Path) -> PreparedPool:
    """One common kind of image and 19 rare ones, each far from all others; a coin says which kinds are positive.

    20 clusters find all 20 kinds, and the 20 medoids tell the label of every image. Two in three random images are of
    the common kind, so that about half of the rare ones stay unknown.
    """
    rng = np.random.default_rng(0)
    kind = np.repeat(np.arange(KINDS), [COMMON, *[RARE] * (KINDS - 1)])
    vectors = 10 * np.eye(KINDS + 4)[kind] + 0.1 * rng.standard_normal((len(kind), KINDS + 4))
    return drawn_pools.write_pool(folder, {"cloud": vectors}, np.isin(kind, np.arange(1, KINDS, 2))[:, None])


def none_can_win(folder: Path) -> PreparedPool:
    """The label is a coin of its own: no choice among the embeddings knows anything of it."""
    rng = np.random.default_rng(0)
    return drawn_pools.write_pool(folder, {"cloud": rng.standard_normal((600, 16))}, rng.random((600, 1)) < 0.3)


@pytest.fixture(scope="module")
def winning(tmp_path_factory: pytest.TempPathFactory) -> tuple[Findings, str, str]:
    return told(kmeans_wins(tmp_path_factory.mktemp("wins")), tmp_path_factory.mktemp("report"))


@pytest.fixture(scope="module")
def losing(tmp_path_factory: pytest.TempPathFactory) -> tuple[Findings, str, str]:
    return told(none_can_win(tmp_path_factory.mktemp("none")), tmp_path_factory.mktemp("report"))


def told(pool: PreparedPool, folder: Path) -> tuple[Findings, str, str]:
    """What was found, and the report in both forms."""
    study = drawn_pools.study(GRID, pool)
    write_report(folder, study)
    markdown, html = ((folder / f"report.{kind}").read_text(encoding="utf-8") for kind in ("md", "html"))
    return Findings(study), markdown, html


def test_where_kmeans_must_win_the_report_says_so(winning: tuple[Findings, str, str]) -> None:
    findings, markdown, html = winning
    assert headline(findings).startswith("On `drawn` the default `kmeans` is better than random (")
    [answer] = verdicts(findings)[BETTER]
    assert answer.answer == "better"
    assert "better than random (" in answer.sentence
    assert headline(findings) in markdown
    assert "<code>kmeans</code> is better than random" in html
    assert "<code>kmeans</code> wins: above random" in html
    assert "no clear" not in markdown.split("## ")[0]


def test_it_wins_for_the_reason_that_was_planted(winning: tuple[Findings, str, str]) -> None:
    cells = winning[0].study.cells
    kmeans = [cell.metrics["auprc"] for cell in cells if cell.selector == "kmeans"]
    uniform = [cell.metrics["auprc"] for cell in cells if cell.selector == "uniform"]
    assert np.mean(kmeans) > 0.95
    assert np.mean(uniform) < 0.85


def test_where_none_can_win_the_report_says_so(losing: tuple[Findings, str, str]) -> None:
    findings, markdown, html = losing
    assert headline(findings).startswith("On `drawn` the default `kmeans` and random show no clear difference (")
    [answer] = verdicts(findings)[BETTER]
    assert answer.answer == "no clear difference"
    assert headline(findings) in markdown
    for text in (markdown, html):
        assert "no clear winner. None is clearly above random" in text
        assert " wins" not in text
        assert "better than random (" not in text


def test_chance_is_what_is_measured_where_nothing_can_be_learnt(losing: tuple[Findings, str, str]) -> None:
    cells = losing[0].study.cells
    for selector in ("kmeans", "uniform"):
        found = [cell.metrics["auroc"] for cell in cells if cell.selector == selector]
        assert np.mean(found) == pytest.approx(0.5, abs=0.03)
