"""Numbers and names as a report writes them."""

from __future__ import annotations

import math

from seedqueue.experiments.cells import PoolFacts
from seedqueue.experiments.metrics import DISTANCES, TITLES
from seedqueue.experiments.significance import Difference

NONE = "–"


def title(metric: str, unit: str = "") -> str:
    """unit: of a pool's distances, told of the metrics that are distances."""
    told = TITLES.get(metric, metric)
    return f"{told} ({unit})" if unit and metric in DISTANCES else told


def number(value: float, metric: str = "") -> str:
    """Three decimals, one for distances in pixels or mm."""
    if math.isnan(value):
        return NONE
    return f"{value:.{digits(metric)}f}".replace("-", "−")


def signed(value: float, metric: str = "") -> str:
    if math.isnan(value):
        return NONE
    told = f"{value:+.{digits(metric)}f}"
    return told[1:] if float(told) == 0 else told.replace("-", "−")


def digits(metric: str) -> int:
    return 1 if metric.startswith("hd") else 3


def interval(found: Difference, metric: str = "") -> str:
    """Its two ends, "–" where there is none."""
    if math.isnan(found.low):
        return NONE
    return f"{signed(found.low, metric)} to {signed(found.high, metric)}"


def probability(p: float) -> str:
    if math.isnan(p):
        return NONE
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def prevalence(fact: PoolFacts) -> str:
    """The share of images with the target; of several classes each one's."""
    if len(fact.classes) < 2:
        return percent(fact.prevalence)
    return ", ".join(f"{name} {percent(count / fact.n)}" for name, count in fact.classes.items())


def seconds(value: float) -> str:
    """Three significant digits, without powers of ten."""
    if math.isnan(value):
        return NONE
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.{max(0, 2 - math.floor(math.log10(abs(value))))}f}"


def plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + f" and {names[-1]}"


def code(name: str) -> str:
    return f"`{name}`"


def slug(*parts: str) -> str:
    """A file name of these parts: small letters, digits and hyphens."""
    kept = "".join(each if each.isascii() and each.isalnum() else "-" for each in "-".join(parts).lower())
    return "-".join(piece for piece in kept.split("-") if piece) or "figure"
