"""The networks on a real GPU beside this machine's processor: the same numbers, how much faster, how much memory.

    python tests/proofs/gpu.py                        # from the repo's root, installed or not
    python tests/proofs/gpu.py --device cpu --tiny    # tries the script out where there is no GPU

Both networks of torchxrayvision have random weights; `--weights` adds SqueezeNet with real ones. `--images` takes a
folder of images in place of phantoms. What docs/performance.md reports of a GPU.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parents[2] / ".typing"))

import numpy as np
import torch
import torchvision
from gpu_training import forget_peak, peak, training
from numpy.typing import NDArray
from PIL import Image

from seedqueue.backend.bench.peers import random_densenet
from seedqueue.backend.demo.phantoms import write_phantoms
from seedqueue.backend.folder import embed_files, list_images
from seedqueue.models import gate, registry
from seedqueue.models.cuda import arithmetics
from seedqueue.models.embedder import Embedder
from seedqueue.models.embedders.txrv import _source
from seedqueue.models.images import read_image
from seedqueue.models.runtime import Device, Network, Runtime

MAX_PIXELS = 50_000_000
PARTS = ("accuracy", "embedding", "files", "training")
DENSENET, RESNET, SQUEEZENET = "txrv:densenet121-res224-all", "txrv:resnet50-res512-all", "imagenet:squeezenet1_1"


@dataclass(frozen=True)
class Sizes:
    """How much is measured. images: different ones; batch: inputs at once; files: listed, over and over."""

    images: int = 64
    batch: int = 256
    files: int = 1024
    rounds: int = 5
    learnt: int = 48
    side: int = 224
    epochs: int = 8


class Eager(Runtime):
    """PyTorch in float32 on the processor: the reference."""

    def of_module(self, module: torch.nn.Module, example: NDArray[Any], fingerprint: str) -> Network:
        return arithmetics(module, "cpu").full()


class Half(Runtime):
    """Half precision on the device whatever the gate says."""

    def of_module(self, module: torch.nn.Module, example: NDArray[Any], fingerprint: str) -> Network:
        half = arithmetics(module, self.device).half
        assert half is not None
        return half()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--images", type=Path)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--tiny", action="store_true")
    given = parser.parse_args()
    sizes = Sizes(16, 16, 32, 1, 6, 64, 3) if given.tiny else Sizes()
    print(f"{machine(given.device)}\n", flush=True)
    with tempfile.TemporaryDirectory(prefix="sq-") as place:
        folder = Path(place)
        files = list_images(given.images) if given.images else write_phantoms(folder / "phantoms", sizes.images)
        pictures = [read_image(file.read_bytes(), max_pixels=MAX_PIXELS).image for file in files[: sizes.images]]
        names = random_weights(folder) + ((SQUEEZENET,) if given.weights else ())
        if given.weights:
            for file in given.weights.iterdir():
                (folder / file.name).write_bytes(file.read_bytes())
        if "accuracy" in given.only:
            accuracy(names, folder, given.device, pictures)
        if "embedding" in given.only:
            embedding(names, folder, given.device, pictures, sizes)
        if "files" in given.only:
            from_files(folder, given.device, pictures, sizes)
    if "training" in given.only:
        training(given.device, sizes.learnt, sizes.side, sizes.epochs)


def machine(device: str) -> str:
    seen = f"{torch.cuda.get_device_name()}, CUDA {torch.version.cuda}" if device == "cuda" else "no GPU"
    cores = len(os.sched_getaffinity(0))
    return f"{seen}, PyTorch {torch.__version__}, {cores} cores, load {os.getloadavg()[0]:.1f}"


def random_weights(folder: Path) -> tuple[str, ...]:
    """The weight files of torchxrayvision's DenseNet-121 and ResNet-50, random; their names."""
    torch.manual_seed(0)
    resnet = torchvision.models.resnet50(weights=None, num_classes=18)
    resnet.conv1 = torch.nn.Conv2d(1, 64, kernel_size=7, stride=2, padding=3, bias=False)
    for layer in resnet.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.momentum = None  # what it sees now, as a trained network has it: float16 would overflow otherwise
    with torch.no_grad():
        resnet(2048 * torch.rand(8, 1, 128, 128) - 1024)
    torch.save(random_densenet(), folder / _source("densenet121-res224-all").files[0].name)
    torch.save(resnet.state_dict(), folder / _source("resnet50-res512-all").files[0].name)
    return DENSENET, RESNET


def inputs_of(embedder: Embedder, pictures: Sequence[Image.Image]) -> NDArray[np.uint8]:
    return np.stack([embedder.prepare(picture) for picture in pictures])


def accuracy(names: Sequence[str], folder: Path, device: Device, pictures: Sequence[Image.Image]) -> None:
    """Error: the norm of the difference over the reference's. Cosine: the lowest, mean-centred."""
    print("| network | arithmetic | relative error | lowest centred cosine | the gate |")
    print("| --- | --- | ---: | ---: | --- |")
    for name in names:
        eager = registry.create(name, folder, Eager())
        inputs = inputs_of(eager, pictures)
        reference = eager.embed(inputs)
        exact = registry.create(name, folder, Runtime(device, "float32"))
        found, said = {"float32": exact.embed(inputs)}, ""
        if device == "cuda":
            found["half"] = registry.create(name, folder, Half(device)).embed(inputs)
            chosen = registry.create(name, folder, Runtime(device, verdicts=folder / "verdicts"))
            found["chosen"] = chosen.embed(inputs)
            key = (chosen.fingerprint, "float16", arithmetics(torch.nn.Identity(), device).machine)
            verdict = gate.Verdicts(folder / "verdicts").find(*key)
            assert verdict is not None, "the gate has not judged"
            assert np.array_equal(found["chosen"], found["half" if verdict.passed else "float32"])
            said = f"{'let in' if verdict.passed else 'refused'} at {verdict.cosine:.5f}"
        for arithmetic, embeddings in found.items():
            error = np.linalg.norm(embeddings - reference) / np.linalg.norm(reference)
            cosine = gate.centred_cosine(reference, embeddings).min()
            told = said if arithmetic == "chosen" else ""
            print(f"| {name} | {arithmetic} | {error:.1e} | {cosine:.6f} | {told} |", flush=True)
            if arithmetic != "half":
                assert cosine >= gate.LEAST_COSINE, "other embeddings than the processor's"
        if device == "cuda":
            print(f"\n{starved(name, folder, inputs, found['float32'])}\n", flush=True)


