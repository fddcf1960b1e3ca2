"""Sentences that can be held to the records: a template without a number of its own, and facts with their rows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

# The only digits that a template may hold: names, and what a row's own definition says (milestones.py).
FIXED = ("95%", "SHA-256", "F1", "VGG-11", "L2-regularised", "0.05")
LEAST_P = 0.001
_DIGIT = re.compile(r"\d")
_MARKDOWN = re.compile(r"([\\`*_\[\]<>|#])")

Value = int | float | str


@dataclass(frozen=True, order=True)
class Source:
    """The row that a fact comes from. run: the run's or version's number, 0 where the row belongs to none."""

    kind: str
    run: int
    at: datetime


@dataclass(frozen=True)
class Fact:
    """What the records say, as it is shown. values: as the rows hold it, or as it was counted there."""

    shown: str
    values: tuple[Value, ...]
    sources: tuple[Source, ...]


class NumberOfItsOwn(ValueError):
    """A template holds a number that would stand in the text without a row behind it."""

    def __init__(self, template: str) -> None:
        super().__init__(f"the template {template!r} has a number of its own: make it a fact")


def check(template: str) -> None:
    """Raises `NumberOfItsOwn`."""
    rest = re.sub(r"\{\w+\}", "", template)
    for name in FIXED:
        rest = rest.replace(name, "")
    if _DIGIT.search(rest):
        raise NumberOfItsOwn(template)


@dataclass(frozen=True)
class Sentence:
    """One sentence. template: with {name} for each fact. cites: keys of references, told before the full stop."""

    template: str
    facts: Mapping[str, Fact] = field(default_factory=dict)
    cites: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check(self.template)

    @property
    def text(self) -> str:
        return self.template.format(**{name: fact.shown for name, fact in self.facts.items()})

    @property
    def sources(self) -> tuple[Source, ...]:
        """Each row once, in the order of kind, number and date."""
        return tuple(sorted({source for fact in self.facts.values() for source in fact.sources}))


@dataclass(frozen=True)
class Table:
    """Rows of facts under a head without numbers. caption: told above it, without a full stop."""

    caption: Sentence
    head: tuple[str, ...]
    rows: tuple[tuple[Fact, ...], ...]

    def __post_init__(self) -> None:
        for each in self.head:
            check(each)

    @property
    def sources(self) -> tuple[Source, ...]:
        return tuple(sorted({source for row in self.rows for fact in row for source in fact.sources}))


Paragraph = tuple[Sentence, ...]
Block = Paragraph | Table


@dataclass(frozen=True)
class Section:
    title: str
    blocks: tuple[Block, ...]

    def __bool__(self) -> bool:
        return any(self.blocks)


def plain(text: str) -> str:
    """A name from the records so that Markdown shows it as it is, in one line."""
    return _MARKDOWN.sub(r"\\\1", " ".join(text.split()))


def words(text: str, *sources: Source, quoted: bool = False) -> Fact:
    shown = plain(text)
    return Fact(f"“{shown}”" if quoted else shown, (text,), sources)


def code(text: str, *sources: Source) -> Fact:
    """A hash or a name that is typed."""
    return Fact(f"`{text}`", (text,), sources)


def count(number: int, noun: str, *sources: Source, plural: str = "") -> Fact:
    """A number of things: "1 image", "1,200 images". noun: empty for the bare number."""
    shown = f"{number:,}"
    if noun:
        shown += f" {noun if number == 1 else plural or f'{noun}s'}"
    return Fact(shown, (number,), sources)


def number(value: float, *sources: Source, digits: int = 3) -> Fact:
    """Rounded; one that rounding would make 0 keeps its first digit."""
    shown = f"{value:.{digits}f}"
    if value and not float(shown):
        shown = f"{value:.1g}"
    return Fact(shown, (value,), sources)


def setting(value: float, *sources: Source) -> Fact:
    """A number that a person chose: as it was typed."""
    return Fact(f"{value:g}", (value,), sources)


def share(value: float, *sources: Source) -> Fact:
    """A share in [0, 1] as a percentage."""
    return Fact(f"{100 * value:.3g}%", (value,), sources)


def p_value(value: float, *sources: Source) -> Fact:
    """As journals print it: three digits, or that it lies below the last of them."""
    return Fact(f"p = {value:.3f}" if value >= LEAST_P else f"p < {LEAST_P}", (value,), sources)


def day(source: Source) -> Fact:
    shown = source.at.strftime("%Y-%m-%d")
    return Fact(shown, (shown,), (source,))


def listed(facts: tuple[Fact, ...], last: str = "and") -> Fact:
    """Several facts as one enumeration."""
    shown = [fact.shown for fact in facts]
    text = "".join(shown) if len(shown) < 2 else f"{', '.join(shown[:-1])} {last} {shown[-1]}"
    values = tuple(value for fact in facts for value in fact.values)
    return Fact(text, values, tuple(dict.fromkeys(source for fact in facts for source in fact.sources)))


def resting_on(*sources: Source) -> dict[str, Fact]:
    """The facts of a sentence that shows nothing of its rows."""
    return {"rows": Fact("", (), sources)}


NOTHING = Fact("", (), ())
