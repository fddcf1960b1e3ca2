"""What annotators are called where their names are nobody's business: letters, in an order that tells nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from string import ascii_uppercase


def pseudonyms(annotators: Iterable[str], salt: str) -> dict[str, str]:
    """{annotator: "annotator A"}, in the order of hashes: neither of names, nor of when they came, nor of how they do.

    The same people have the same letters under the same salt; when somebody joins or leaves, letters may move.
    """
    ordered = sorted(set(annotators), key=lambda one: hashlib.blake2b(f"{salt}\n{one}".encode()).digest())
    return {one: f"annotator {_letters(at)}" for at, one in enumerate(ordered)}


def _letters(at: int) -> str:
    """A to Z, AA, AB, ..."""
    first, last = divmod(at, len(ascii_uppercase))
    return (_letters(first - 1) if first else "") + ascii_uppercase[last]
