"""Whether an estimate holds: planted losses are found, equal slices hold, and small ones say nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from pools import CLASSES, example, version

from seedqueue.backend.arrivals.comparing import Compared, compare_classes, compare_masks
from seedqueue.backend.arrivals.holding import MARGIN, verdict
from seedqueue.backend.examples import Example
from seedqueue.backend.judging import Predicted
from seedqueue.models.metrics.masks import ImageFigures


def slice_of(first: int, count: int, noise: float, seed: int) -> tuple[list[Example], dict[int, tuple[float, ...]]]:
    """Labelled images and what a version says of them, the worse the more noise."""
    rng = np.random.default_rng(seed)
    examples = [example(task) for task in range(first, first + count)]
    said = {}
    for one in examples:
        scores = np.eye(3)[one.task % 3] + noise * rng.standard_normal(3)
        said[one.task] = tuple((np.exp(scores) / np.exp(scores).sum()).tolist())
    return examples, said


def compared(old_count: int, new_count: int, old_noise: float, new_noise: float, seed: int = 0) -> Compared:
    old, said = slice_of(1, old_count, old_noise, seed)
    new, more = slice_of(1001, new_count, new_noise, seed + 1)
    slices = ((part, np.arange(len(part))) for part in (old, new))
    return compare_classes(Predicted({**said, **more}, {}), version(1), *slices, seed=0)


def test_a_planted_loss_does_not_hold() -> None:
    found = compared(150, 90, 0.5, 2.5)
    assert found.fresh is not None
    assert found.old is not None
    assert found.difference == found.fresh - found.old < -0.2
    holds, sentence = verdict(found)
    assert holds is False
    assert sentence.startswith("does not hold, the version is worse on the new images: macro AUPRC above chance over 3")
    assert "on 90 new images" in sentence
    assert "on 150 of the first audit" in sentence


def test_equal_slices_hold_where_there_are_enough_and_say_nothing_where_not() -> None:
    found = compared(300, 300, 0.4, 0.4)
    assert verdict(found)[0] is True
    assert found.low is not None
    assert -MARGIN <= found.low <= 0 <= (found.high or 0)
    few = compared(60, 36, 1.0, 1.0)
    assert few.low is not None
    assert few.low < -MARGIN
    assert verdict(few)[0] is None
    assert "is not excluded" in verdict(few)[1]


def test_a_version_that_is_better_on_new_images_does_not_hold_either() -> None:
    holds, sentence = verdict(compared(150, 150, 2.5, 0.5))
    assert holds is False
    assert "better on the new images" in sentence


def test_in_equal_populations_a_loss_is_seen_in_few_looks() -> None:
    """A 95 % interval: 2 or so of 40 pairs of slices lie apart from 0."""
    apart = [verdict(compared(90, 60, 1.0, 1.0, seed=10 * repeat))[0] is False for repeat in range(40)]
    assert sum(apart) <= 5


def test_another_prevalence_alone_is_no_loss() -> None:
    """AUPRC falls with the prevalence where the head tells classes apart as before; above chance it hardly does."""
    rng = np.random.default_rng(3)
    shown = {task: int(rng.random() < (0.5 if task <= 1000 else 0.15)) for task in range(1, 2001)}
    examples = {task: replace(example(task), classes=(not one, bool(one))) for task, one in shown.items()}
    said = {}
    for task, one in shown.items():
        p = 1 / (1 + np.exp(-(3.0 * one - 1.5 + rng.standard_normal())))
        said[task] = (1 - p, p)
    two = version(1, classes=("no", "yes"), kind="single")
    parts = [[examples[task] for task in part] for part in (range(1, 1001), range(1001, 2001))]
    found = compare_classes(Predicted(said, {}), two, *((part, np.arange(1000)) for part in parts), seed=0)
    assert found.metric == "macro AUPRC above chance over 1 class"
    assert found.difference is not None
    assert abs(found.difference) < 0.15


def test_classes_that_hardly_anybody_shows_are_left_out_and_named() -> None:
    old, said = slice_of(1, 60, 0.5, 0)
    new, more = slice_of(1001, 60, 0.5, 1)
    new = [one for one in new if one.task % 3 != 2]
    slices = ((part, np.arange(len(part))) for part in (old, new))
    found = compare_classes(Predicted({**said, **more}, {}), version(1), *slices, seed=0)
    assert found.left_out == (CLASSES[2],)
    assert found.metric.endswith("over 2 classes")
    nothing = compared(60, 20, 0.5, 0.5)
    assert nothing.difference is None
    assert verdict(nothing) == (None, f"cannot be said: {nothing.reason}")
    assert "fewer than 10 images" in nothing.reason


def masks_of(first: int, count: int, dice: float) -> tuple[list[Example], dict[int, tuple[ImageFigures, ...]]]:
    rng = np.random.default_rng(first)
    drawn = np.clip(rng.normal(dice, 0.05, size=count), 0, 1).tolist()
    figures = {first + at: (ImageFigures(dsc, 1.0, 1.0, 1.0, False, None, "pixels"),) for at, dsc in enumerate(drawn)}
    return [example(task) for task in figures], figures


def test_masks_are_compared_by_dice() -> None:
    one = version(1, "unet-vgg11", classes=("a",))
    for dice, expected in ((0.9, True), (0.5, False)):
        old, figures = masks_of(1, 60, 0.9)
        new, more = masks_of(1001, 60, dice)
        slices = ((part, np.arange(60)) for part in (old, new))
        found = compare_masks(Predicted({}, {**figures, **more}), one, *slices, seed=0)
        assert found.metric == "macro DSC over 1 class"
        assert verdict(found)[0] is expected


def test_images_of_few_patients_say_less() -> None:
    old, said = slice_of(1, 120, 1.0, 0)
    new, more = slice_of(1001, 120, 1.0, 1)
    predicted = Predicted({**said, **more}, {})
    alone = compare_classes(predicted, version(1), (old, np.arange(120)), (new, np.arange(120)), seed=0)
    patients = np.arange(120) // 3 % 12
    together = compare_classes(predicted, version(1), (old, np.arange(120)), (new, patients), seed=0)
    assert alone.difference == together.difference
    assert (alone.low, alone.high) != (together.low, together.high)