def starved(name: str, folder: Path, inputs: NDArray[Any], expected: NDArray[Any]) -> str:
    """The same images where the GPU's memory does not hold them at once."""
    torch.cuda.empty_cache()
    embedder = registry.create(name, folder, Runtime("cuda", "float32"))
    total = torch.cuda.get_device_properties(0).total_memory
    most = torch.cuda.memory_allocated() + 300 * 2**20
    torch.cuda.set_per_process_memory_fraction(most / total)
    try:
        many = np.concatenate([inputs] * 4)
        same = np.allclose(embedder.embed(many)[: len(inputs)], expected, rtol=1e-3, atol=1e-4)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert same, "other embeddings where memory is short"
    return f"With {most / 2**20:.0f} MiB of the GPU's memory: batches of {embedder._network.batch}, equal embeddings."


def embedding(names: Sequence[str], folder: Path, device: Device, pictures: Sequence[Image.Image], s: Sizes) -> None:
    """Prepared inputs to embeddings, in calls of 32 as the pipeline makes them, and of many."""
    print("| network | inputs a call | runs on | images/s | against the processor | GPU memory, MiB |")
    print("| --- | ---: | --- | ---: | ---: | ---: |")
    for name in names:
        runtimes = {"processor, as chosen": processor(), f"{device}, float32": Runtime(device, "float32")}
        if device == "cuda":  # on a processor float16 is a hundred times slower
            runtimes["cuda, half"] = Half(device)
        embedders = {where: registry.create(name, folder, runtime) for where, runtime in runtimes.items()}
        some = inputs_of(next(iter(embedders.values())), pictures)
        many = np.concatenate([some] * -(-s.batch // len(some)))[: s.batch]
        for size in (32, s.batch):
            slow = 0.0
            for where, embedder in embedders.items():
                forget_peak()
                seconds = median_seconds(
                    partial(in_calls, embedder, many, size), s.rounds if "float32" in where or "half" in where else 1
                )
                rate = len(many) / seconds
                slow = slow or rate
                print(f"| {name} | {size} | {where} | {rate:.0f} | {rate / slow:.1f} | {peak()} |", flush=True)
    print()


def in_calls(embedder: Embedder, inputs: NDArray[Any], size: int) -> None:
    for start in range(0, len(inputs), size):
        embedder.embed(inputs[start : start + size])


def from_files(folder: Path, device: Device, pictures: Sequence[Image.Image], s: Sizes) -> None:
    """PNG files to DenseNet-121's embeddings by the product's own pipeline."""
    print("| files | runs on | images/s | against the processor |\n| --- | --- | ---: | ---: |")
    runtimes = {"processor, as chosen": processor(), f"{device}, as chosen": Runtime(device)}
    embedders = {where: registry.create(DENSENET, folder, runtime) for where, runtime in runtimes.items()}
    for embedder in embedders.values():
        embedder.embed(inputs_of(embedder, pictures))  # the gate decides
    for side in (512, 1024):
        written = [folder / f"{side}-{number:03d}.png" for number in range(len(pictures))]
        for picture, file in zip(pictures, written, strict=True):
            picture.convert("L").resize((side, side), Image.Resampling.BICUBIC).save(file)
        files = (written * -(-s.files // len(written)))[: s.files]
        slow = 0.0
        for where, embedder in embedders.items():
            shown = embed_files(files[: s.images], embedder, MAX_PIXELS, quiet)
            assert not shown.unreadable
            seconds = median_seconds(partial(embed_files, files, embedder, MAX_PIXELS, quiet), min(3, s.rounds))
            rate = len(files) / seconds
            slow = slow or rate
            print(f"| PNG, {side} x {side} | {where} | {rate:.0f} | {rate / slow:.1f} |", flush=True)
        seconds = median_seconds(partial(reading, files, next(iter(embedders.values()))), min(3, s.rounds))
        print(f"| PNG, {side} x {side} | reading alone | {len(files) / seconds:.0f} | |", flush=True)
    print()


def reading(files: Sequence[Path], embedder: Embedder) -> None:
    """Files to prepared inputs on all cores, nothing embedded."""
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as threads:
        for _ in threads.map(lambda file: prepared(file, embedder), files):
            pass


def prepared(file: Path, embedder: Embedder) -> NDArray[Any]:
    return embedder.prepare(read_image(file.read_bytes(), max_pixels=MAX_PIXELS).image)


def quiet(done: int, total: int) -> None:
    """Nobody is told of the progress."""


def processor() -> Runtime:
    """OpenVINO where it is, as in the product, or eager PyTorch in float32, and then it says so."""
    if find_spec("openvino"):
        return Runtime("cpu")
    print("OpenVINO is missing: the processor runs eager PyTorch in float32\n")
    return Eager()


def median_seconds(work: Callable[[], object], rounds: int) -> float:
    """Of several rounds; one before them warms up."""
    seconds = []
    for _ in range(rounds + 1):
        began = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds[1:])


if __name__ == "__main__":
    main()
