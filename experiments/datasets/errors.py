"""Named errors of label tables: each carries the values that matter and says the mend."""

from __future__ import annotations

from pathlib import Path

from seedqueue.experiments.errors import ExperimentError


class DatasetError(ExperimentError):
    """Base of everything that a labelled folder can be refused for."""


class LabelTableUnusable(DatasetError):
    """A table of labels that cannot be read, or that is none of the known formats."""

    def __init__(self, path: Path, reason: str, mend: str) -> None:
        self.path, self.reason, self.mend = path, reason, mend
        super().__init__(f"The label table {path} cannot be used: {reason}; {mend}.")


class MaskUnusable(DatasetError):
    """A mask that is none, or that does not lie on its image's grid."""

    def __init__(self, what: str, reason: str, mend: str) -> None:
        self.what, self.reason, self.mend = what, reason, mend
        super().__init__(f"{what[0].upper()}{what[1:]} cannot be used: {reason}; {mend}.")
