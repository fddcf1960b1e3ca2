"""Figures with their 95 % intervals as facts: of versions, whose rows hold mappings, and of agreement."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from seedqueue.backend.methods.facts import NOTHING, Fact, Source, number, words
from seedqueue.backend.milestones import Measured


def interval(value: float | None, low: float | None, high: float | None, source: Source) -> Fact:
    """ "0.812 (95% CI: 0.743, 0.871)"; without the brackets where there is no interval, empty without a value."""
    if value is None:
        return NOTHING
    shown = number(value, source)
    if low is None or high is None:
        return Fact(f"{shown.shown} (no interval)", shown.values, shown.sources)
    ends = [number(end, source).shown for end in (low, high)]
    return Fact(f"{shown.shown} (95% CI: {', '.join(ends)})", (value, low, high), (source,))


def figure(found: Mapping[str, Any] | None, source: Source) -> Fact:
    """A `Figure` as a version's row holds it; an undefined one tells its reason."""
    if not found:
        return NOTHING
    if found.get("value") is None:
        return words(f"not defined ({found.get('reason') or 'no reason recorded'})", source)
    return interval(found["value"], found.get("low"), found.get("high"), source)


def measured(found: Measured, source: Source) -> Fact:
    if found.value is None:
        return words("not defined", source)
    return interval(found.value, found.low, found.high, source)
