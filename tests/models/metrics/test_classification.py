"""A classifier's figures: against scikit-learn, and where there is too little to have one."""

import json
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from seedqueue.models.errors import NotOneClass, NotProbabilities, UnequalLengths
from seedqueue.models.metrics.classification import (
    ClassificationFigures,
    Scores,
    classification_figures,
    primary_difference,
)
from seedqueue.models.metrics.figure import Figure


def exclusive(n: int, prevalence: list[float], seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    targets = np.eye(len(prevalence), dtype=bool)[rng.choice(len(prevalence), n, p=prevalence)]
    odds = np.exp(rng.normal(size=targets.shape) + 1.5 * targets)
    return odds / odds.sum(axis=1, keepdims=True), targets


def all_figures(found: ClassificationFigures) -> list[Figure]:
    parts = [*found.classes, found.macro]
    return [getattr(part, name) for part in parts for name in Scores.__dataclass_fields__] + [
        found.accuracy,
        found.primary,
    ]


def test_equal_to_scikit_learn_class_by_class() -> None:
    p, y = exclusive(200, [0.4, 0.35, 0.25])
    thresholds = np.array([0.3, 0.4, 0.5])
    found = classification_figures(p, y, "abc", "single", thresholds, np.arange(200))
    for each, figures in enumerate(found.classes):
        called = p[:, each] >= thresholds[each]
        expected = {
            "prevalence": y[:, each].mean(),
            "auprc": metrics.average_precision_score(y[:, each], p[:, each]),
            "auroc": metrics.roc_auc_score(y[:, each], p[:, each]),
            "f1": metrics.f1_score(y[:, each], called),
            "sensitivity": metrics.recall_score(y[:, each], called),
            "specificity": metrics.recall_score(~y[:, each], ~called),
            "brier": metrics.brier_score_loss(y[:, each], p[:, each]),
        }
        for name, value in expected.items():
            figure = getattr(figures, name)
            assert figure.value == pytest.approx(value), name
            assert figure.low < figure.value < figure.high, name
        assert (figures.n, figures.positives) == (200, y[:, each].sum())
        assert figures.auprc_above_chance.value == pytest.approx(
            (expected["auprc"] - expected["prevalence"]) / (1 - expected["prevalence"])
        )
    assert found.macro.auprc.value == pytest.approx(metrics.average_precision_score(y, p, average="macro"))
    assert found.macro.auroc.value == pytest.approx(metrics.roc_auc_score(y, p, average="macro"))
    assert found.accuracy.value == pytest.approx(metrics.accuracy_score(y.argmax(1), p.argmax(1)))
    assert found.primary == found.macro.auprc
    assert found.primary_name == "macro AUPRC over 3 classes"
    assert found.left_out == ()


def test_without_thresholds_the_most_probable_class_is_called() -> None:
    p, y = exclusive(200, [0.5, 0.5])
    found = classification_figures(p, y, "ab", "single", None, np.arange(200))
    assert found.macro.f1.value == pytest.approx(metrics.f1_score(y.argmax(1), p.argmax(1), average="macro"))
    assert found.classes[0].threshold is None
    multi = classification_figures(p, y, "ab", "multi", None, np.arange(200))
    assert multi.classes[0].f1 == Figure(None, reason="no threshold was chosen")
    assert multi.macro.sensitivity.reason == "a: no threshold was chosen; b: no threshold was chosen"
    assert multi.accuracy == Figure(None, reason="an image can have several classes")


def test_of_two_exclusive_classes_the_rarer_decides_and_the_macro_is_over_both() -> None:
    p, y = exclusive(150, [0.3, 0.7])
    found = classification_figures(p, y, ["rare", "common"], "single", None, np.arange(150))
    assert found.primary == found.classes[0].auprc
    assert found.primary_name == "AUPRC of rare"
    both = [each.auprc.value for each in found.classes]
    assert found.macro.auprc.value == pytest.approx(np.mean(both))  # type: ignore[arg-type]
    even = np.eye(2, dtype=bool)[np.arange(150) % 2]
    assert classification_figures(p, even, "ab", "single", None, np.arange(150)).primary_name == "AUPRC of b"
    assert classification_figures(p, y, "ab", "multi", None, np.arange(150)).primary_name.startswith("macro")


def test_fewer_than_20_positives_have_areas_and_no_f1() -> None:
    p, y = exclusive(150, [0.9, 0.1])
    y[:] = np.arange(150)[:, None] < 19
    y[:, 0] = ~y[:, 1]
    found = classification_figures(p, y, "ab", "single", None, np.arange(150))
    assert found.classes[1].f1 == Figure(None, reason="19 positive images, fewer than 20")
    assert found.classes[1].auprc.low is not None
    assert found.classes[1].auroc.low is not None
    assert found.classes[0].f1.value is not None
    assert found.macro.f1 == Figure(None, reason="b: 19 positive images, fewer than 20")
    y[19] = [False, True]
    again = classification_figures(p, y, "ab", "single", None, np.arange(150))
    assert again.classes[1].f1.value is not None


def test_a_class_without_positives_leaves_the_macro_and_is_named() -> None:
    p, y = exclusive(60, [0.4, 0.6, 0.0])
    found = classification_figures(p, y, ["a", "b", "never"], "single", None, np.arange(60))
    never = found.classes[2]
    for name in ("auprc", "auprc_above_chance", "auroc", "f1", "sensitivity"):
        assert getattr(never, name) == Figure(None, reason="no positive image"), name
    assert never.specificity.value is not None
    assert never.prevalence.value == 0
    assert found.left_out == ("never",)
    values = [each.auprc.value for each in found.classes[:2]]
    assert found.macro.auprc.value == pytest.approx(np.mean(values))  # type: ignore[arg-type]
    assert found.primary_name == "macro AUPRC over 2 classes"


def test_one_class_only_has_defined_answers() -> None:
    y = np.array([[True, False]] * 10)
    found = classification_figures(np.full((10, 2), 0.5), y, "ab", "single", None, np.arange(10))
    assert found.primary == Figure(None, reason="no class with positive and negative images")
    assert found.left_out == ("a", "b")
    assert found.classes[0].auprc == Figure(None, reason="no negative image")
    assert found.classes[0].sensitivity.value == 1
    assert found.accuracy.value == 1
    alone = classification_figures(np.ones((10, 1)), y[:, :1], "a", "single", None, np.arange(10))
    assert alone.primary.value is None


def test_equal_scores_are_chance_without_an_interval_of_auroc() -> None:
    y = np.arange(40)[:, None] < 10
    found = classification_figures(np.full((40, 1), 0.5), y, "a", "multi", np.array([0.5]), np.arange(40))
    assert found.classes[0].auroc == Figure(0.5, reason="all resamples agree: no interval")
    assert found.classes[0].auprc.value == pytest.approx(0.25)
    assert found.classes[0].auprc_above_chance.value == pytest.approx(0)


def test_positives_of_one_group_give_no_interval_and_those_of_few_a_caution() -> None:
    p, y = exclusive(40, [0.8, 0.2])
    y[:, 1] = np.arange(40) < 8
    y[:, 0] = ~y[:, 1]
    one = classification_figures(p, y, "ab", "single", None, np.arange(40) // 8)
    assert one.classes[1].auroc.low is None
    assert one.classes[1].auroc.reason == "all positive images are of one group: no interval"
    assert one.macro.auroc.low is None
    assert one.classes[1].brier.low is not None
    few = classification_figures(p, y, "ab", "single", None, np.arange(40))
    assert few.classes[1].auroc.low is not None
    assert few.classes[1].caution.startswith("positive images of only 8 groups")
    assert few.classes[0].caution.startswith("negative images of only 8 groups")


def test_ten_images_and_none() -> None:
    p, y = exclusive(10, [0.3, 0.3, 0.4])
    found = classification_figures(p, y, "abc", "single", None, np.arange(10))
    assert found.macro.auroc.value is not None
    none = classification_figures(p[:0], y[:0], "abc", "single", None, np.zeros(0, dtype=np.int64))
    assert {(each.value, each.low) for each in all_figures(none)} == {(None, None)}
    assert none.classes[0].brier.reason == "no image"


def test_wider_intervals_from_groups_than_from_images() -> None:
    p, y = exclusive(40, [0.5, 0.5])
    p, y = np.repeat(p, 4, axis=0), np.repeat(y, 4, axis=0)
    width = []
    for groups in (np.arange(160) // 4, np.arange(160)):
        primary = classification_figures(p, y, "ab", "single", None, groups).primary
        assert primary.low is not None
        assert primary.high is not None
        width.append(primary.high - primary.low)
    assert width[0] > 1.5 * width[1]


def test_the_primary_difference_is_that_of_the_primary_figures() -> None:
    a, y = exclusive(120, [0.3, 0.5, 0.2], seed=1)
    b = exclusive(120, [0.3, 0.5, 0.2], seed=2)[0]
    groups = np.arange(120) // 2
    for columns, kind in (([0, 1, 2], "single"), ([0, 1], "multi")):
        first, second = (
            classification_figures(p[:, columns], y[:, columns], "abc"[: len(columns)], kind, None, groups).primary  # type: ignore[arg-type]
            for p in (a, b)
        )
        found = primary_difference(a[:, columns], b[:, columns], y[:, columns], kind, groups)  # type: ignore[arg-type]
        assert first.value is not None
        assert second.value is not None
        assert found.value == pytest.approx(first.value - second.value)
        assert found.low is not None
        assert found.low > 0
    two = np.stack([y[:, 2], ~y[:, 2]], axis=1)
    rare = primary_difference(a[:, [2, 1]], b[:, [2, 1]], two, "single", groups)
    expected = [metrics.average_precision_score(two[:, 0], p[:, 2]) for p in (a, b)]
    assert rare.value == pytest.approx(expected[0] - expected[1])


def test_a_primary_difference_that_cannot_be_says_why() -> None:
    p, y = exclusive(20, [1.0, 0.0])
    assert primary_difference(p, p, y, "single", np.arange(20)).reason == "no class with positive and negative images"
    y[:2] = [False, True]
    found = primary_difference(p, p[::-1].copy(), y, "single", np.arange(20) // 2)
    assert found.value is not None
    assert found.low is None
    assert found.reason == "all positive images are of one group: no interval"


def test_what_does_not_fit_is_refused() -> None:
    p, y = exclusive(10, [0.5, 0.5])
    with pytest.raises(UnequalLengths, match="targets"):
        classification_figures(p, y[:5], "ab", "single", None, np.arange(10))
    with pytest.raises(UnequalLengths, match="thresholds: 1, classes: 2"):
        classification_figures(p, y, "ab", "single", np.ones(1), np.arange(10))
    y[3] = True
    with pytest.raises(NotOneClass, match="row 3 has 2 classes"):
        classification_figures(p, y, "ab", "single", None, np.arange(10))
    for value in (1.5, -0.2, np.nan):
        p[2, 1] = value
        with pytest.raises(NotProbabilities, match="row 2, class 1"):
            classification_figures(p, y, "ab", "single", None, np.arange(10))


@settings(deadline=None)
@given(
    st.integers(0, 100_000), st.integers(0, 8), st.integers(1, 3), st.sampled_from(["single", "multi"]), st.booleans()
)
def test_no_figure_is_ever_not_a_number(seed: int, n: int, classes: int, kind: str, chosen: bool) -> None:
    rng = np.random.default_rng(seed)
    p = rng.integers(3, size=(n, classes)) / 2
    y = np.eye(classes, dtype=bool)[rng.integers(classes, size=n)] if kind == "single" else rng.random(p.shape) < 0.4
    thresholds = np.full(classes, 0.5) if chosen else None
    groups = rng.integers(4, size=n)
    found = classification_figures(p, y, "abc"[:classes], kind, thresholds, groups, bootstraps=20)  # type: ignore[arg-type]
    json.dumps(asdict(found), allow_nan=False)
    for figure in all_figures(found):
        assert (figure.low is None) == (figure.high is None) == bool(figure.reason)
        assert figure.value is not None or figure.low is None
    json.dumps(asdict(primary_difference(p, p, y, kind, groups, bootstraps=20)), allow_nan=False)  # type: ignore[arg-type]
