"""References in the order in which they are cited, and the two files that list them."""

from __future__ import annotations

from collections.abc import Iterable

from seedqueue.backend.methods.references import REFERENCES, Reference


class Cited:
    """Numbers for keys, given as they come."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def mark(self, keys: Iterable[str]) -> str:
        """ "[1, 2]", empty for no key."""
        found = sorted(self._numbers.setdefault(key, len(self._numbers) + 1) for key in keys)
        return f"[{', '.join(map(str, found))}]" if found else ""

    @property
    def references(self) -> list[Reference]:
        return [REFERENCES[key] for key in self._numbers]

    def markdown(self) -> str:
        """Only what was cited."""
        lines = [f"{at}. {one.line}\n" for at, one in enumerate(self.references, start=1)]
        return "# References\n\n" + ("".join(lines) or "Nothing was cited.\n")

    def bib(self) -> str:
        return "\n".join(one.bib for one in self.references)
