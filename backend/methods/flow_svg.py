"""The flow of images as SVG: readable in print and in the dark, without scripts, fonts or variables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from textwrap import wrap

from seedqueue.backend.methods.flow import Box, Step

WIDTH = 860
MAIN_LEFT, MAIN_WIDTH = 40, 380
SIDE_LEFT, SIDE_WIDTH = 480, 340
PANEL_LEFT, PANEL_WIDTH = 40, 780
COLUMNS = 4
GAP, PAD, LINE = 14, 12, 19
ARROW = 34  # between two boxes of the main line
LETTER = 7.6  # a wide letter at 14 pixels, so that no text leaves its box

# Colours are attributes, which every program reads; only the dark ones are rules.
STYLE = (
    "@media screen and (prefers-color-scheme: dark) {"
    ".back{fill:#14171b}.box{fill:#1d2228;stroke:#a3adb8}.panel{fill:none;stroke:#5d6772}"
    ".side{fill:#14171b;stroke:#a3adb8}text{fill:#e8ebee}.line{stroke:#a3adb8}.tip{fill:#a3adb8}}"
)


@dataclass(frozen=True)
class Placed:
    """A box of text lines on the canvas; the first line is its name."""

    x: float
    y: float
    width: float
    lines: tuple[str, ...]
    kind: str

    @property
    def height(self) -> float:
        return 2 * PAD + LINE * len(self.lines)

    @property
    def bottom(self) -> float:
        return self.y + self.height


def drawn(steps: Sequence[Step], title: str) -> str:
    """The whole picture; a note where there is nothing to draw."""
    shapes: list[str] = []
    y = float(GAP)
    middle = MAIN_LEFT + MAIN_WIDTH / 2
    for at, step in enumerate(steps):
        box = Placed(MAIN_LEFT, y, MAIN_WIDTH, _lines(step.box, MAIN_WIDTH), "box")
        shapes.append(_box(box))
        y = box.bottom
        if step.parts:
            shapes.append(_arrow(middle, y, middle, y + ARROW))
            panel, y = _panel(step.parts, y + ARROW)
            shapes.append(panel)
        if at + 1 < len(steps):
            beside, end = _beside(step, y, middle)
            shapes += [beside, _arrow(middle, y, middle, end)]
            y = end
    if not steps:
        shapes.append(f'<text x="{MAIN_LEFT}" y="40" font-size="14" fill="#1b1f24">No image is counted yet.</text>')
        y = 50
    return _document(shapes, y + GAP, title, steps)


def _document(shapes: Sequence[str], height: float, title: str, steps: Sequence[Step]) -> str:
    told = "; ".join(f"{step.box.label}: {step.box.images:,}" for step in steps)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}" '
        f'height="{height:.0f}" role="img" aria-labelledby="t d" '
        'font-family="Helvetica, Arial, Liberation Sans, DejaVu Sans, sans-serif">\n'
        f'<title id="t">{escape(title)}</title>\n<desc id="d">{escape(told)}</desc>\n<style>{STYLE}</style>\n'
        f'<rect class="back" width="{WIDTH}" height="{height:.0f}" fill="#ffffff"/>\n'
        + "\n".join(shapes)
        + "\n</svg>\n"
    )


def _lines(box: Box, width: float) -> tuple[str, ...]:
    most = int((width - 2 * PAD) / LETTER)
    numbers = [f"n = {box.images:,}".replace("-", "−")]
    numbers += (
        [f"{box.patients:,} {'patient' if box.patients == 1 else 'patients'}"] if box.patients is not None else []
    )
    numbers += [f"{box.labelled:,} labelled"] if box.labelled is not None else []
    return (*wrap(box.label, most, break_long_words=True), *numbers)


def _box(placed: Placed) -> str:
    fill = "#ffffff" if placed.kind == "side" else "#f5f6f8"
    parts = [
        f'<rect class="{placed.kind}" x="{placed.x:.0f}" y="{placed.y:.0f}" width="{placed.width:.0f}" '
        f'height="{placed.height:.0f}" rx="3" fill="{fill}" stroke="#5b6570"/>'
    ]
    for at, line in enumerate(placed.lines):
        weight = ' font-weight="600"' if at == 0 else ""
        y = placed.y + PAD + LINE * (at + 0.72)
        parts.append(
            f'<text x="{placed.x + placed.width / 2:.0f}" y="{y:.0f}" font-size="14" text-anchor="middle" '
            f'fill="#1b1f24"{weight}>{escape(line)}</text>'
        )
    return "".join(parts)


def _panel(parts: Sequence[Box], top: float) -> tuple[str, float]:
    """The parts of a whole, side by side, in rows of four; and where it ends."""
    columns = min(COLUMNS, len(parts))
    width = (PANEL_WIDTH - GAP * (columns + 1)) / columns
    shapes, y = list[str](), top + GAP
    for start in range(0, len(parts), columns):
        row = parts[start : start + columns]
        lines = [_lines(box, width) for box in row]
        most = max(len(one) for one in lines)
        for column, each in enumerate(lines):
            padded = (*each, *[""] * (most - len(each)))
            shapes.append(_box(Placed(PANEL_LEFT + GAP + column * (width + GAP), y, width, padded, "box")))
        y += 2 * PAD + LINE * most + GAP
    frame = (
        f'<rect class="panel" x="{PANEL_LEFT}" y="{top:.0f}" width="{PANEL_WIDTH}" height="{y - top:.0f}" rx="3" '
        'fill="none" stroke="#a9b3bd" stroke-dasharray="4 3"/>'
    )
    return frame + "".join(shapes), y


def _beside(step: Step, top: float, middle: float) -> tuple[str, float]:
    """What leaves and joins on the way down, right of the line; and where the next box begins."""
    shapes, y = list[str](), top + GAP
    for box, gained in [*((one, False) for one in step.lost), *((one, True) for one in step.gained)]:
        placed = Placed(SIDE_LEFT, y, SIDE_WIDTH, _lines(box, SIDE_WIDTH), "side")
        level = y + placed.height / 2
        ends = (SIDE_LEFT, middle) if gained else (middle, SIDE_LEFT)
        shapes += [_box(placed), _arrow(ends[0], level, ends[1], level)]
        y = placed.bottom + GAP
    return "".join(shapes), y + (GAP if shapes else ARROW - GAP)


def _arrow(x1: float, y1: float, x2: float, y2: float) -> str:
    tip = 7.0
    if y1 == y2:
        way = 1 if x2 > x1 else -1
        points = f"{x2:.0f},{y2:.0f} {x2 - way * tip:.0f},{y2 - 4:.0f} {x2 - way * tip:.0f},{y2 + 4:.0f}"
    else:
        points = f"{x2:.0f},{y2:.0f} {x2 - 4:.0f},{y2 - tip:.0f} {x2 + 4:.0f},{y2 - tip:.0f}"
    return (
        f'<line class="line" x1="{x1:.0f}" y1="{y1:.0f}" x2="{x2:.0f}" y2="{y2:.0f}" stroke="#5b6570"/>'
        f'<polygon class="tip" points="{points}" fill="#5b6570"/>'
    )
