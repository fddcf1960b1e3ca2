"""Figures with their 95 % intervals as facts: of versions, whose rows hold mappings, and of agreement."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from seedqueue.backend.methods.facts import NOTHING, Fact, Source, number, words
from seedqueue.backend.milestones import Measured


def interval(value: float, low: float | None, high: float | None, source: Source, *, short: bool = False) -> Fact:
    """ "0.812 (95% CI: 0.743, 0.871)", in tables "0.812 (0.743, 0.871)"; told where there is no interval."""
    shown = number(value, source)
    if low is None or high is None:
        return Fact(f"{shown.shown} (no interval)", shown.values, shown.sources)
    ends = ", ".join(number(end, source).shown for end in (low, high))
    return Fact(f"{shown.shown} ({'' if short else '95% CI: '}{ends})", (value, low, high), (source,))


def figure(found: Mapping[str, Any] | None, source: Source, *, short: bool = False) -> Fact:
    """A `Figure` as a version's row holds it; an undefined one tells its reason."""
    if not found:
        return NOTHING
    if found.get("value") is None:
        return words(f"not defined ({found.get('reason') or 'no reason recorded'})", source)
    return interval(found["value"], found.get("low"), found.get("high"), source, short=short)


def measured(found: Measured, source: Source, *, short: bool = False) -> Fact:
    if found.value is None:
        return words("not defined", source)
    return interval(found.value, found.low, found.high, source, short=short)
