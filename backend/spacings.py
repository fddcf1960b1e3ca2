"""The spacing of an image's pixels as text, as task data holds it: "0.143x0.2" are millimetres, row x column."""

from __future__ import annotations

import math

from seedqueue.models.picture import Spacing

FIELD = "spacing"


def spacing_words(spacing: Spacing | None) -> str:
    """Millimetres as "0.143x0.143", row x column; "" for none."""
    return f"{spacing.row:.6g}x{spacing.column:.6g}" if spacing else ""


def spacing_of(words: str) -> tuple[float, float] | None:
    """(row, column) in millimetres of what `spacing_words` wrote, or of "0.143" for both; None for anything else."""
    try:
        sides = [float(each) for each in words.lower().replace("×", "x").split("x")]
    except ValueError:
        return None
    good = len(sides) in (1, 2) and all(math.isfinite(each) and each > 0 for each in sides)
    return (sides[0], sides[-1]) if good else None
