"""What the networks cost: an epoch and inference, in this machine's arithmetic and in float32, beside a plain loop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from seedqueue.backend.bench.drawn_project import CLASSES, MASK
from seedqueue.backend.bench.plain_loop import PlainLoop
from seedqueue.backend.bench.rows import Timing, timed
from seedqueue.backend.bench.timing import Spent, in_turns
from seedqueue.models.heads import networks
from seedqueue.models.heads.arithmetic import chosen
from seedqueue.models.heads.network_head import NetworkHead
from seedqueue.models.heads.spec import Task, TrainingSpec, honest

STAGE = "network"
RATE = "images per core-second"
INFERRED = 16  # images: a batch
WARM_UP = 4
_PEER = "plain loop"

Pixels = NDArray[np.uint8]
Targets = NDArray[np.bool_]
Say = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class _Contestants:
    """One network thrice; `exact` is None where the machine's own arithmetic is float32 already."""

    name: str
    ours: NetworkHead
    exact: NetworkHead | None
    plain: PlainLoop
    spec: TrainingSpec


def unet(pixels: Pixels, epochs: int, say: Say) -> tuple[list[Timing], NetworkHead]:
    """Rows of the U-Net with a VGG-11 encoder, and the network as it then is. pixels: uint8 (n, 3, side, side)."""
    found = _contestants("U-Net VGG-11", "masks", (MASK,), pixels.shape[-1])
    return _rows(found, pixels, bright(pixels), epochs, say), _with_masks(found.ours, pixels)


def vgg(pixels: Pixels, epochs: int, say: Say) -> list[Timing]:
    """Rows of VGG-11. pixels: uint8 (n, 3, side, side)."""
    found = _contestants("VGG-11", "single", CLASSES, pixels.shape[-1])
    classes = np.arange(len(pixels))[:, None] % len(CLASSES) == np.arange(len(CLASSES))
    return _rows(found, pixels, classes, epochs, say)


def bright(pixels: Pixels) -> Targets:
    """Masks that need no annotator, bool (n, 1, side, side): what is brighter than the image's mean."""
    grey = pixels.mean(axis=1, keepdims=True)
    return np.asarray(grey > grey.mean(axis=(2, 3), keepdims=True))


def _contestants(name: str, task: Task, classes: tuple[str, ...], side: int) -> _Contestants:
    spec = honest(task, epochs=1)
    ours = NetworkHead.create(classes, task, side=side)
    exact = NetworkHead.create(classes, task, side=side, precision="float32") if _halved() else None
    return _Contestants(name, ours, exact, PlainLoop(networks.build(ours.kind, len(classes)), spec), spec)


def _halved() -> bool:
    return chosen().name != "float32"


def _rows(found: _Contestants, pixels: Pixels, targets: Targets, epochs: int, say: Say) -> list[Timing]:
    heads = {chosen().name: found.ours} | ({"float32": found.exact} if found.exact else {})

    def rivals(first: int) -> dict[str, Callable[[], object]]:
        part = (pixels[:first], targets[:first])
        return {name: partial(head.fit, *part, found.spec) for name, head in heads.items()} | {
            _PEER: partial(found.plain.epoch, *part)
        }

    n = len(pixels)
    say(f"{found.name}: an epoch of {n} images ...")
    in_turns(rivals(WARM_UP), 1)
    trained = in_turns(rivals(n), epochs)
    say(f"{found.name}: inference ...")
    few = pixels[:INFERRED]
    shown: dict[str, Callable[[], object]] = {name: partial(head.probabilities, few) for name, head in heads.items()}
    shown[_PEER] = partial(found.plain.infer, few)
    in_turns(shown, 1)
    seen = in_turns(shown, max(2, epochs))
    rows = [row for name in heads for row in _training_rows(found.name, name, n, trained)]
    return rows + [_inference_row(found.name, name, len(few), seen) for name in heads]


def _training_rows(network: str, arithmetic: str, n: int, spent: dict[str, Spent]) -> list[Timing]:
    what, ours, plain = f"{network}, an epoch of {n}, {arithmetic}", spent[arithmetic], spent[_PEER]
    return [
        timed(STAGE, what, ours.clock, "s", plain.clock, _PEER),
        timed(STAGE, what, n / ours.core, RATE, n / plain.core, _PEER),
    ]


def _inference_row(network: str, arithmetic: str, n: int, spent: dict[str, Spent]) -> Timing:
    what = f"{network}, inference, {arithmetic}"
    return timed(STAGE, what, n / spent[arithmetic].core, RATE, n / spent[_PEER].core, _PEER)


def _with_masks(head: NetworkHead, pixels: Pixels) -> NetworkHead:
    """Half of all pixels in: after so short a training its masks may be empty, and those cost nothing to answer."""
    import torch

    shares = np.clip(head.probabilities(pixels[:INFERRED]), 1e-6, 1 - 1e-6)
    middle = float(np.median(np.log(shares / (1 - shares))))
    bias = dict(head.network.get_submodule("decider.last").named_parameters())["0.bias"]
    with torch.no_grad():
        bias.sub_(middle)
    return head
