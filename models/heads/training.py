"""One training loop for both networks: seeded, in half precision where that is faster, and resumable."""

import copy
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from seedqueue.models.errors import TrainingDiverged
from seedqueue.models.heads.arithmetic import Arithmetic, chosen, compute_threads
from seedqueue.models.heads.checkpoint import Checkpoint, digest
from seedqueue.models.heads.images import Floats, Pixels
from seedqueue.models.heads.losses import loss_of
from seedqueue.models.heads.predicting import probabilities, seeded
from seedqueue.models.heads.schedule import bad_epochs, best_epoch, cosine, halved
from seedqueue.models.heads.spec import Progress, Trained, TrainingSpec
from seedqueue.models.runtime import Device, Precision

if TYPE_CHECKING:
    import torch

Targets = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Validation:
    """Labelled images that choose among a training's epochs. score: of probabilities and targets, higher is better."""

    inputs: Pixels
    targets: Targets
    score: Callable[[Floats, Targets], float]


def train(
    network: "torch.nn.Module",
    inputs: Pixels,
    targets: Targets,
    spec: TrainingSpec,
    *,
    validation: Validation | None = None,
    checkpoint: Path | None = None,
    report: Callable[[Progress], None] = lambda progress: None,
    stop: Callable[[], bool] = lambda: False,
    device: Device = "auto",
    precision: Precision = "auto",
    threads: int = 0,
) -> Trained:
    """Train a network in place.

    inputs: uint8 (n, 3, side, side). targets: bool (n, classes), exactly one a row for "single"; bool
    (n, labels, side, side) for "masks". The network takes float pixels from 0 to 255 and gives logits.
    checkpoint: the file that a killed training is resumed from, with the same weights in the end, bit for
    bit on one kind of processor and one number of threads; it stays when training ends. report: after
    each epoch. stop: asked before each step. threads: 0 for torch's own number. Raises TrainingDiverged.
    """
    import torch

    if spec.schedule == "halving" and validation is None:
        raise ValueError("the schedule 'halving' needs a validation set: give one, or train with `honest`")
    arithmetic = chosen(device, precision)
    devices = [torch.cuda.current_device()] if arithmetic.device == "cuda" else []
    with compute_threads(threads), torch.random.fork_rng(devices):
        run = _Run(network, inputs, targets, spec, validation, arithmetic)
        arrays = [inputs, targets, *([validation.inputs, validation.targets] if validation else [])]
        kept = Checkpoint(checkpoint, digest(repr(spec), arrays, network) if checkpoint else "")
        return run.run(kept, report, stop)


