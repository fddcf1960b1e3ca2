"""Whether a field of task data has other values in new tasks than in old ones: words or numbers. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np

from seedqueue.backend.arrivals.drift import Test

NONE = "(none)"
OTHER = "(other)"
LEAST_EXPECTED = 5  # in a cell of the table: rarer values are taken together (Cochran 1954)
NUMERIC_SHARE, DISTINCT = 0.9, 10  # so many of the values are numbers, and so many different ones: it is a measurement
SHOWN = 3
PER_YEAR = {"Y": 1, "M": 12, "W": 365.25 / 7, "D": 365.25}


def field_test(name: str, old: Sequence[str], new: Sequence[str]) -> Test | str:
    """The comparison of one field, or why there is none. old, new: its value of each task, "" where it has none."""
    given_old, given_new = [one for one in old if one], [one for one in new if one]
    if not given_old and not given_new:
        return "no task has it"
    numbers = [_number(one) for one in (*given_old, *given_new)]
    known = [one for one in numbers if one is not None]
    if len(known) >= NUMERIC_SHARE * len(numbers) and len(set(known)) > DISTINCT and given_old and given_new:
        return _of_numbers(name, given_old, given_new)
    return _of_words(name, [one or NONE for one in old], [one or NONE for one in new])


def _number(text: str) -> float | None:
    """DICOM writes an age as 045Y or 006M: in years."""
    unit = PER_YEAR.get(text[-1:]) if text[:-1].isdigit() else None
    try:
        found = float(text[:-1]) / unit if unit else float(text)
    except ValueError:
        return None
    return found if math.isfinite(found) else None


def _of_numbers(name: str, old: Sequence[str], new: Sequence[str]) -> Test | str:
    from scipy.stats import ks_2samp

    before, after = ([one for one in map(_number, part) if one is not None] for part in (old, new))
    if not before or not after:
        told = (["no number" if _number(one) is None else "a number" for one in part] for part in (old, new))
        return _of_words(name, *told)
    found = ks_2samp(before, after)
    said = f"median {np.median(before):g} before, {np.median(after):g} now"
    return Test(name, "field", float(found.statistic), float(found.pvalue), said=said)


def _of_words(name: str, old: Sequence[str], new: Sequence[str]) -> Test | str:
    """A chi-square test; Fisher's exact one of two values of which one is rare."""
    from scipy.stats import chi2_contingency, fisher_exact

    counts = _merged(Counter(old), Counter(new))
    if len(counts) < 2:
        only = next(iter(counts))
        return "its values are too many and too rare" if only == OTHER else f"it is {only!r} everywhere"
    table = np.array(list(counts.values()), dtype=np.int64).T
    found = chi2_contingency(table, correction=False)
    p = float(found.pvalue)
    if len(counts) == 2 and found.expected_freq.min() < LEAST_EXPECTED:
        p = float(fisher_exact(table).pvalue)
    return Test(name, "field", math.sqrt(float(found.statistic) / table.sum()), p, said=_changes(counts))


def _merged(old: Counter[str], new: Counter[str]) -> dict[str, tuple[int, int]]:
    """{value: (old, new)}; the rarest values are taken together until none is too rare for the test, or two are left.

    By their number in both parts together: whoever looked at one part first would find what he looks for.
    """
    both = old + new
    least = LEAST_EXPECTED * both.total() / min(old.total(), new.total())
    rising = sorted(both, key=lambda value: (both[value], value))
    together: list[str] = []
    if len(both) > 2:
        while len(rising) > 1 and (both[rising[0]] < least or 0 < sum(both[one] for one in together) < least):
            together.append(rising.pop(0))
        if both[rising[0]] < LEAST_EXPECTED:
            together.append(rising.pop(0))
    counts = {value: (old[value], new[value]) for value in reversed(rising)}
    if together:
        counts[OTHER] = (sum(old[value] for value in together), sum(new[value] for value in together))
    return counts


def _changes(counts: dict[str, tuple[int, int]]) -> str:
    """The values whose share changed most: "lateral 20 % before, 45 % now"."""
    old, new = (sum(pair[at] for pair in counts.values()) for at in (0, 1))
    shares = {value: (pair[0] / old, pair[1] / new) for value, pair in counts.items()}
    most = sorted(shares, key=lambda value: -abs(shares[value][1] - shares[value][0]))[:SHOWN]
    return "; ".join(f"{value} {percent(shares[value][0])} before, {percent(shares[value][1])} now" for value in most)


def percent(share: float) -> str:
    return f"{100 * share:.0f} %"
