"""Named errors of the models: each carries the values that matter and says the mend."""

from collections.abc import Sequence
from pathlib import Path


class ModelError(Exception):
    """Base of everything the models can refuse."""


class UnreadableImage(ModelError):
    """The bytes are not an image that can be used; `reason` says what they were."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"unreadable image: {reason}")


class WeightsMissing(ModelError):
    """An embedder's weights are not in the weights folder."""

    def __init__(self, file: str, folder: Path, command: str) -> None:
        self.file = file
        self.folder = folder
        self.command = command
        super().__init__(f"the weights {file} are not in {folder}: run `{command}`, or put the file there")


class WeightsCorrupt(ModelError):
    """A weights file does not hold what it should; it was not used."""

    def __init__(self, file: Path, expected: str, actual: str) -> None:
        self.file = file
        self.expected = expected
        self.actual = actual
        super().__init__(
            f"the weights {file} are damaged or another model's: expected {expected}, found {actual}; "
            "delete the file and fetch it again"
        )


class WeightsUnreachable(ModelError):
    """The weights could not be downloaded."""

    def __init__(self, url: str, reason: str) -> None:
        self.url = url
        self.reason = reason
        super().__init__(
            f"the weights could not be fetched from {url}: {reason}; download the file on another machine "
            "and put it into the weights folder under the same name"
        )


class NoWeightsNeeded(ModelError):
    """Weights were asked for an embedder that has none to fetch."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"the embedder {name!r} has no weights to fetch")


class UnknownEmbedder(ModelError):
    """No embedder, or no variant of it, has that name."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        self.name = name
        self.known = tuple(known)
        super().__init__(f"there is no embedder {name!r}; choose one of: {', '.join(self.known)}")
