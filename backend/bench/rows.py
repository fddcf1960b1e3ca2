"""What a benchmark says: one row a comparison."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Row:
    """Ours beside a peer's; `ratio` is how many times better ours is, or the share of a limit that it reaches."""

    stage: str
    what: str
    ours: float
    peer: float
    ratio: float
    unit: str


def compared(stage: str, what: str, ours: float, peer: float, unit: str) -> Row:
    """A row of two rates: the more, the better."""
    return Row(stage, what, _rounded(ours), _rounded(peer), _rounded(ours / peer), unit)


def as_json(rows: Sequence[Row]) -> str:
    """One JSON object a line."""
    return "\n".join(json.dumps(asdict(row)) for row in rows)


def as_table(rows: Sequence[Row]) -> str:
    """The rows as a Markdown table, as docs/performance.md holds it."""
    lines = ["| stage | what | ours | peer or limit | ratio | unit |", "| --- | --- | ---: | ---: | ---: | --- |"]
    lines += [f"| {r.stage} | {r.what} | {r.ours} | {r.peer} | **{r.ratio:.2f}** | {r.unit} |" for r in rows]
    return "\n".join(lines)


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")
