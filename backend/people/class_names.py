"""A label in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def in_words(flags: Iterable[bool], classes: Sequence[str]) -> str:
    """The names of the classes that are there; "nothing" where none is."""
    return " + ".join(name for name, flag in zip(classes, flags, strict=True) if flag) or "nothing"
