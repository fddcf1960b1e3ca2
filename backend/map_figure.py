"""A pool in the plane as an interactive figure: a point for each image, a numbered ring for each chosen one."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from seedqueue.backend.folder_queue import QueueRow

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

# More points than these are drawn by the graphics card: as shapes of the page they would be slow.
MOST_SHAPES = 3_000

GREY, RED, BLACK = "#8b98a5", "#c62839", "#111111"


@dataclass(frozen=True, eq=False)
class MapPoints:
    """The images' names, their places and, if they are known, labels to colour them by; all of one length."""

    names: Sequence[str]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    labels: Sequence[str] | None = None


def map_figure(points: MapPoints, queue: Mapping[int, QueueRow], method: str) -> Figure:
    """queue: {position of a chosen image: its row}. method: how the places were found, for the title."""
    # Imported here: who only selects does not wait for it.
    from plotly import graph_objects

    many = len(points.names) > MOST_SHAPES
    trace = graph_objects.Scattergl if many else graph_objects.Scatter
    told = [_told(name, queue.get(at)) for at, name in enumerate(points.names)]

    def drawn(rows: Sequence[int], **look: Any) -> Any:
        hover = [told[row] for row in rows]
        return trace(x=points.x[rows], y=points.y[rows], hovertext=hover, hoverinfo="text", **look)

    figure = graph_objects.Figure()
    point: dict[str, Any] = {"size": 4 if many else 7, "opacity": 0.7}
    if points.labels is None:
        point["color"] = GREY
    for label, rows in _by_label(points).items():
        figure.add_trace(drawn(rows, mode="markers", name=plain(label), marker=point))
    ranks = [str(row.rank) for row in queue.values()]
    figure.add_trace(drawn(list(queue), name="chosen", text=ranks, **_ring()))
    figure.update_layout(
        title=f"{len(queue)} of {len(points.names):,} images, {method}",
        xaxis={"visible": False},
        yaxis={"visible": False, "scaleanchor": "x"},
        template="plotly_white",
        height=620,
        hovermode="closest",
        showlegend=points.labels is not None,
    )
    return figure


def _ring() -> dict[str, Any]:
    """The look of a chosen image: a ring around its point, its rank above."""
    return {
        "mode": "markers+text",
        "marker": {"size": 13, "symbol": "circle-open", "color": RED, "line": {"width": 2}},
        "textposition": "top center",
        "textfont": {"color": BLACK, "size": 13, "weight": "bold"},
    }


def plain(text: str) -> str:
    """Text that plotly shows as it is: it would read tags, and mathematics between dollar signs.

    What is not Unicode (a file name may hold any bytes) becomes question marks: no figure could be sent with it.
    """
    unicode = text.encode("utf-8", "replace").decode("utf-8")
    return html.escape(unicode, quote=False).replace("$", "&#36;")


def _told(name: str, row: QueueRow | None) -> str:
    if row is None:
        return plain(name)
    return f"{plain(name)}<br>rank {row.rank}, stands for {row.weight} {'image' if row.weight == 1 else 'images'}"


def _by_label(points: MapPoints) -> dict[str, list[int]]:
    """The positions of the images of each label, sorted by label; all under one where there is none."""
    labels = [str(label) for label in points.labels] if points.labels is not None else ["images"] * len(points.names)
    found: dict[str, list[int]] = {label: [] for label in sorted(set(labels))}
    for at, label in enumerate(labels):
        found[label].append(at)
    return found