class _Run:
    """A training under way."""

    def __init__(
        self,
        network: "torch.nn.Module",
        inputs: Pixels,
        targets: Targets,
        spec: TrainingSpec,
        validation: Validation | None,
        arithmetic: Arithmetic,
    ) -> None:
        import torch

        self._torch, self._spec, self._validation, self._arithmetic = torch, spec, validation, arithmetic
        self._network = network.to(arithmetic.device).to(memory_format=torch.channels_last)
        self._inputs, self._targets = torch.from_numpy(inputs), torch.from_numpy(targets)
        self._loss = loss_of(spec, self._targets, arithmetic.device)
        self._optimiser = _optimiser(network, spec)
        self._scaler = torch.amp.GradScaler(arithmetic.device, enabled=arithmetic.name == "float16")
        self._losses: list[float] = []
        self._scores: list[float] = []
        self._best: dict[str, Any] | None = None

    def run(self, kept: Checkpoint, report: Callable[[Progress], None], stop: Callable[[], bool]) -> Trained:
        resumed = self._resume(kept.load())
        started, stopped = time.monotonic(), False
        while len(self._losses) < self._spec.epochs and not self._enough():
            if stopped := not self._epoch(stop):
                break
            last = len(self._losses) == self._spec.epochs or self._enough()
            kept.save(self._state(), last=last)
            report(self._progress(time.monotonic() - started, resumed))
        if not stopped and self._best is not None:
            self._network.load_state_dict(self._best)
        self._network.eval()
        best = best_epoch(self._scores) if self._best is not None else len(self._losses)
        told = (tuple(self._losses), tuple(self._scores))
        return Trained(len(self._losses), best, *told, resumed, stopped, self._arithmetic.name)

    def _epoch(self, stop: Callable[[], bool]) -> bool:
        """One pass; False where it was stopped, and then does not count."""
        epoch = len(self._losses)
        # All random numbers of an epoch follow from its number: nothing of them needs to be in the checkpoint.
        generator = seeded(self._spec.seed, epoch)
        self._torch.manual_seed(generator.initial_seed())
        self._network.train()
        batches = self._batches(generator)
        total = 0.0
        for number, rows in enumerate(batches):
            if stop():
                return False
            self._set_rate((epoch * len(batches) + number) / (self._spec.epochs * len(batches)))
            total += self._step(rows, generator) * len(rows) / sum(map(len, batches))
        self._losses.append(total)
        self._validate()
        return True

    def _batches(self, generator: "torch.Generator") -> "list[torch.Tensor]":
        """Rows of each step, of nearly equal numbers; never one alone, of which batch normalisation learns nothing."""
        rows = self._torch.randperm(len(self._inputs), generator=generator)
        if len(rows) == 1:
            rows = rows.repeat(2)
        count = max(1, min(math.ceil(len(rows) / self._spec.batch), len(rows) // 2))
        return list(rows.tensor_split(count))

    def _step(self, rows: "torch.Tensor", generator: "torch.Generator") -> float:
        device = self._arithmetic.device
        masks = self._targets[rows] if self._spec.task == "masks" else None
        pixels, masks = self._spec.augmentation(self._inputs[rows], masks, generator)
        wanted = (self._targets[rows] if masks is None else masks).to(device)
        pixels = pixels.to(device).contiguous(memory_format=self._torch.channels_last)
        with self._arithmetic.autocast():
            logits = self._network(pixels)
        loss = self._loss(logits, wanted)
        if not math.isfinite(value := loss.item()):
            raise TrainingDiverged(len(self._losses) + 1, value, self._optimiser.param_groups[0]["lr"])
        self._optimiser.zero_grad(set_to_none=True)
        self._scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
        self._scaler.step(self._optimiser)
        self._scaler.update()
        return value

    def _set_rate(self, done: float) -> None:
        spec = self._spec
        factor = cosine(done) if spec.schedule == "cosine" else halved(self._scores, spec.patience)
        for group in self._optimiser.param_groups:
            group["lr"] = spec.rate * factor

    def _validate(self) -> None:
        if self._validation is None:
            return
        shown = probabilities(self._network, self._validation.inputs, self._spec.task, self._arithmetic)
        self._scores.append(float(self._validation.score(np.concatenate(list(shown)), self._validation.targets)))
        if self._spec.keeps_best and bad_epochs(self._scores) == 0:
            self._best = copy.deepcopy(self._network.state_dict())

    def _enough(self) -> bool:
        return 0 < self._spec.stop_after <= bad_epochs(self._scores)

    def _progress(self, seconds: float, resumed: int) -> Progress:
        done = len(self._losses)
        left = 0.0 if self._enough() else seconds / (done - resumed) * (self._spec.epochs - done)
        score = self._scores[-1] if self._scores else None
        return Progress(done, self._spec.epochs, self._losses[-1], score, seconds, left)

    def _state(self) -> dict[str, Any]:
        return {
            "network": self._network.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "scaler": self._scaler.state_dict(),
            "losses": self._losses,
            "scores": self._scores,
            "best": self._best,
        }

    def _resume(self, saved: dict[str, Any] | None) -> int:
        """The number of epochs that a checkpoint already holds."""
        if saved is None:
            return 0
        self._network.load_state_dict(saved["network"])
        self._optimiser.load_state_dict(saved["optimiser"])
        self._scaler.load_state_dict(saved["scaler"])
        self._losses, self._scores, self._best = saved["losses"], saved["scores"], saved["best"]
        return len(self._losses)


def _optimiser(network: "torch.nn.Module", spec: TrainingSpec) -> "torch.optim.Optimizer":
    import torch

    weights = list(network.parameters())
    if spec.optimiser == "sgd":
        return torch.optim.SGD(weights, lr=spec.rate, momentum=0.9, weight_decay=spec.weight_decay, fused=True)
    return torch.optim.AdamW(weights, lr=spec.rate, weight_decay=spec.weight_decay, fused=True)
