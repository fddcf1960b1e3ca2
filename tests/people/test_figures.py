from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from readers import Readers
from sklearn.metrics import cohen_kappa_score

from seedqueue.backend.agreement import Rated, agreement_of
from seedqueue.backend.people.figures import figures_of
from seedqueue.backend.people.readings import ReadTask

SEEDS = range(10)


def flagged(readers: Readers, noise: tuple[float, ...], tasks: int, seed: int) -> list[int]:
    found = figures_of(readers.noisy(noise, tasks, seed), [str(who) for who in range(len(noise))], readers.one)
    return [one.annotator for _, one in found.apart if one.flagged]


def test_one_who_flips_thirty_percent_is_flagged_beside_two_good_ones(readers: Readers) -> None:
    assert [flagged(readers, (0.03, 0.03, 0.3), 60, seed) for seed in SEEDS] == [[2]] * len(SEEDS)


def test_three_equally_noisy_ones_are_not_flagged(readers: Readers) -> None:
    """Of 30 projects; the interval holds for all three together, so that one in twenty may be."""
    found = [flagged(readers, (noise,) * 3, 60, seed) for noise in (0.05, 0.15, 0.3) for seed in SEEDS]
    assert sum(map(bool, found)) <= 2


def test_of_two_annotators_and_of_few_tasks_nobody_is_flagged(readers: Readers) -> None:
    assert flagged(readers, (0.0, 0.4), 60, 0) == []
    assert flagged(readers, (0.0, 0.0, 1.0), 9, 0) == []
    assert flagged(readers, (0.0, 0.0, 1.0), 10, 0) == [2]


def test_many_tasks_of_few_patients_are_no_evidence_against_anybody(readers: Readers) -> None:
    """Resamples of one patient are all the same, and their interval is no wider than a point."""
    tasks = readers.noisy((0.0, 0.0, 1.0), 60, 0)
    for patients, expected in ((1, []), (9, []), (10, [2])):
        grouped = [replace(one, group=f"p{one.task % patients}") for one in tasks]
        found = figures_of(grouped, "012", readers.one)
        assert [one.annotator for _, one in found.apart if one.flagged] == expected


def test_pairs_and_all_are_what_agreement_of_says(readers: Readers) -> None:
    tasks = readers.noisy((0.1, 0.2, 0.3), 50, 3)
    found = figures_of(tasks, "012", readers.one)
    answers = np.array([[one.classes.index(True) for one in task.rated] for task in tasks])  # type: ignore[union-attr]
    for pair in found.pairs:
        expected = cohen_kappa_score(answers[:, pair.one], answers[:, pair.other])
        assert pair.overall[0].value == pytest.approx(expected)
        assert pair.tasks == 50
    before = agreement_of([task.rated for task in tasks], readers.one.classes, False, ())
    assert found.overall[0].value == pytest.approx(before.kappa)
    assert [one.value for one in found.by_class] == pytest.approx([before.kappas["yes"], before.kappas["no"], None])


def test_of_several_choices_the_figure_is_the_mean_over_classes(readers: Readers) -> None:
    rng = np.random.default_rng(0)
    truth = rng.random((60, 3)) < 0.4
    said = [truth ^ (rng.random((60, 3)) < 0.1) for _ in range(2)]
    tasks = [
        ReadTask(at, str(at), tuple(Rated(str(w), tuple(map(bool, one[at])), None) for w, one in enumerate(said)))
        for at in range(60)
    ]
    found = figures_of(tasks, "01", readers.several)
    expected = [cohen_kappa_score(said[0][:, one], said[1][:, one]) for one in range(3)]
    assert [one.value for one in found.by_class] == pytest.approx(expected)
    assert found.overall[0].value == pytest.approx(np.mean(expected))
    assert found.pairs[0].overall == found.overall


def test_intervals_cover_the_kappa_that_was_planted(readers: Readers) -> None:
    """Two who flip 10 % of two equally frequent classes: 0.82 observed, 0.5 by chance."""
    planted, covered = (0.82 - 0.5) / 0.5, 0
    for seed in range(40):
        [kappa] = figures_of(readers.noisy((0.1, 0.1), 100, seed), "01", readers.one).overall
        assert kappa.low is not None
        assert kappa.high is not None
        covered += kappa.low <= planted <= kappa.high
    assert covered >= 34


def test_patients_are_drawn_whole(readers: Readers) -> None:
    """Every task ten times over, of one patient, is no more evidence than once."""
    tasks = readers.noisy((0.1, 0.2), 30, 0)
    often = [ReadTask(10 * one.task + copy, one.group, one.rated) for one in tasks for copy in range(10)]
    once, many = (figures_of(some, "01", readers.one).overall[0] for some in (tasks, often))
    assert many.value == pytest.approx(once.value)
    assert (many.low, many.high) == pytest.approx((once.low, once.high), abs=0.02)


def test_masks_agree_by_dice_and_the_careless_drawer_is_flagged(readers: Readers) -> None:
    rng = np.random.default_rng(0)
    left = rng.integers(10, 40, size=20)
    good = [[(int(at), int(at) + 40) for at in left + shift] for shift in (0, 1)]
    off = [(int(at) + 20, int(at) + 60) for at in left]
    found = figures_of(readers.drawn([*good, off]), "012", readers.masks)
    by_pair = {(one.one, one.other): one.overall[0].value for one in found.pairs}
    assert by_pair[0, 1] == pytest.approx(39 / 40, abs=0.01)
    assert by_pair[0, 2] == pytest.approx(0.5, abs=0.01)
    assert [(name, one.annotator) for name, one in found.apart if one.flagged] == [("DSC", 2)]
    assert found.people[2].overall[0].value == pytest.approx(0.52, abs=0.02)


def test_a_mask_that_one_alone_drew_counts_as_no_overlap_and_two_empty_ones_as_nothing(readers: Readers) -> None:
    [dice] = figures_of(readers.drawn([[(0, 50), None], [None, None]]), "01", readers.masks).overall
    assert (dice.value, dice.n) == (0.0, 2)
