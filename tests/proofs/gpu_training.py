"""A part of gpu.py: the U-Net trained and asked on the GPU and on the processor."""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from seedqueue.models.heads.network_head import NetworkHead
from seedqueue.models.heads.spec import Progress, Trained, honest
from seedqueue.models.runtime import Device


def training(device: Device, learnt: int, side: int, epochs: int) -> None:
    """The U-Net from random weights on drawn lungs, on the processor and on the device."""
    print("| U-Net VGG-11 | arithmetic | an epoch, s | images/s | against the processor | DSC | GPU memory, MiB |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: |")
    pixels, masks = lungs(learnt + 24, side)
    slow, heads = 0.0, {}
    for where in dict.fromkeys(("cpu", device)):
        heads[where] = head = NetworkHead.create(("lung",), "masks", side=side, device=where)
        forget_peak()
        trained, seconds = fitted(head, pixels[:learnt], masks[:learnt], epochs)
        slow = slow or seconds
        shown = dice(head.probabilities(pixels[learnt:]), masks[learnt:])
        rate, times = learnt / seconds, slow / seconds
        row = f"| {where} | {trained.arithmetic} | {seconds:.2f} | {rate:.0f} | {times:.1f} | {shown:.3f} | {peak()} |"
        print(row, flush=True)
        assert shown > 0.5 or epochs < 4, "it has not learnt"
    print(f"\n{moved(heads[device], pixels[learnt:])}\n{resumed(device, pixels[:learnt], masks[:learnt])}", flush=True)


def fitted(head: NetworkHead, pixels: NDArray[Any], masks: NDArray[Any], epochs: int) -> tuple[Trained, float]:
    """The training and the seconds of an epoch, the median of all but the first."""
    marks: list[float] = []

    def report(progress: Progress) -> None:
        marks.append(progress.seconds)

    trained = head.fit(pixels, masks, honest("masks", epochs=epochs), report=report)
    return trained, statistics.median(np.diff(marks).tolist())


def moved(head: NetworkHead, pixels: NDArray[Any]) -> str:
    """What was trained on the device, stored, and asked on the processor in float32."""
    stored = head.to_bytes()
    there = head.probabilities(pixels)
    exact = NetworkHead.from_bytes(stored, device=head.device, precision="float32").probabilities(pixels)
    here = NetworkHead.from_bytes(stored, device="cpu", precision="float32").probabilities(pixels)
    drawn = np.stack(list(head.dropout_maps(pixels, draws=4, seed=0)))
    assert drawn.shape == (len(pixels), 4, *here.shape[1:])
    assert drawn.std(axis=1).max() > 0
    assert np.abs(exact - here).max() < 0.01
    apart = f"float32 {np.abs(exact - here).max():.1e}, half {np.abs(there - here).max():.1e}"
    return f"Stored and asked on the processor: probabilities differ at most by {apart}."


def resumed(device: Device, pixels: NDArray[Any], masks: NDArray[Any]) -> str:
    """A training that stops after half of its epochs and goes on, beside one that does not."""
    spec = honest("masks", epochs=4)
    whole = NetworkHead.create(("lung",), "masks", side=pixels.shape[-1], device=device)
    expected = whole.fit(pixels, masks, spec)
    with tempfile.TemporaryDirectory(prefix="sq-") as place:
        done: list[Progress] = []
        first = NetworkHead.create(("lung",), "masks", side=pixels.shape[-1], device=device)
        file = Path(place) / "checkpoint"
        first.fit(pixels, masks, spec, checkpoint=file, report=done.append, stop=lambda: len(done) == 2)
        second = NetworkHead.create(("lung",), "masks", side=pixels.shape[-1], device=device)
        found = second.fit(pixels, masks, spec, checkpoint=file)
    assert found.resumed in (1, 2)
    apart = np.abs(np.subtract(expected.losses, found.losses)).max()
    assert apart < 0.05, "it goes on with something else"
    equal = "the same bytes" if whole.to_bytes() == second.to_bytes() else "other bytes"
    return f"Resumed after {found.resumed} of 4 epochs: {equal}, losses differ at most by {apart:.1e}."


def lungs(n: int, side: int) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Two dark ellipses on a grey chest with grain: uint8 (n, 3, side, side) and bool (n, 1, side, side)."""
    rng = np.random.default_rng(0)
    pixels, masks = np.empty((n, 3, side, side), np.uint8), np.empty((n, 1, side, side), np.bool_)
    for row in range(n):
        drawn = Image.new("L", (side, side))
        for middle in (0.3, 0.7):
            x, y, wide, high = side * (np.array([middle, 0.5, 0.13, 0.28]) + rng.uniform(-0.04, 0.04, 4))
            ImageDraw.Draw(drawn).ellipse((x - wide, y - high, x + wide, y + high), fill=1)
        masks[row, 0] = np.asarray(drawn, dtype=bool)
        grey = rng.uniform(130, 180) - rng.uniform(25, 60) * masks[row, 0] + rng.normal(0, 25, (side, side))
        pixels[row] = np.clip(grey + np.linspace(-30, 30, side) * rng.uniform(-1, 1), 0, 255)
    return pixels, masks


def dice(shown: NDArray[np.float32], masks: NDArray[np.bool_]) -> float:
    found = shown >= 0.5
    both, each = (found & masks).sum(axis=(1, 2, 3)), found.sum(axis=(1, 2, 3)) + masks.sum(axis=(1, 2, 3))
    return float((2 * both / each).mean())


def forget_peak() -> None:
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


def peak() -> str:
    """MiB that tensors took at most since `forget_peak`."""
    return f"{torch.cuda.max_memory_allocated() / 2**20:.0f}" if torch.cuda.is_available() else "-"
