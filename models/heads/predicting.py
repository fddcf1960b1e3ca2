"""Probabilities of a network that stands still: batch by batch, and under dropout."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from seedqueue.models.heads.arithmetic import Arithmetic
from seedqueue.models.heads.images import Floats, Pixels
from seedqueue.models.heads.spec import Task

if TYPE_CHECKING:
    import torch

# Images at once; more gain nothing on a processor, and fit a GPU of 4 GiB.
BATCH = 16


def probabilities(
    network: "torch.nn.Module", inputs: Pixels, task: Task, arithmetic: Arithmetic, batch: int = BATCH
) -> Iterator[Floats]:
    """Of uint8 (n, 3, side, side), a batch at a time: float32 (batch, classes) or (batch, labels, side, side)."""
    import torch

    for pixels in _batches(network, inputs, arithmetic, batch):
        with torch.inference_mode(), arithmetic.autocast():
            logits = network(pixels)
        yield activated(logits, task)


def dropout_draws(
    network: "torch.nn.Module", inputs: Pixels, task: Task, arithmetic: Arithmetic, draws: int, seed: int
) -> Iterator[Floats]:
    """Under dropout, a batch at a time: float32 (draws, batch, ...).

    A draw is one thinned network that all images are shown to: its channels are dropped once and for all,
    so that a row depends on its input alone and not on what else is in its batch. After Gal & Ghahramani,
    "Dropout as a Bayesian Approximation", 1506.02142. What comes before the dropout is computed once.
    """
    import torch

    encoder, decider = network.get_submodule("encoder"), network.get_submodule("decider")
    for pixels in _batches(network, inputs, arithmetic, BATCH):
        with torch.inference_mode(), arithmetic.autocast():
            features = encoder(pixels)
            drawn = []
            for draw in range(draws):
                with _thinned(decider, seeded(seed, draw)):
                    drawn.append(activated(decider(features), task))
        yield np.stack(drawn)


def activated(logits: "torch.Tensor", task: Task) -> Floats:
    """Softmax over the classes, or a sigmoid each."""
    shares = logits.float().softmax(dim=1) if task == "single" else logits.float().sigmoid()
    return np.asarray(shares.cpu().numpy(), dtype=np.float32)


def seeded(*numbers: int) -> "torch.Generator":
    """A generator of torch's random numbers for these numbers."""
    import torch

    digest = hashlib.sha256(repr(numbers).encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:7]))


def _batches(
    network: "torch.nn.Module", inputs: npt.NDArray[np.uint8], arithmetic: Arithmetic, batch: int
) -> "Iterator[torch.Tensor]":
    import torch

    network.eval().to(arithmetic.device).to(memory_format=torch.channels_last)
    for start in range(0, len(inputs), batch):
        pixels = torch.from_numpy(np.ascontiguousarray(inputs[start : start + batch]))
        yield pixels.to(arithmetic.device).contiguous(memory_format=torch.channels_last)


@contextmanager
def _thinned(decider: "torch.nn.Module", generator: "torch.Generator") -> Iterator[None]:
    """Every dropout layer drops the same channels for all images. In the order in which the layers are reached."""
    import torch

    def drop(layer: torch.nn.Module, _: Any, passed: torch.Tensor) -> torch.Tensor:
        rate = float(layer.p)  # type: ignore[arg-type]
        shape = (1, passed.shape[1], *[1] * (passed.ndim - 2))
        kept = (torch.rand(shape, generator=generator) >= rate).to(passed)
        return passed * kept / (1 - rate)

    kinds = (torch.nn.Dropout, torch.nn.Dropout2d)
    hooks = [layer.register_forward_hook(drop) for layer in decider.modules() if isinstance(layer, kinds)]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
