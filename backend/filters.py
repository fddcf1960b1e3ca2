"""Filters of tasks as people write them: `view=PA and date>=2025-01-01 and label:side=left`. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from seedqueue.backend.pool_errors import UnreadableFilter

ID = "id"
LABEL = "label:"

# Quoted text may hold `and` and operators too. Elsewhere a second operator is a slip (`==`, `or view=PA`), not a value.
_BETWEEN = re.compile(r'\s+and(?:\s+|$)(?=(?:[^"]*"[^"]*")*[^"]*$)', re.IGNORECASE)
_CONDITION = re.compile(r"""\s*([^\s=<>!~"]+)\s*(!=|<=|>=|=|<|>|~)\s*("[^"]*"|'[^"']*'|[^"'=<>!~][^"=<>!~]*?)\s*""")


@dataclass(frozen=True)
class Condition:
    """One condition: `id` or a field of task data, or with `label:` a control of the label config; operator; value."""

    name: str
    operator: str
    value: str

    @property
    def control(self) -> str:
        """The control whose labels are asked for; "" where it is about a field or the id."""
        return self.name.removeprefix(LABEL) if self.name.startswith(LABEL) else ""

    def holds(self, text: str) -> bool:
        """Whether a value fulfils it. Equality is of texts: a patient 007 is not 7. Order is of numbers where both are,
        else of texts, as fits dates written year first. What is not there fulfils `!=` alone."""
        if self.operator == "=":
            return text == self.value
        if self.operator == "!=":
            return text != self.value
        if self.operator == "~":
            return self.value.lower() in text.lower()
        return bool(text) and _ordered(text, self.operator, self.value)


def parse(text: str) -> tuple[Condition, ...]:
    """The conditions of a filter, which all have to hold; () for an empty text.

    `view=PA and date>=2025-01-01 and label:side=left`; a value with `and` or an operator in it stands in quotes.
    Raises `UnreadableFilter`.
    """
    if not text.strip():
        return ()
    found = []
    for part in _BETWEEN.split(text.strip()):
        match = _CONDITION.fullmatch(part)
        if match is None:
            raise UnreadableFilter(text, f"{part!r} is no condition")
        condition = Condition(match[1], match[2], _unquoted(match[3]))
        if condition.name.startswith(LABEL) and (condition.operator not in ("=", "!=") or not condition.control):
            raise UnreadableFilter(text, f"{part!r}: of labels only = and != can be asked")
        if condition.name == ID and not condition.value.isdecimal():
            raise UnreadableFilter(text, f"{part!r}: a task's id is a whole number")
        found.append(condition)
    return tuple(found)


def _unquoted(value: str) -> str:
    return value[1:-1] if value[:1] in ('"', "'") else value


def _ordered(text: str, operator: str, value: str) -> bool:
    one: Any
    other: Any
    try:
        one, other = float(text), float(value)
    except ValueError:
        one, other = text, value
    return bool({"<": one < other, "<=": one <= other, ">": one > other, ">=": one >= other}[operator])
