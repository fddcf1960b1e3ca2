"""The pool as a map, once for each selector with what it chose: points alone, no images."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from seedqueue.experiments import svg
from seedqueue.experiments.cells import Place
from seedqueue.experiments.colours import Look

SIDE, EDGE, HEAD = 230.0, 10.0, 26.0
ROW = 4
MOST_POINTS = 2000


def choices(place: Place, looks: Mapping[str, Look], title: str, identity: str) -> str:
    """One SVG. identity: unique in a page, as the points are drawn once and used in every panel.

    Of larger pools 2,000 evenly spaced rows and all chosen ones are drawn.
    """
    at = {
        row: (EDGE + x * (SIDE - 2 * EDGE), HEAD + EDGE + (1 - y) * (SIDE - 2 * EDGE))
        for row, x, y in zip(place.rows, place.x, place.y, strict=True)
    }
    kept = np.unique(np.linspace(0, len(place.rows) - 1, min(len(place.rows), MOST_POINTS)).astype(int))
    shown = [at[place.rows[index]] for index in kept] if place.rows else []
    across = min(len(place.chosen), ROW) or 1
    body = [
        f'<defs><path id="{identity}" d="{svg.dots(shown)}" stroke="var(--dot)" stroke-width="3.2" '
        'stroke-linecap="round"/></defs>'
    ]
    for index, (name, rows) in enumerate((name, place.chosen[name]) for name in looks if name in place.chosen):
        x, y = (index % across) * SIDE, (index // across) * (SIDE + HEAD)
        look = looks[name]
        marks = "".join(svg.mark(*at[row], look.shape, look.colour, 4) for row in rows if row in at)
        told = svg.text(EDGE, 17, name, bold=True)
        body.append(
            f'<g transform="translate({svg.number(x)} {svg.number(y)})">{told}<use href="#{identity}"/>{marks}</g>'
        )
    return svg.page(across * SIDE, math.ceil(len(place.chosen) / across) * (SIDE + HEAD), title, body)
