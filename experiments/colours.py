"""A selector's colour, the same in every drawing of a report: Okabe and Ito's palette, which all can tell apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from seedqueue.experiments.arms import REFERENCE

# Okabe & Ito 2008 without the yellow and the black, which are lost on white or on black.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8C6D46")
GREY = "#7F8790"
SHAPES = ("circle", "square", "triangle", "diamond")
DASHES = ("", "7 3", "2 3")


@dataclass(frozen=True)
class Look:
    colour: str
    shape: str
    dash: str


def looks(selectors: Sequence[str]) -> dict[str, Look]:
    """Of each selector: grey and dashed for random; beyond seven the shape and the dashes tell them apart."""
    others = [name for name in dict.fromkeys(selectors) if name != REFERENCE]
    found = {REFERENCE: Look(GREY, "circle", "5 4")}
    for at, name in enumerate(others):
        round_ = at // len(PALETTE)
        found[name] = Look(PALETTE[at % len(PALETTE)], SHAPES[at % len(SHAPES)], DASHES[round_ % len(DASHES)])
    return found
