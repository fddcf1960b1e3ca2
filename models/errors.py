"""Named errors of the models: each carries the values that matter and says the mend."""

from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path


class ModelError(Exception):
    """Base of everything the models can refuse."""


class UnreadableImage(ModelError):
    """The bytes are not an image that can be used; `reason` says what they were."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"unreadable image: {reason}")


class WeightsMissing(ModelError):
    """An embedder's weights are not in the weights folder. gate: what must be done before they can be had."""

    def __init__(self, file: str, folder: Path, command: str, gate: str | None = None) -> None:
        self.file = file
        self.folder = folder
        self.command = command
        self.gate = gate
        wanted = f" (first: {gate})" if gate else ""
        super().__init__(f"the weights {file} are not in {folder}: run `{command}`{wanted}, or put the file there")


class WeightsCorrupt(ModelError):
    """A weights file does not hold what it should; it was not used."""

    def __init__(self, file: Path, expected: str, actual: str, mend: str | None = None) -> None:
        self.file = file
        self.expected = expected
        self.actual = actual
        super().__init__(
            f"the weights {file} are damaged or another model's: expected {expected}, found {actual}; "
            f"{mend or 'delete the file and fetch it again'}"
        )


class WeightsUnreachable(ModelError):
    """The weights could not be downloaded. target: where the file belongs."""

    def __init__(self, url: str, reason: str, target: Path) -> None:
        self.url = url
        self.reason = reason
        self.target = target
        super().__init__(
            f"the weights could not be fetched from {url}: {reason}; "
            f"download the file on another machine and put it here as {target}"
        )


class WeightsGated(ModelError):
    """The server of the weights wants to know who asks. sent: whether the token was shown to it."""

    def __init__(self, url: str, code: int, sent: bool, gate: str | None, page: str, command: str) -> None:
        self.url = url
        self.gate = gate
        self.page = page
        self.command = command
        shown = "to the token in HF_TOKEN" if sent else "without a token"
        mend = gate or "ask for access there and set HF_TOKEN"
        super().__init__(
            f"{url} answered {code} {shown}: it is not open to all, or not there; "
            f"see {page}, {mend}, and run `{command}` again"
        )


class WeightsByHand(ModelError):
    """The weights can be downloaded by a person only."""

    def __init__(self, embedder: str, page: str, gate: str | None, command: str) -> None:
        self.embedder = embedder
        self.page = page
        self.gate = gate
        self.command = command
        wanted = f" ({gate})" if gate else ""
        super().__init__(
            f"the weights of {embedder!r} cannot be fetched by a command: download them from {page}{wanted}, "
            f"then run `{command}`"
        )


class WeightsNotAdded(ModelError):
    """What was to be added cannot be: the folder stays as it was."""

    def __init__(self, path: Path, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(f"nothing was added: {path} {reason}")


class WeightsOutside(ModelError):
    """A weights file's name leads out of the weights folder."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(
            f"the weights file {name!r} is not within the weights folder: name one there, with / between folders"
        )


class WeightsFolderUnusable(ModelError):
    """The system does not let the weights folder be read or written."""

    def __init__(self, folder: Path, reason: str) -> None:
        self.folder = folder
        self.reason = reason
        super().__init__(
            f"the weights folder {folder} cannot be used: {reason}; mend that, or set SEEDQUEUE_WEIGHTS to another"
        )


class NoWeightsNeeded(ModelError):
    """Weights were asked for an embedder that has none to fetch."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"the embedder {name!r} has no weights to fetch")


class UnknownEmbedder(ModelError):
    """No embedder, or no variant of it, has that name. near: those that are written much like it, best first."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        self.name = name
        self.known = tuple(known)
        with_variant = any(":" in each for each in self.known)
        self.near = tuple(get_close_matches(name if with_variant else name.partition(":")[0], self.known, n=3))
        meant = f"; did you mean {' or '.join(self.near)}?" if self.near else ""
        super().__init__(f"there is no embedder {name!r}{meant}; choose one of: {', '.join(self.known)}")


class VariantMissing(ModelError):
    """The family takes any model of a kind, and none was named."""

    def __init__(self, family: str, hint: str) -> None:
        self.family = family
        self.hint = hint
        super().__init__(f"the embedder {family!r} needs a model behind a colon, {hint}")


class ExtraMissing(ModelError):
    """What was asked for stands on a package that is not installed."""

    def __init__(self, embedder: str, package: str, extra: str) -> None:
        self.embedder = embedder
        self.package = package
        self.extra = extra
        super().__init__(
            f"{embedder!r} needs {package}, which is not installed: run `pip install 'seedqueue[{extra}]'`"
        )


class OperationsMissing(ModelError):
    """A TensorFlow graph uses operations that this TensorFlow does not have."""

    def __init__(self, file: Path, operations: Sequence[str], package: str) -> None:
        self.file = file
        self.operations = tuple(operations)
        self.package = package
        super().__init__(
            f"{file} needs TensorFlow operations that are not installed: {', '.join(self.operations)}; "
            f"run `pip install '{package}'`"
        )


class UnusableModel(ModelError):
    """A model that no embedder can be made of here, though its name or its files may be in order."""

    def __init__(self, embedder: str, reason: str) -> None:
        self.embedder = embedder
        self.reason = reason
        super().__init__(f"{embedder!r} cannot be an embedder: {reason}")


class GpuMemoryTooSmall(ModelError):
    """Not even one image fits into the GPU's memory."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"the GPU's memory is too small for one image: {reason.splitlines()[0] if reason else 'out of memory'}; "
            "end what else runs on it, or set CUDA_VISIBLE_DEVICES to an empty value to use the processor"
        )
