"""A look in plain sentences."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from seedqueue.backend.arrivals import words
from seedqueue.backend.arrivals.division import Cut
from seedqueue.backend.arrivals.drift import Test
from seedqueue.backend.arrivals.holding import Holding
from seedqueue.backend.arrivals.novelty import Novelty
from seedqueue.backend.arrivals.report import Far, Report
from seedqueue.backend.records import Unreadable

NOVEL = Novelty(np.arange(100, 120), np.linspace(0.1, 2.0, 20), 1.45, 0.3, 0.15, 0.52, 40)
QUIET = Report(
    project=7,
    cut=Cut(100, "as asked for"),
    newest=121,
    old=100,
    new=21,
    labelled=0,
    unreadable=(Unreadable(121, "", "no image"),),
    novelty=NOVEL,
    nearest_to="the nearest labelled image",
    far=(Far(119, "/a.png", 2.0),) * 6,
    tests=(Test("appearance", "appearance", 0.5, 0.4), Test("component 1", "component", 0.1, 0.9)),
    untested=(("scanner", "no task has it"),),
    patients="",
    fresh=0,
    holding=(),
)
DRIFTED = (
    Test("appearance", "appearance", 0.9, 0.0005, 0.001, 0.8, 0.95),
    *(Test(f"component {n}", "component", 0.4, 0.0, 0.0001 * n) for n in range(1, 6)),
    Test("view", "field", 0.1, 0.5, 0.8, said="PA 50 % before, 52 % now"),
)


def test_what_is_new_novel_and_unreadable_is_told() -> None:
    told = words.summary(QUIET)
    assert (
        told[0]
        == "project 7: 21 new tasks after task 100 (as asked for), 100 old ones; none of the new ones is labelled"
    )
    assert told[1:3] == [
        "  1 new image cannot be read and is in none of the figures below:",
        "    task 121, no image: no image",
    ]
    assert told[3].startswith(
        "  novelty: 6 of 20 new images, 30 % (15 % to 52 %), lie farther from the nearest labelled"
    )
    assert told[4].startswith("  drift: none found by 2 tests (each image taken for a patient of its own")
    assert told[5] == "  not compared: scanner, no task has it"
    assert told[6].startswith("  audit: no fresh slice")
    assert "--seed" in words.advice(QUIET)


def test_drift_is_told_by_name_components_by_their_number() -> None:
    found = replace(QUIET, tests=DRIFTED, patients="patient")
    [line] = [one for one in words.summary(found) if "drift:" in one]
    assert line.startswith("  drift: appearance, 5 of the principal components (7 tests, one image of each patient;")
    rows = words.table(found)
    assert [row[0] for row in rows] == ["appearance", "view", "component 1", "component 2", "component 3"]
    assert rows[0][1:3] == ("0.90 (0.80 to 0.95)", "0.001")
    assert rows[2][2] == "< 0.001"


def test_what_cannot_be_said_is_said() -> None:
    found = replace(QUIET, tests=(), novelty=None, far=(), fresh=5)
    told = "\n".join(words.summary(found))
    assert "novelty: cannot be said with fewer than 20 readable old images" in told
    assert "drift: cannot be said with fewer than 8 images in either part" in told
    assert "a fresh slice of 5 tasks; no version serves, or there is no earlier audit slice" in told
    assert words.advice(found) == ""


def test_one_version_whose_estimate_fails_is_enough() -> None:
    one, other, open_ = (Holding("linear-1", 9, 9, None, holds, "so") for holds in (True, False, None))
    for holding, expected in (((one,), True), ((one, other, open_), False), ((one, open_), None), ((), None)):
        assert replace(QUIET, holding=holding).holds is expected
    failed = replace(QUIET, novelty=None, holding=(other,))
    assert "--seed" in words.advice(failed)
    milestone = replace(failed, tests=DRIFTED).milestone(run=3)
    assert (milestone.run, milestone.holds, milestone.tests, milestone.newest) == (3, False, 7, 121)
    assert (milestone.measured, QUIET.milestone().measured) == (0, 20)
    assert milestone.drifted[0] == ("component 1", 0.0001)
