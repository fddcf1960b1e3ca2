"""What a task's data holds under a name: values as they are, as text, and the group that a task belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def value_of(data: Mapping[str, Any], key: str) -> Any:
    """What task data holds for a key; `scan.front` of a label config is the front of the scan."""
    if key in data or "." not in key:
        return data.get(key)
    first, _, rest = key.partition(".")
    inner = data.get(first)
    return value_of(inner, rest) if isinstance(inner, Mapping) else None


def text_of(value: Any) -> str:
    """A value as text: numbers as they are written, true and false, a list's entries joined by |, else nothing."""
    if isinstance(value, list):
        return "|".join(filter(None, map(text_of, value)))
    if isinstance(value, bool):
        return str(value).lower()
    return str(value).strip() if isinstance(value, str | int | float) else ""


def group_of(data: Mapping[str, Any] | None, field: str, task: int) -> str:
    """The patient or study of a task; one without it is its own group."""
    return text_of(value_of(data or {}, field)) or f"task {task}"
