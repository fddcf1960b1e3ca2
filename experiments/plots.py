"""A metric against the budget: a line for each selector, a panel for each embedder."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from seedqueue.experiments import spread, svg, words
from seedqueue.experiments.arms import REFERENCE
from seedqueue.experiments.colours import Look
from seedqueue.experiments.metrics import LOWER_IS_BETTER
from seedqueue.experiments.series import Series

WIDTHS = (560.0, 440.0, 350.0)  # of a panel, by how many stand beside each other
HEIGHT = 290.0
LEFT, RIGHT, TOP, BOTTOM = 52.0, 16.0, 50.0, 44.0
LEGEND_LINE = 20.0


@dataclass(frozen=True)
class Panel:
    """The lines of one embedder, random's first."""

    title: str
    lines: Sequence[Series]


def curves(panels: Sequence[Panel], metric: str, looks: Mapping[str, Look], title: str) -> str:
    """One SVG with the same axes in every panel; random dashed with a band of one SD over repeats."""
    across = min(len(panels), len(WIDTHS))
    panel_width = WIDTHS[across - 1]
    names = list(dict.fromkeys(one.key.selector for panel in panels for one in panel.lines))
    width = across * panel_width
    legend, used = legend_of(names, looks, width)
    scale = _Scale(panels, metric, panel_width)
    body = [legend]
    for at, panel in enumerate(panels):
        x, y = (at % across) * panel_width, used + (at // across) * HEIGHT
        body.append(
            f'<g transform="translate({svg.number(x)} {svg.number(y)})">{_panel(panel, metric, looks, scale)}</g>'
        )
    return svg.page(width, used + math.ceil(len(panels) / across) * HEIGHT, title, body)


def legend_of(names: Sequence[str], looks: Mapping[str, Look], width: float) -> tuple[str, float]:
    """The key of the colours over as many lines as it takes, and its height."""
    x, y, found = 12.0, 20.0, []
    for name in names:
        look, told = looks[name], "uniform (random)" if name == REFERENCE else name
        wide = 44 + 7 * len(told)
        if x > 12 and x + wide > width:
            x, y = 12.0, y + LEGEND_LINE
        found.append(svg.polyline([(x, y - 4), (x + 24, y - 4)], look.colour, look.dash))
        found.append(svg.mark(x + 12, y - 4, look.shape, look.colour) + svg.text(x + 30, y, told))
        x += wide
    return "".join(found), y + 10


class _Scale:
    """Budgets and values to places within a panel."""

    def __init__(self, panels: Sequence[Panel], metric: str, width: float) -> None:
        self.right = width - RIGHT
        lines = [one for panel in panels for one in panel.lines]
        self.budgets = sorted({budget for one in lines for budget in one.budgets})
        values = [end for one in lines for _, low, middle, high in _points(one, metric) for end in (low, middle, high)]
        self.levels = svg.levels(min(values), max(values)) if values else svg.levels(0, 1)

    def x(self, budget: float) -> float:
        first, last = self.budgets[0], self.budgets[-1]
        share = 0.5 if first == last else (budget - first) / (last - first)
        return LEFT + 8 + share * (self.right - LEFT - 16)

    def y(self, value: float) -> float:
        first, last = self.levels[0], self.levels[-1]
        return HEIGHT - BOTTOM - (value - first) / (last - first) * (HEIGHT - TOP - BOTTOM)


def _panel(panel: Panel, metric: str, looks: Mapping[str, Look], scale: _Scale) -> str:
    better = " (lower is better)" if metric in LOWER_IS_BETTER else ""
    found = [svg.text(12, 16, panel.title, bold=True), svg.text(12, 32, _short(words.title(metric) + better))]
    places = max(0, -math.floor(math.log10(scale.levels[1] - scale.levels[0]) + 1e-9))
    if round(scale.levels[1] - scale.levels[0], places) != round(scale.levels[1] - scale.levels[0], 10):
        places += 1
    for level in scale.levels:
        y = scale.y(level)
        found.append(svg.line(LEFT, y, scale.right, y))
        found.append(svg.text(LEFT - 6, y + 4, f"{level:.{places}f}".replace("-", "−"), anchor="end"))
    for budget in _told(scale.budgets):
        found.append(svg.text(scale.x(budget), HEIGHT - BOTTOM + 17, str(budget), anchor="middle"))
    found.append(svg.text((LEFT + scale.right) / 2, HEIGHT - 10, "labelled images", anchor="middle"))
    for one in panel.lines:
        found.append(_line(one, metric, looks[one.key.selector], scale))
    return "".join(found)


def _line(one: Series, metric: str, look: Look, scale: _Scale) -> str:
    points = _points(one, metric)
    if not points:
        return ""
    found = ""
    if one.key.selector == REFERENCE:
        upper = [(scale.x(budget), scale.y(high)) for budget, _, _, high in points]
        lower = [(scale.x(budget), scale.y(low)) for budget, low, _, _ in points]
        found = svg.band(upper, lower, look.colour)
    middle = [(scale.x(budget), scale.y(value)) for budget, _, value, _ in points]
    return (
        found
        + svg.polyline(middle, look.colour, look.dash)
        + "".join(svg.mark(x, y, look.shape, look.colour) for x, y in middle)
    )


def _points(one: Series, metric: str) -> list[tuple[int, float, float, float]]:
    """Budget, mean less SD, mean, mean plus SD; the SD of random alone."""
    found = []
    for budget in one.budgets:
        middle = spread.whole(one, budget, metric)
        if math.isnan(middle):
            continue
        reach = spread.over_repeats(one, budget, metric) if one.key.selector == REFERENCE else 0.0
        reach = 0.0 if math.isnan(reach) else reach
        found.append((budget, middle - reach, middle, middle + reach))
    return found


def _told(budgets: Sequence[int]) -> list[int]:
    """Budgets whose number has room."""
    kept: list[int] = []
    least = (budgets[-1] - budgets[0]) / 10
    for budget in budgets:
        if not kept or budget - kept[-1] >= least:
            kept.append(budget)
    return kept


def _short(told: str) -> str:
    return told if len(told) <= 52 else told[:51] + "…"
