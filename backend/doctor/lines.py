"""What the doctor says: one line a check, and how checks that stand on one another are gone through."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from seedqueue.backend.errors import KNOWN

Level = Literal["green", "yellow", "red", "skipped"]
WORST_FIRST: tuple[Level, ...] = ("red", "yellow", "green")


@dataclass(frozen=True)
class Line:
    """One check: its short title, how it is, a sentence on it, and what mends it (empty where nothing is to mend)."""

    check: str
    level: Level
    message: str
    mend: str = ""


def worst(lines: Sequence[Line]) -> Level:
    """The worst level there is; what was skipped does not count."""
    found = {line.level for line in lines}
    return next((level for level in WORST_FIRST if level in found), "green")


def told(lines: Sequence[Line]) -> dict[str, Any]:
    """The lines as JSON."""
    return {"worst": worst(lines), "lines": [asdict(line) for line in lines]}


def refused(check: str, error: Exception) -> Line:
    """One of our errors as a red line: its first sentence says what is wrong, the rest how to mend it."""
    wrong, _, mend = str(error).partition(". ")
    return Line(check, "red", f"{wrong.rstrip('.')}." if mend else wrong, mend)


class Examination:
    """The checks in their order; each line is shown as soon as it is there."""

    def __init__(self, show: Callable[[Line], None]) -> None:
        self._show = show
        self.lines: list[Line] = []

    def look(self, check: str, at: Callable[[], Sequence[Line]], needs: Sequence[str] = ()) -> None:
        """One check. Where a check that it needs is red or was skipped, so is this one; our errors become red lines."""
        unmet = next((need for need in needs if not self._holds(need)), None)
        if unmet is not None:
            self._add([Line(check, "skipped", f"This needs {unmet!r} first.")])
            return
        try:
            found = at()
        except KNOWN as error:
            found = [refused(check, error)]
        except OSError as error:  # of a folder that this machine does not let us use
            found = [Line(check, "red", f"{error}.", "Mend the folder's rights, or set another.")]
        self._add(found)

    def skip(self, check: str, why: str) -> None:
        self._add([Line(check, "skipped", why)])

    def _holds(self, check: str) -> bool:
        levels = {line.level for line in self.lines if line.check == check}
        return bool(levels) and levels <= {"green", "yellow"}

    def _add(self, found: Sequence[Line]) -> None:
        for line in found:
            self.lines.append(line)
            self._show(line)
