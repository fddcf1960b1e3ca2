"""Agreement of annotators, by hand and by scikit-learn."""

import numpy as np
import pytest
from annotated import MASKS, MULTI, SINGLE, annotation, choice, region, task
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from seedqueue.backend.agreement import fleiss_kappa, kappa
from seedqueue.backend.annotations import examples_from


def test_cohens_kappa_of_two_by_hand() -> None:
    # Cohen 1960 by hand: of ten, agreement 0.7; by chance 0.6 x 0.5 + 0.4 x 0.5 = 0.5.
    said = [("cat", "cat")] * 4 + [("cat", "dog")] * 2 + [("dog", "cat")] + [("dog", "dog")] * 3
    tasks = [task(n, annotation(1, choice(a)), annotation(2, choice(b))) for n, (a, b) in enumerate(said)]
    found = examples_from(tasks, SINGLE).agreement
    assert (found.tasks, found.annotators) == (10, 2)
    assert found.kappa == pytest.approx((0.7 - 0.5) / (1 - 0.5))
    assert found.kappas == {"cat": pytest.approx(0.4), "dog": pytest.approx(0.4), "cow": None}
    assert found.kappa == pytest.approx(cohen_kappa_score(*zip(*said, strict=True)))


def test_fleiss_kappa_of_the_worked_example() -> None:
    # Fourteen raters, ten subjects, five categories: the widely published example, kappa 0.210.
    counts = [
        [0, 0, 0, 0, 14],
        [0, 2, 6, 4, 2],
        [0, 0, 3, 5, 6],
        [0, 3, 9, 2, 0],
        [2, 2, 8, 1, 1],
        [7, 7, 0, 0, 0],
        [3, 2, 6, 3, 0],
        [2, 5, 3, 2, 2],
        [6, 5, 2, 1, 0],
        [0, 2, 2, 3, 7],
    ]
    assert fleiss_kappa(np.array(counts)) == pytest.approx(0.20993, abs=1e-5)


def test_fleiss_kappa_of_three_by_hand() -> None:
    # P = 1, 1/3, 1/3; p = 5/9, 4/9: (5/9 - 41/81) / (1 - 41/81) = 4/40.
    said = [("cat", "cat", "cat"), ("cat", "dog", "dog"), ("dog", "dog", "cat")]
    tasks = [
        task(n, *(annotation(by, choice(label)) for by, label in enumerate(labels, 1))) for n, labels in enumerate(said)
    ]
    found = examples_from(tasks, SINGLE).agreement
    assert found.annotators == 3
    assert found.kappa == pytest.approx((5 / 9 - 41 / 81) / (1 - 41 / 81))


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=20))
def test_the_kappa_of_two_is_sklearns(said: list[tuple[int, int]]) -> None:
    found = kappa([{"x": a, "y": b} for a, b in said])
    if len({answer for pair in said for answer in pair}) < 2:
        assert found is None
    else:
        assert found == pytest.approx(cohen_kappa_score(*zip(*said, strict=True)))


def test_kappa_counts_tasks_that_two_annotated() -> None:
    alone = task(1, annotation(1, choice("cat")))
    twice_by_one = task(2, annotation(1, choice("cat"), by=1), annotation(2, choice("dog"), by=1, day=2))
    both = task(3, annotation(3, choice("cat"), by=1), annotation(4, choice("cat"), by=2))
    found = examples_from([alone, twice_by_one, both], SINGLE).agreement
    assert (found.tasks, found.annotators, found.kappa) == (1, 2, None)


def test_the_kappa_of_several_choices_is_the_mean_of_the_classes() -> None:
    said = [(("cat",), ("cat", "dog")), (("dog",), ("dog",)), (("cat", "dog"), ("cat",)), (("cow",), ("cow",))]
    tasks = [task(n, annotation(1, choice(*a)), annotation(2, choice(*b))) for n, (a, b) in enumerate(said)]
    found = examples_from(tasks, MULTI).agreement
    expected = {
        name: cohen_kappa_score([name in a for a, _ in said], [name in b for _, b in said]) for name in MULTI.classes
    }
    assert found.kappas == pytest.approx(expected)
    assert found.kappa == pytest.approx(np.mean(list(expected.values())))


def test_dice_is_the_mean_over_pairs() -> None:
    # Pairs of 2, 1 and 0 pixels: 2 x 1 / 3, 0 and 0.
    said = [annotation(1, region([[1, 1, 0, 0]])), annotation(2, region([[1, 0, 0, 0]])), annotation(3)]
    negative = task(2, annotation(1), annotation(2))
    found = examples_from([task(1, *said), negative], MASKS).agreement
    assert found.dice == pytest.approx((2 / 3 + 0 + 0) / 3)
    assert found.dices == {"a": pytest.approx(2 / 9), "b": None}
    assert examples_from([negative], MASKS).agreement.dice is None


def test_dice_of_large_masks_is_compared_on_a_small_raster() -> None:
    left = np.zeros((900, 1200), dtype=int)
    left[:, :600] = 1
    middle = np.roll(left, 300, axis=1)
    found = examples_from([task(1, annotation(1, region(left)), annotation(2, region(middle)))], MASKS).agreement
    assert found.dice == pytest.approx(0.5, abs=0.01)
