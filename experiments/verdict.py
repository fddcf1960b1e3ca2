"""One answer."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Verdict:
    """answer: in a word, to be counted, empty where there is no such word. whole: it is of a pool as a whole."""

    pool: str
    answer: str
    sentence: str
    whole: bool = True
