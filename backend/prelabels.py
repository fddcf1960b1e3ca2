"""Pre-annotations as Label Studio asks for them: one list of predictions per task, one version."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from seedqueue.backend.events import LARGEST_ID

UNTRAINED = "untrained"  # the version before the first training: Label Studio wants one


class Head(Protocol):
    """What answers `/predict` and names its version in `/setup`."""

    def version(self, project: int | None) -> str:
        """The version of the head that serves this project."""
        ...

    def versions(self) -> list[str]:
        """All versions there are."""
        ...

    def predict(
        self, project: int | None, tasks: Sequence[Mapping[str, Any]], label_config: str
    ) -> list[list[dict[str, Any]]]:
        """For each task its predictions `{result, score, model_version}`.

        An empty list for none: Label Studio takes that without an error in its log and stores no empty prediction.
        """
        ...


def project_id(project: str | int | None) -> int | None:
    """The number in Label Studio's project field, which is `"<id>.<created timestamp>"`; None where there is none."""
    number = str(project or "").partition(".")[0]
    # Python refuses to read numbers of thousands of digits.
    known = number.isdecimal() and len(number) <= len(str(LARGEST_ID)) and int(number) <= LARGEST_ID
    return int(number) if known else None
