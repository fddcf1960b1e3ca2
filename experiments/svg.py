"""The little of SVG that the drawings need: text in, text out, the same for the same input, nothing fetched."""

from __future__ import annotations

import math
from collections.abc import Iterable
from html import escape

STYLE = (
    "<style>.sq{--back:#fff;--text:#1b1f24;--soft:#5b6570;--line:#d9dee4;--dot:#b3bcc5}"
    "@media screen and (prefers-color-scheme:dark){.sq{--back:#14171b;--text:#e8ebee;--soft:#a3adb8;--line:#343b43;"
    "--dot:#566069}}.sq text{font:12px system-ui,-apple-system,'Segoe UI',Roboto,sans-serif;fill:var(--soft)}"
    ".sq .b{fill:var(--text);font-weight:600}.sq .g{stroke:var(--line)}.sq .l{fill:none;stroke-width:2}"
    ".sq .o{stroke:var(--back)}</style>"
)


def page(width: float, height: float, title: str, body: Iterable[str]) -> str:
    """A document; light or dark as the reader's screen, light on paper."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="sq" viewBox="0 0 {number(width)} {number(height)}" '
        f'width="{number(width)}" height="{number(height)}" role="img" aria-label="{escape(title)}">'
        f'{STYLE}<rect width="100%" height="100%" fill="var(--back)"/>' + "".join(body) + "</svg>\n"
    )


def text(x: float, y: float, words: str, *, anchor: str = "start", bold: bool = False) -> str:
    kind = ' class="b"' if bold else ""
    aside = f' text-anchor="{anchor}"' if anchor != "start" else ""
    return f'<text x="{number(x)}" y="{number(y)}"{kind}{aside}>{escape(words)}</text>'


def line(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<path class="g" d="M{number(x1)} {number(y1)}L{number(x2)} {number(y2)}"/>'


def polyline(points: list[tuple[float, float]], colour: str, dash: str) -> str:
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return f'<path class="l" stroke="{colour}"{dashed} d="M{_path(points)}"/>'


def band(upper: list[tuple[float, float]], lower: list[tuple[float, float]], colour: str) -> str:
    return f'<path fill="{colour}" fill-opacity=".18" d="M{_path([*upper, *reversed(lower)])}Z"/>'


def mark(x: float, y: float, shape: str, colour: str, size: float = 3.5) -> str:
    if shape == "circle":
        return f'<circle class="o" cx="{number(x)}" cy="{number(y)}" r="{number(size)}" fill="{colour}"/>'
    reach = {"square": 0.9, "triangle": 1.25, "diamond": 1.3}[shape] * size
    shapes: dict[str, list[tuple[float, float]]] = {
        "square": [(-1, -1), (1, -1), (1, 1), (-1, 1)],
        "triangle": [(0, -1), (1, 0.8), (-1, 0.8)],
        "diamond": [(0, -1), (1, 0), (0, 1), (-1, 0)],
    }
    corners = shapes[shape]
    return f'<path class="o" fill="{colour}" d="M{_path([(x + reach * a, y + reach * b) for a, b in corners])}Z"/>'


def dots(points: Iterable[tuple[float, float]]) -> str:
    """The path of many round points: to be stroked with round caps."""
    return "".join(f"M{number(x)} {number(y)}h0" for x, y in points)


def number(value: float) -> str:
    """A tenth of a pixel is enough."""
    told = f"{value:.1f}".removesuffix(".0")
    return "0" if told == "-0" else told


def levels(low: float, high: float, about: int = 5) -> list[float]:
    """Round numbers from at or below `low` to at or above `high`."""
    # Levels are rounded to ten digits: what differs by the last bits of a mean is one value.
    if not high - low > 1e-8:
        low, high = low - 0.5, high + 0.5
    rough = (high - low) / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(each * power for each in (1, 2, 2.5, 5, 10) if each * power >= rough * 0.999)
    first = math.floor(low / step + 1e-9)
    last = math.ceil(high / step - 1e-9)
    return [round(at * step, 10) for at in range(first, last + 1)]


def _path(points: list[tuple[float, float]]) -> str:
    return "L".join(f"{number(x)} {number(y)}" for x, y in points)
