"""What an experiment cannot do, and the mend."""

from __future__ import annotations


class ExperimentError(Exception):
    """Of all errors of this folder."""


class UnknownArm(ExperimentError):
    """A selector's text that says nothing known."""

    def __init__(self, text: str, reason: str) -> None:
        super().__init__(f"The selector {text!r}: {reason}.")


class InvalidGrid(ExperimentError):
    """A grid that cannot be run."""

    def __init__(self, name: str, value: object, mend: str) -> None:
        super().__init__(f"The experiment's {name} is {value!r}: {mend}.")


class PoolUnusable(ExperimentError):
    """A labelled pool that a part of the grid cannot use."""

    def __init__(self, pool: str, reason: str) -> None:
        super().__init__(f"The pool {pool!r}: {reason}.")


class VectorsUnusable(ExperimentError):
    """A file of embeddings that cannot be used."""

    def __init__(self, path: object, reason: str) -> None:
        super().__init__(f"The embeddings {path} cannot be used: {reason}.")


class WorkInUse(ExperimentError):
    """Another command is at the same experiment."""

    def __init__(self, work: object) -> None:
        super().__init__(f"Another command measures this experiment in {work} already. Wait for it, or stop it.")
