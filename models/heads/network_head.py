"""A trained network with its classes: pixels in, probabilities out, kept in one safetensors file."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np

from seedqueue.models.errors import InputsUnusable, LabelsUnusable
from seedqueue.models.heads import network_file, networks, predicting
from seedqueue.models.heads.arithmetic import chosen, compute_threads
from seedqueue.models.heads.images import SIDE, Floats, Pixels
from seedqueue.models.heads.spec import Progress, Task, Trained, TrainingSpec
from seedqueue.models.heads.training import Targets, Validation, train
from seedqueue.models.runtime import Device, Precision

if TYPE_CHECKING:
    import torch

_KINDS: dict[Task, networks.Kind] = {"single": "vgg11", "multi": "vgg11", "masks": "unet-vgg11"}


@dataclass(frozen=True, eq=False)
class NetworkHead:
    """VGG-11 for classes, U-Net with its encoder for masks.

    task: "single", one class an image; "multi", any number of them; "masks", a mask for each of `classes`.
    side: of the input, in pixels. pretrained: whether training began from ImageNet's weights.
    """

    classes: tuple[str, ...]
    task: Task
    side: int
    pretrained: bool
    network: "torch.nn.Module" = field(repr=False)
    device: Device = "auto"
    precision: Precision = "auto"
    threads: int = 0

    @classmethod
    def create(
        cls,
        classes: tuple[str, ...],
        task: Task,
        *,
        side: int = SIDE,
        imagenet: Path | None = None,
        seed: int = 0,
        device: Device = "auto",
        precision: Precision = "auto",
        threads: int = 0,
    ) -> Self:
        """An untrained head.

        imagenet: the file of `networks.source(kind)`, already checked (`weights.require`); None begins from
        random weights, and `pretrained` says so. side: a multiple of 32. threads: 0 for torch's own number.
        Raises InputsUnusable, WeightsCorrupt.
        """
        import torch

        if side < networks.STRIDE or side % networks.STRIDE:
            raise InputsUnusable("the side", f"a multiple of {networks.STRIDE}", str(side))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            network = networks.build(_KINDS[task], len(classes), imagenet)
        return cls(classes, task, side, imagenet is not None, network.eval(), device, precision, threads)

    @property
    def kind(self) -> networks.Kind:
        """Which network it is."""
        return _KINDS[self.task]

    def fit(
        self,
        inputs: Pixels,
        targets: Targets,
        spec: TrainingSpec,
        *,
        validation: Validation | None = None,
        checkpoint: Path | None = None,
        report: Callable[[Progress], None] = lambda progress: None,
        stop: Callable[[], bool] = lambda: False,
    ) -> Trained:
        """Train the network in place; see `training.train`.

        inputs: uint8 (n, 3, side, side), of `images.prepare`; targets: bool (n, classes), exactly one a row for
        "single", or bool (n, classes, side, side), of `images.prepare_masks`. Raises InputsUnusable,
        LabelsUnusable, TrainingDiverged.
        """
        self._check_inputs(inputs)
        self._check_targets(targets, len(inputs))
        if spec.task != self.task:
            raise InputsUnusable("the spec's task", repr(self.task), repr(spec.task))
        return train(
            self.network,
            inputs,
            targets,
            spec,
            validation=validation,
            checkpoint=checkpoint,
            report=report,
            stop=stop,
            device=self.device,
            precision=self.precision,
            threads=self.threads,
        )

    def probabilities(self, inputs: Pixels) -> Floats:
        """float32 (n, classes), or (n, classes, side, side) for masks, of which `maps` gives one at a time."""
        parts = list(self._batches(inputs))
        shape = (self.side, self.side) if self.task == "masks" else ()
        return np.concatenate(parts) if parts else np.empty((0, len(self.classes), *shape), dtype=np.float32)

    def maps(self, inputs: Pixels) -> Iterator[Floats]:
        """Of each image, float32 (classes, side, side): see `images.to_grid`.

        `seedqueue.selectors.pixels.foreground_entropy` takes them.
        """
        for batch in self._batches(inputs):
            yield from batch

    def dropout_probabilities(self, inputs: Pixels, draws: int, seed: int) -> Floats:
        """Under dropout, float32 (draws, n, classes): see `predicting.dropout_draws`."""
        parts = list(self._drawn(inputs, draws, seed))
        return np.concatenate(parts, axis=1) if parts else np.empty((draws, 0, len(self.classes)), dtype=np.float32)

    def dropout_maps(self, inputs: Pixels, draws: int, seed: int) -> Iterator[Floats]:
        """Under dropout, of each image float32 (draws, classes, side, side).

        `seedqueue.selectors.pixels.dropout_disagreement` takes them.
        """
        for batch in self._drawn(inputs, draws, seed):
            yield from batch.swapaxes(0, 1)

    def to_bytes(self) -> bytes:
        """A safetensors file; the same head gives the same bytes."""
        described = network_file.Described(self.kind, self.classes, self.task, self.side, self.pretrained)
        return network_file.to_bytes(described, self.network)

    @classmethod
    def from_bytes(
        cls, content: bytes, *, device: Device = "auto", precision: Precision = "auto", threads: int = 0
    ) -> Self:
        """The inverse of `to_bytes`: metadata and every array are checked. Raises HeadUnusable."""
        found, network = network_file.from_bytes(content)
        return cls(found.classes, found.task, found.side, found.pretrained, network, device, precision, threads)

    def save(self, path: Path) -> None:
        """Write `to_bytes` as a whole or not at all."""
        unfinished = path.with_name(f"{path.name}.{os.getpid()}.part")
        try:
            unfinished.write_bytes(self.to_bytes())
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)

    @classmethod
    def load(cls, path: Path, *, device: Device = "auto", precision: Precision = "auto", threads: int = 0) -> Self:
        """Read what `save` wrote. Raises HeadUnusable."""
        return cls.from_bytes(path.read_bytes(), device=device, precision=precision, threads=threads)

    def _batches(self, inputs: Pixels) -> Iterator[Floats]:
        self._check_inputs(inputs)
        arithmetic = chosen(self.device, self.precision)
        return self._threaded(predicting.probabilities(self.network, inputs, self.task, arithmetic))

    def _drawn(self, inputs: Pixels, draws: int, seed: int) -> Iterator[Floats]:
        self._check_inputs(inputs)
        arithmetic = chosen(self.device, self.precision)
        return self._threaded(predicting.dropout_draws(self.network, inputs, self.task, arithmetic, draws, seed))

    def _threaded(self, batches: Iterator[Floats]) -> Iterator[Floats]:
        """Each batch with the head's number of threads; between two, the caller has its own back."""
        while True:
            with compute_threads(self.threads):
                batch = next(batches, None)
            if batch is None:
                return
            yield batch

    def _check_inputs(self, inputs: Pixels) -> None:
        wanted = (3, self.side, self.side)
        if inputs.dtype != np.uint8 or inputs.shape[1:] != wanted:
            expected = f"uint8 of shape (n, {', '.join(map(str, wanted))})"
            raise InputsUnusable("pixels", expected, f"{inputs.dtype} of shape {inputs.shape}")

    def _check_targets(self, targets: Targets, n: int) -> None:
        shape = (n, len(self.classes), *((self.side, self.side) if self.task == "masks" else ()))
        if targets.dtype != np.bool_ or targets.shape != shape:
            raise LabelsUnusable(f"{targets.dtype} of shape {targets.shape} instead of true or false of shape {shape}")
        if self.task == "single" and len(wrong := np.flatnonzero(targets.sum(axis=1) != 1)):
            held = int(targets[wrong[0]].sum())
            raise LabelsUnusable(
                f"row {wrong[0]} has {held} classes instead of one; let the task be 'multi', or mend it"
            )
        if not n:
            raise LabelsUnusable("there is none; label an image first")
