"""What the commands print, of reports made by hand."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import numpy as np
from readers import Readers
from rich.console import Console

from seedqueue.backend.milestones import Overlap
from seedqueue.backend.people import words
from seedqueue.backend.people.agreeing import DISAGREEMENTS, SUSPECTS, Report
from seedqueue.backend.people.disagreements import disagreements_of
from seedqueue.backend.people.figures import figures_of
from seedqueue.backend.people.suspects import Doubted, Suspect
from seedqueue.backend.people.working import Label, pace_of

NAMES = ("annotator C", "annotator A", "annotator B")


def printed(parts: Iterable[words.Part]) -> str:
    console = Console(width=140, highlight=False, markup=False)
    with console.capture() as captured:
        for part in parts:
            console.print(part, soft_wrap=True)
    return captured.get()


def report(readers: Readers, **changes: object) -> Report:
    tasks = readers.noisy((0.0, 0.05, 0.4), 60, 2)
    made = {
        "project": 7,
        "annotated": 100,
        "shared": len(tasks),
        "names": NAMES,
        "adjudicators": 1,
        "figures": figures_of(tasks, "012", readers.one),
        "disagreements": tuple(disagreements_of(tasks, readers.one)),
        "settled": 2,
        "doubted": Doubted((Suspect(31, "yes", "no", 0.05),), 90, "", ("unsure",)),
        "listed": {DISAGREEMENTS: 20, SUSPECTS: 1},
        "notes": (),
    }
    return Report(**{**made, **changes})  # type: ignore[arg-type]


def test_agreement_names_who_stands_out_and_how_far(readers: Readers) -> None:
    shown = printed(words.of_agreement(report(readers)))
    [line] = [one for one in shown.splitlines() if "stands out" in one]
    assert line.startswith("!! annotator B stands out: kappa ")
    assert "Fleiss' kappa" in shown
    assert "pair by class" in shown
    assert shown.index("annotator A - B") < shown.index("annotator A - C") < shown.index("annotator B - C")
    assert "(1 more only set ground truths and do not count)" in shown
    assert "annotator A - C" in shown
    assert "not looked at for label errors, with fewer than 5 labels, or fewer than 5 tasks without it: unsure" in shown
    assert 'the worst 20 of them stand in the Data Manager\'s tab "Disagreements"' in shown
    assert 'all of them stand in the Data Manager\'s tab "Suspected label errors"' in shown
    assert "not defined" in shown  # nobody ever said "unsure"
    people = [one.split()[:2] for one in shown.split("others' majority")[1].splitlines()]
    assert [" ".join(one) for one in people if one[:1] == ["annotator"]] == sorted(NAMES)


def test_without_shared_tasks_only_the_suspects_are_told(readers: Readers) -> None:
    alone = report(readers, figures=None, shared=0, names=(), disagreements=(), listed={}, notes=("Read in common.",))
    shown = printed(words.of_agreement(alone))
    assert "kappa" not in shown
    assert "Read in common." in shown
    assert "1 of 90 labels look wrong" in shown
    assert "Data Manager" not in shown


def test_equally_good_annotators_are_told_that_nobody_stands_out(readers: Readers) -> None:
    figures = figures_of(readers.noisy((0.05, 0.05, 0.05), 60, 1), "012", readers.one)
    shown = printed(words.of_agreement(report(readers, figures=figures)))
    assert "nobody agrees less with the others than these among themselves, beyond chance" in shown
    assert "stands out" not in shown


def test_a_long_table_of_pairs_by_class_is_left_out(readers: Readers) -> None:
    rng = np.random.default_rng(0)
    figures = figures_of(readers.chosen(list(rng.integers(3, size=(8, 12)))), [*"01234567"], readers.one)
    shown = printed(words.of_agreement(report(readers, figures=figures, names=tuple(f"n{at}" for at in range(8)))))
    assert "(84 figures of pairs by class are not shown)" in shown


def test_overlap_says_what_it_costs_and_whether_there_are_so_many_people() -> None:
    made = Overlap(3, 10, 0.1, tuple(range(13)))
    shown = printed(words.of_overlap(7, made, people=2))
    assert "13 tasks are read by 3 annotators each: the first 10 of the queue and 10% of the others" in shown
    assert "26 readings more" in shown
    assert "Label Studio has 2 users" in shown
    assert "has 3 users" not in printed(words.of_overlap(7, made, people=3))
    assert "read by one annotator" in printed(words.of_overlap(7, Overlap(1, 10, 0.1, ()), people=3))


def test_pace_gives_dates_and_who_stopped() -> None:
    now = datetime(2026, 3, 20, 15, tzinfo=UTC)
    labels = [Label("7", now - timedelta(days=day), 8.0, False) for day in range(1, 15) for _ in range(1 + day % 3)]
    labels += [Label("8", now - timedelta(days=12), None, True)]
    found = pace_of(labels, {"the queue": 20, "the whole pool": 0, "it": 10**8}, now)
    shown = printed(words.of_pace(7, found, {"7": "annotator B", "8": "annotator A"}))
    assert "8 s a label (median)" in shown
    assert "the queue: 20 readings are left; done about 2026-03-30" in shown
    assert "the whole pool is done" in shown
    assert "no end is in sight at this pace" in shown
    [stopped] = [line for line in shown.splitlines() if "stopped" in line]
    assert "annotator A" in stopped
    assert "who has not labelled for 7 days is not counted on" in shown
