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


class TrainingDiverged(ModelError):
    """The loss of a training is no number any more. epoch: counted from 1; rate: the learning rate then."""

    def __init__(self, epoch: int, loss: float, rate: float) -> None:
        self.epoch = epoch
        self.loss = loss
        self.rate = rate
        super().__init__(
            f"training came to a loss of {loss} in epoch {epoch} at a learning rate of {rate:g}: "
            "lower the rate, or train in float32"
        )


class InputsUnusable(ModelError):
    """What a network is given is not what it takes. what: the thing that differs."""

    def __init__(self, what: str, expected: str, actual: str) -> None:
        self.what = what
        self.expected = expected
        self.actual = actual
        super().__init__(
            f"a network head takes {expected} as {what}, not {actual}: prepare it by models/heads/images.py"
        )


class EmbeddingsNotFinite(ModelError):
    """Embeddings hold NaN or infinite numbers. rows: which ones, of how many."""

    def __init__(self, rows: Sequence[int], of: int) -> None:
        self.rows = tuple(rows)
        self.of = of
        super().__init__(
            f"NaN or infinite numbers in {len(self.rows)} of {of} embeddings, the first is row {self.rows[0]}: "
            "embed these images again, or leave them out"
        )


class EmbeddingsOfAnotherSize(ModelError):
    """Embeddings of another length than the head's: another embedder's."""

    def __init__(self, expected: int, found: Sequence[int]) -> None:
        self.expected = expected
        self.found = tuple(found)
        super().__init__(
            f"the head takes embeddings of {expected} numbers, shape (n, {expected}), and was given {self.found}: "
            "use the embedder that it was trained with, or train it again"
        )


class LabelsUnusable(ModelError):
    """No classifier can be trained on these labels."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"the labels cannot be trained on: {reason}")


class HeadUnusable(ModelError):
    """A stored head that cannot be loaded."""

    def __init__(self, what: str, expected: object, found: object) -> None:
        self.what = what
        self.expected = expected
        self.found = found
        super().__init__(
            f"the stored head cannot be loaded: {what}: expected {expected}, found {found}; train it again"
        )


class UnequalLengths(ModelError):
    """Two arrays that go together image by image, or class by class, do not."""

    def __init__(self, first: str, first_length: object, second: str, second_length: object) -> None:
        self.first_length = first_length
        self.second_length = second_length
        super().__init__(
            f"{first}: {first_length}, {second}: {second_length}; give both for the same images and classes"
        )


class NotProbabilities(ModelError):
    """A value that should be a probability is not within [0, 1]."""

    def __init__(self, row: int, column: int, value: float) -> None:
        self.row = row
        self.column = column
        self.value = value
        super().__init__(
            f"row {row}, class {column}: {value} is no probability; pass the head's output through softmax or sigmoid"
        )


class NotOneClass(ModelError):
    """An image of a problem with one class an image has none or several."""

    def __init__(self, row: int, count: int) -> None:
        self.row = row
        self.count = count
        super().__init__(f"row {row} has {count} classes, 1 expected: leave the image out, or use the kind 'multi'")


class PrevalenceUnusable(ModelError):
    """No odds can be made of a prevalence."""

    def __init__(self, column: int, value: float) -> None:
        self.column = column
        self.value = value
        super().__init__(
            f"class {column}: a prevalence of {value} has no odds; give one above 0 and below 1 (`smoothed_prevalence`)"
        )


class SpacingUnusable(ModelError):
    """A pixel spacing is not two lengths above 0."""

    def __init__(self, spacing: object) -> None:
        self.spacing = spacing
        super().__init__(f"the spacing is {spacing!r}: give (row mm, column mm), both above 0, or None for pixels")


class NetworkUnsteady(ModelError):
    """A compiled network gave one image different numbers."""

    def __init__(self, name: str, streams: int, compilations: int) -> None:
        super().__init__(
            f"the network {name!r} gives one image different numbers on its {streams} streams, after {compilations} "
            "compilations: it is not used. Start the worker again; SEEDQUEUE_THREADS=1 has one stream alone"
        )


class NetworkDiffers(ModelError):
    """A network gave an image other numbers than PyTorch did."""

    def __init__(self, name: str, cosine: float, least: float) -> None:
        self.cosine = cosine
        super().__init__(
            f"the network {name} gives other numbers than PyTorch: cosine {cosine:.4f}, at least {least} expected. It "
            "is not used; start the worker again"
        )
