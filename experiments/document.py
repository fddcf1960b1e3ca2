"""What a report is made of, whether it becomes Markdown or HTML. Words may hold `code` in backticks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True)
class Table:
    """title: above it, empty for none. names, last_names: how many columns from
    the left and from the right are words.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""
    names: int = 1
    last_names: int = 0

    def is_name(self, column: int) -> bool:
        return column < self.names or column >= len(self.columns) - self.last_names


@dataclass(frozen=True)
class Figure:
    """file: its name without ending, unique in a report. svg: a whole SVG document. told: what a reader sees."""

    file: str
    title: str
    svg: str
    told: str = ""


@dataclass(frozen=True)
class Fold:
    """What is shown on a click."""

    title: str
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Section:
    title: str
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Bullets:
    lines: tuple[str, ...]


Part: TypeAlias = "str | Table | Figure | Fold | Bullets | Section"


@dataclass(frozen=True)
class Document:
    """headline: the endpoint in one sentence. answers: by question, sentences. ran: date and versions.

    notes: what is to be known before the answers.
    """

    title: str
    question: str
    headline: str
    answers: tuple[tuple[str, tuple[str, ...]], ...]
    sections: tuple[Section, ...]
    ran: str
    notes: tuple[str, ...] = ()

    def figures(self) -> list[Figure]:
        return [each for section in self.sections for each in _figures(section)]


def _figures(part: Part) -> list[Figure]:
    if isinstance(part, Figure):
        return [part]
    if isinstance(part, Fold | Section):
        return [each for inner in part.parts for each in _figures(inner)]
    return []
