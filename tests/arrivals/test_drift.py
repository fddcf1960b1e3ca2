"""Tests of drift: planted drift is found, and without any a look cries wolf no more often than it promises."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from seedqueue.backend.arrivals.drift import (
    COMPONENTS,
    LEVEL,
    Test,
    appearance_tests,
    corrected,
    one_of_each,
)
from seedqueue.backend.arrivals.fields import field_test
from seedqueue.backend.arrivals.separable import separability

OLD, NEW, D = 120, 50, 24


def embeddings(seed: int, shift: float = 0.0) -> NDArray[np.float32]:
    """A pool of four clusters; the new rows moved along one direction."""
    rng = np.random.default_rng(seed)
    corners = 3 * rng.standard_normal((4, D))
    rows = corners[rng.integers(4, size=OLD + NEW)] + rng.standard_normal((OLD + NEW, D))
    rows[OLD:, 0] += shift
    return np.asarray(rows, dtype=np.float32)


def looked(rows: NDArray[np.float32], seed: int = 0) -> list[Test]:
    return corrected(appearance_tests(rows, np.arange(OLD), np.arange(OLD, OLD + NEW), seed))


def test_without_drift_at_most_5_percent_of_looks_cry_wolf() -> None:
    """All tests of a look together. 30 looks: of a rate of 5 % more than 4 come once in 60 times."""
    rng = np.random.default_rng(7)
    alarms = 0
    for repeat in range(30):
        tests = appearance_tests(embeddings(repeat), np.arange(OLD), np.arange(OLD, OLD + NEW), repeat)
        views = rng.choice(["PA", "AP", "LL"], p=[0.6, 0.3, 0.1], size=OLD + NEW).tolist()
        field = field_test("view", views[:OLD], views[OLD:])
        assert isinstance(field, Test)
        alarms += any(one.drifted for one in corrected([*tests, field]))
    assert alarms <= 4


def test_each_test_alone_is_wrong_as_often_as_it_says() -> None:
    """What Holm's correction rests on: p values are uniform where nothing drifted, not smaller."""
    found = [separability(*np.split(embeddings(900 + at).astype(float), [OLD]), seed=at).p for at in range(30)]
    assert sum(p < 0.1 for p in found) <= 7
    assert 0.35 < np.mean(found) < 0.65


def test_planted_drift_is_found_and_told_by_its_size() -> None:
    tests = looked(embeddings(1, shift=3.0))
    appearance = tests[0]
    assert (appearance.kind, appearance.drifted) == ("appearance", True)
    assert appearance.low is not None
    assert appearance.high is not None
    assert 0.75 < appearance.low <= appearance.size <= appearance.high <= 1
    assert any(one.drifted for one in tests if one.kind == "component")
    assert len(tests) == 1 + min(COMPONENTS, D)


def test_a_larger_drift_is_a_larger_size() -> None:
    sizes = [looked(embeddings(2, shift))[0].size for shift in (0.0, 1.5, 4.0)]
    assert sizes == sorted(sizes)
    assert abs(sizes[0] - 0.5) < 0.15


def test_images_of_one_patient_are_no_drift_where_one_of_each_is_tested() -> None:
    """20 images of each of 6 old and 6 new patients: all images together look drifted, one a patient cannot be."""
    rng = np.random.default_rng(5)
    patients = np.repeat(np.arange(24), 20)
    rows = (4 * rng.standard_normal((24, D))[patients] + rng.standard_normal((480, D))).astype(np.float32)
    old, new = np.arange(240), np.arange(240, 480)
    assert any(one.drifted for one in corrected(appearance_tests(rows, old, new, 0)))
    alone = [one_of_each(part, patients, 0) for part in (old, new)]
    assert [len(part) for part in alone] == [12, 12]
    assert not any(one.drifted for one in corrected(appearance_tests(rows, *alone, 0)))


def test_one_row_of_each_patient_whichever() -> None:
    groups = np.array([5, 5, 5, 2, 9, 9])
    rows = one_of_each(np.array([0, 1, 2, 3, 5]), groups, 0)
    assert sorted(groups[rows].tolist()) == [2, 5, 9]
    assert set(rows.tolist()) <= {0, 1, 2, 3, 5}
    assert len({tuple(one_of_each(np.arange(6), groups, seed).tolist()) for seed in range(20)}) > 1


def test_too_few_images_are_not_tested() -> None:
    assert appearance_tests(embeddings(0), np.arange(OLD), np.arange(OLD, OLD + 7), 0) == []
    assert corrected([]) == []


def test_holm_multiplies_the_smallest_by_all_and_never_falls() -> None:
    given = [Test(name, "field", 0.0, p) for name, p in (("a", 0.04), ("b", 0.01), ("c", 0.03), ("d", 0.9))]
    assert [one.adjusted for one in corrected(given)] == pytest.approx([0.09, 0.04, 0.09, 0.9])
    assert [one.name for one in corrected(given) if one.drifted] == ["b"]
    assert LEVEL == 0.05
