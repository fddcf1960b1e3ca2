"""The geometry of a report's drawings: numbers in, places on an SVG canvas out. The template draws them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from seedqueue.backend.report_words import percent, three, two
from seedqueue.selectors.stability.pool_figures import Map, Sensitivity

WIDTH, HEIGHT = 320.0, 210.0
LEFT, RIGHT, TOP, BOTTOM = 40.0, 8.0, 18.0, 38.0

# Between the vertical axis and the first point, so that their numbers do not meet.
INSET = 20.0

MAP_SIDE, MAP_EDGE = 640.0, 16.0

# A range below this needs a third digit to tell its levels apart.
FINE = 0.05

# More ranks than these would hide one another.
MOST_RANKS = 150


@dataclass(frozen=True)
class Mark:
    """One point of a line, and what it says."""

    x: float
    y: float
    label: str


@dataclass(frozen=True)
class Line:
    """name: in the legend. marks: from left to right; those without a value are left out."""

    name: str
    marks: tuple[Mark, ...]

    @property
    def path(self) -> str:
        return " ".join(f"{mark.x:.1f},{mark.y:.1f}" for mark in self.marks)


@dataclass(frozen=True)
class Chart:
    """columns: the places and names on the horizontal axis. levels: those on the vertical one, lowest first."""

    title: str
    axis: str
    columns: tuple[Mark, ...]
    levels: tuple[Mark, ...]
    lines: tuple[Line, ...]


Series = tuple[str, Sequence[float | None]]


def chart(
    title: str, axis: str, columns: Sequence[str], series: Sequence[Series], within: Sequence[float] = ()
) -> Chart:
    """Lines over evenly spaced columns; the vertical axis goes from a little under the least value to over the most.

    within: values that it shows in any case.
    """
    values = [*within, *(value for _, line in series for value in line if value is not None)]
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    edge = 0.12 * (high - low) or max(0.05, 0.05 * abs(high))
    low, high = low - edge, high + edge
    step = (WIDTH - LEFT - RIGHT - 2 * INSET) / max(1, len(columns) - 1)
    across = [round(LEFT + INSET + at * step, 2) for at in range(len(columns))]

    def up(value: float) -> float:
        return round(HEIGHT - BOTTOM - (value - low) / (high - low) * (HEIGHT - TOP - BOTTOM), 2)

    shown = two if high - low >= FINE else three
    lines = [
        Line(name, tuple(Mark(x, up(v), shown(v)) for x, v in zip(across, line, strict=True) if v is not None))
        for name, line in series
    ]
    levels = [low + (high - low) * share for share in (0.1, 0.5, 0.9)]
    return Chart(
        title,
        axis,
        tuple(Mark(x, HEIGHT - BOTTOM, name) for x, name in zip(across, columns, strict=True)),
        tuple(Mark(LEFT, up(value), shown(value)) for value in levels),
        tuple(lines),
    )


def charts(found: Sensitivity, title: str) -> tuple[Chart, ...]:
    """Budget, principal components, number of clusters. title: the selector's."""
    budgets, components, clusters = found.budgets, found.components, found.clusters
    drawn = [
        chart(
            "Budget: mean coverage",
            "images chosen",
            [str(each.budget) for each in budgets],
            [(title, [each.ours for each in budgets]), ("random", [each.random for each in budgets])],
        ),
        chart(
            "Principal components: mean coverage",
            "components that distances are taken on",
            ["all" if each.components is None else str(each.components) for each in components],
            [(title, [each.mean for each in components])],
        ),
    ]
    if clusters:
        drawn.append(
            chart(
                "Number of clusters: silhouette",
                "K-means clusters",
                [str(each.clusters) for each in clusters],
                [("silhouette", [each.silhouette for each in clusters])],
                within=(0.0, 0.2),
            )
        )
    return tuple(drawn)


@dataclass(frozen=True)
class Spot:
    """One image on the map. rank: 0 outside the queue."""

    x: float
    y: float
    rank: int
    labelled: bool


def spots(picture: Map) -> tuple[Spot, ...]:
    """The images on a square canvas, the queue's last so that they lie on top, rank 1 uppermost."""
    inner = MAP_SIDE - 2 * MAP_EDGE
    placed = [
        Spot(round(MAP_EDGE + inner * p.x, 1), round(MAP_SIDE - MAP_EDGE - inner * p.y, 1), p.rank, p.labelled)
        for p in picture.points
    ]
    return tuple(sorted(placed, key=lambda spot: (spot.rank > 0, -spot.rank)))


def told(found: Sensitivity) -> str:
    """What the drawings say in words, for those who cannot see them."""
    left = ", ".join(f"{percent(each.unexplained)} at {each.clusters}" for each in found.clusters)
    return f"Variance left within clusters: {left}." if left else ""
