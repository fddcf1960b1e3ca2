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


@dataclass(frozen=True)
class Choice:
    """One contestant of `bench select` on a pool of `rows`, of which it chooses `budget`.

    stage: "select" takes the embeddings as they come, the others unit vectors that are made already.
    core_seconds: processor time on one thread; None where it was not run, which the note explains.
    memory_mb: the peak above the matrix. inertia: against scikit-learn's, 1.01 is 1 % more; None where
    nothing is clustered. coverage: the pool's mean cosine to the nearest chosen row. gap: the largest
    distance to it, of unit vectors, on all columns.
    """

    rows: int
    budget: int
    stage: str
    who: str
    core_seconds: float | None = None
    memory_mb: float | None = None
    inertia: float | None = None
    coverage: float | None = None
    gap: float | None = None
    note: str = ""


@dataclass(frozen=True)
class Timing:
    """One figure of `bench learn`.

    against: what `whose` names, a peer's figure or a goal, in the same unit; ratio: how many times better ours is.
    All three are empty where there is nothing to hold it against. note: what it was measured on.
    """

    stage: str
    what: str
    measured: float
    unit: str
    against: float | None = None
    whose: str = ""
    ratio: float | None = None
    note: str = ""


def timed(
    stage: str, what: str, measured: float, unit: str, against: float | None = None, whose: str = "", note: str = ""
) -> Timing:
    """A row of `bench learn`: of a unit with "per" the more is the better, of any other the less."""
    if against is None:
        return Timing(stage, what, _rounded(measured), unit, note=note)
    ratio = measured / against if " per " in unit else against / measured
    return Timing(stage, what, _rounded(measured), unit, _rounded(against), whose, _rounded(ratio), note)


def compared(stage: str, what: str, ours: float, peer: float, unit: str) -> Row:
    """A row of two rates: the more, the better."""
    return Row(stage, what, _rounded(ours), _rounded(peer), _rounded(ours / peer), unit)


def as_json(rows: Sequence[Row] | Sequence[Choice] | Sequence[Timing]) -> str:
    """One JSON object a line."""
    return "\n".join(json.dumps(asdict(row)) for row in rows)


def as_table(rows: Sequence[Row]) -> str:
    """The rows as a Markdown table, as docs/performance.md holds it."""
    lines = ["| stage | what | ours | peer or limit | ratio | unit |", "| --- | --- | ---: | ---: | ---: | --- |"]
    lines += [f"| {r.stage} | {r.what} | {r.ours} | {r.peer} | **{r.ratio:.2f}** | {r.unit} |" for r in rows]
    return "\n".join(lines)


def choices_table(rows: Sequence[Choice]) -> str:
    """The rows of `bench select` as a Markdown table."""
    lines = [
        "| rows | stage | who | core-seconds | memory, MB | inertia | coverage | largest gap | note |",
        "| ---: | --- | --- | ---: | ---: | ---: | ---: | ---: | --- |",
    ]
    lines += [
        f"| {r.rows:,} | {r.stage} | {r.who} | {_shown(r.core_seconds, '.2f')} | {_shown(r.memory_mb, '.0f')} | "
        f"{_shown(r.inertia, '.4f')} | {_shown(r.coverage, '.4f')} | {_shown(r.gap, '.3f')} | {r.note} |"
        for r in rows
    ]
    return "\n".join(lines)


def timings_table(rows: Sequence[Timing]) -> str:
    """The rows of `bench learn` as a Markdown table."""
    lines = [
        "| stage | what | measured | unit | peer or goal | times better | note |",
        "| --- | --- | ---: | --- | ---: | ---: | --- |",
    ]
    for r in rows:
        against = "-" if r.against is None else f"{r.against} ({r.whose})"
        ratio = "-" if r.ratio is None else f"**{r.ratio:.2f}**"
        lines.append(f"| {r.stage} | {r.what} | {r.measured} | {r.unit} | {against} | {ratio} | {r.note} |")
    return "\n".join(lines)


def _shown(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")
