"""What a held-out set says of one version and of two: defined for any labels, paired, through JSON unchanged."""

import json

import numpy as np
import pytest
from numpy.typing import NDArray
from pools import CLASSES, MASKS, example

from seedqueue.backend.examples import Example
from seedqueue.backend.judging import LEAST_FOR_PREVALENCE, Predicted, compare, judge, recalibrated, targets, verdict
from seedqueue.backend.learn_classes import prevalences, thresholds
from seedqueue.models.metrics.figure import Difference
from seedqueue.models.metrics.masks import mask_figures

NOBODY = Predicted({}, {})


def says(examples: list[Example], right: float, seed: int = 0) -> Predicted:
    """Probabilities of which a share of `right` points at the truth."""
    random = np.random.default_rng(seed)
    rows = {}
    for one in examples:
        shown = one.task % 3 if random.random() < right else int(random.integers(3))
        row = np.full(3, 0.1)
        row[shown] = 0.8
        rows[one.task] = tuple(row.tolist())
    return Predicted(rows, {})


def alone(examples: list[Example]) -> NDArray[np.int64]:
    return np.arange(len(examples))


EXAMPLES = [example(task) for task in range(1, 61)]


def test_the_better_version_has_the_better_figure() -> None:
    good, bad = (judge(says(EXAMPLES, right), EXAMPLES, alone(EXAMPLES), CLASSES, "single", (), 0) for right in (1, 0))
    assert good.primary_name == "macro AUPRC over 3 classes"
    assert good.primary.value == 1
    assert bad.primary.value is not None
    assert bad.primary.value < 0.6
    assert json.loads(json.dumps(good.figures))["n"] == 60


@pytest.mark.parametrize(("kind", "threshold"), [("single", ()), ("multi", (0.5, 0.5, 0.5)), ("masks", ())])
def test_nothing_held_out_has_an_answer(kind: str, threshold: tuple[float, ...]) -> None:
    judged = judge(NOBODY, [], alone([]), CLASSES, kind, threshold, 0)
    assert judged.primary.value is None
    assert judged.primary.reason
    json.dumps(judged.figures, allow_nan=False)


@pytest.mark.parametrize("count", [1, 2])
def test_one_class_only_has_an_answer(count: int) -> None:
    alike = [example(3 * task) for task in range(1, count + 1)]
    judged = judge(says(alike, 1), alike, alone(alike), CLASSES, "single", (0.5, 0.5, 0.5), 0)
    assert judged.primary.value is None
    json.dumps(judged.figures, allow_nan=False)
    found = compare(says(alike, 1), says(alike, 0), alike, alone(alike), "single", 0)
    assert found is not None
    assert found.value is None
    assert verdict(found, "linear-1", "audit slice")[0]


def test_two_versions_are_compared_on_what_both_have_seen() -> None:
    new, old = says(EXAMPLES, 1), says(EXAMPLES[:40], 0.2)
    found = compare(new, old, EXAMPLES, alone(EXAMPLES), "single", 0)
    assert found is not None
    assert (found.n, found.groups) == (40, 40)
    assert found.low is not None
    assert found.low > 0
    other = compare(old, new, EXAMPLES, alone(EXAMPLES), "single", 0)
    assert other is not None
    assert (other.value, other.high) == (pytest.approx(-(found.value or 0)), pytest.approx(-found.low))
    assert compare(new, says(EXAMPLES[:0], 1), EXAMPLES, alone(EXAMPLES), "single", 0) is None
    assert compare(NOBODY, NOBODY, [], alone([]), "masks", 0) is None


def test_masks_are_compared_too_and_come_back_from_json() -> None:
    held_out = [example(task, labelling=MASKS) for task in range(1, 13)]
    truth = np.zeros((2, 4, 4), dtype=bool)
    truth[:, :2] = True
    shifted = np.roll(truth, 1, axis=1)
    new, old = (Predicted({}, {one.task: mask_figures(p, truth, None) for one in held_out}) for p in (truth, shifted))
    again = Predicted.from_body(json.loads(json.dumps(new.body())))
    assert again == new
    judged = judge(again, held_out, alone(held_out), ("a", "b"), "masks", (), 0)
    assert judged.primary.value == 1
    found = compare(again, old, held_out, alone(held_out), "masks", 0)
    assert found is not None
    assert found.value == pytest.approx(0.5)


def test_probabilities_come_back_from_json() -> None:
    said = says(EXAMPLES, 0.5)
    assert Predicted.from_body(json.loads(json.dumps(said.body()))) == said


@pytest.mark.parametrize(
    ("low", "high", "promoted", "word"),
    [(-0.2, -0.01, False, "worse: -0.050"), (-0.2, 0.0, True, "-0.050"), (0.01, 0.1, True, "on the audit slice")],
)
def test_only_what_is_surely_worse_is_held_back(low: float, high: float, promoted: bool, word: str) -> None:
    found = verdict(Difference(-0.05, low, high, 30, 30), "linear-1", "audit slice")
    assert found[0] is promoted
    assert word in found[1]


def test_without_a_comparison_it_is_promoted_and_told_why() -> None:
    difference = Difference(-0.5, None, None, 3, 1, "one group")
    told = [
        verdict(difference, "linear-1", ""),
        verdict(None, "", "audit slice"),
        verdict(None, "linear-1", "audit slice"),
        verdict(Difference(None, None, None, 3, 3, "no class"), "linear-1", "audit slice"),
        verdict(difference, "linear-1", "ground truth"),
    ]
    assert all(promoted for promoted, _ in told)
    for (_, why), word in zip(
        told, ["unaudited", "first", "in common", "no class", "without an interval"], strict=True
    ):
        assert word in why


def test_probabilities_move_to_the_audits_prevalence() -> None:
    given = np.array([[0.5, 0.3, 0.2], [0.2, 0.2, 0.6]])
    assert recalibrated(given, "single", (), ()) is not None
    np.testing.assert_array_equal(recalibrated(given, "single", (), ()), given)
    moved = recalibrated(given, "single", (1 / 3, 1 / 3, 1 / 3), (0.8, 0.1, 0.1))
    np.testing.assert_allclose(moved.sum(axis=1), 1)
    np.testing.assert_allclose(moved[0], np.array([0.4, 0.03, 0.02]) / 0.45)
    each = recalibrated(given[:, :1], "multi", (0.5,), (0.2,))
    np.testing.assert_allclose(each[:, 0], [0.2, 0.05 / 0.85 * 1.0], atol=1e-6)


def test_the_prevalence_is_believed_from_enough_audit_labels_on() -> None:
    truth = targets(EXAMPLES, 3)
    few, enough = EXAMPLES[: LEAST_FOR_PREVALENCE - 1], EXAMPLES[:LEAST_FOR_PREVALENCE]
    assert prevalences(truth, few, "single") == ((), ())
    prior, target = prevalences(truth[:4], enough, "single")
    assert sum(prior) == pytest.approx(1)
    assert target == pytest.approx([1 / 3] * 3, abs=0.02)
    assert prevalences(truth[:0], enough, "single") == ((), ())


def test_thresholds_of_folds() -> None:
    assert thresholds(None, targets(EXAMPLES, 3)) == ()
    folded = np.where(targets(EXAMPLES, 3), 0.7, 0.2)
    chosen = thresholds(folded, targets(EXAMPLES, 3))
    assert all(0.2 < each <= 0.7 for each in chosen)
