"""Fields of task data: words and numbers compared, what cannot be compared said."""

from __future__ import annotations

import numpy as np
import pytest

from seedqueue.backend.arrivals.drift import Test
from seedqueue.backend.arrivals.fields import field_test


def of(old: list[str], new: list[str]) -> Test:
    found = field_test("field", old, new)
    assert isinstance(found, Test), found
    return found


def test_other_shares_of_words_are_found_and_told() -> None:
    found = of(["PA"] * 80 + ["LL"] * 20, ["PA"] * 20 + ["LL"] * 30)
    assert found.p < 1e-5
    assert found.said.split("; ")[0] in ("LL 20 % before, 60 % now", "PA 80 % before, 40 % now")
    assert of(["PA"] * 80 + ["LL"] * 20, ["PA"] * 40 + ["LL"] * 10).p == pytest.approx(1)


def test_a_value_that_nobody_had_before_is_found() -> None:
    found = of(["Siemens"] * 60 + ["GE"] * 40, ["Siemens"] * 20 + ["Fuji"] * 20)
    assert found.p < 1e-5
    assert "Fuji 0 % before, 50 % now" in found.said


def test_a_field_that_is_missing_now_is_found() -> None:
    found = of(["M", "F"] * 30, [""] * 30)
    assert found.p < 1e-5
    assert "(none) 0 % before, 100 % now" in found.said


def test_few_tasks_are_tested_exactly() -> None:
    """Fisher's tea: 3 of 4 against 1 of 4 is p = 0.486, where chi-square would say 0.157."""
    assert of(["milk"] * 3 + ["tea"], ["milk"] + ["tea"] * 3).p == pytest.approx(0.486, abs=1e-3)


def test_rare_values_are_taken_together() -> None:
    old = ["PA"] * 70 + ["LL"] * 20 + [f"odd {n}" for n in range(10)]
    new = ["PA"] * 35 + ["LL"] * 10 + [f"odd {n}" for n in range(10, 15)]
    found = of(old, new)
    assert found.p == pytest.approx(1)
    assert "(other) 10 % before, 10 % now" in found.said


def test_numbers_are_compared_as_numbers_ages_as_dicom_writes_them_too() -> None:
    rng = np.random.default_rng(0)
    old, new = ([f"{int(age):03d}Y" for age in rng.normal(middle, 10, size=n)] for middle, n in ((60, 200), (40, 50)))
    found = of(old, new)
    assert found.p < 1e-6
    assert found.said.startswith("median 6")
    assert of(old, old[:50]).p > 0.05
    with_gaps = of([*old, ""], [*new, ""])
    assert with_gaps.p < 1e-6


def test_ages_of_infants_are_years_too() -> None:
    years = [f"{age:03d}Y" for age in range(2, 40)]
    found = of([*years] * 2, [f"{month:03d}M" for month in range(2, 24)])
    assert found.said.endswith("1.04167 now")
    assert found.size == 1


def test_what_cannot_be_compared_says_why() -> None:
    assert field_test("field", ["", ""], [""]) == "no task has it"
    assert field_test("field", ["DX"] * 9, ["DX"] * 3) == "it is 'DX' everywhere"
    unique = [f"report {n}" for n in range(60)]
    assert field_test("field", unique[:40], unique[40:]) == "its values are too many and too rare"
