"""`seedqueue bench embed`: DenseNet-121 and the way from files to embeddings, ours beside the peers'.

All on one core, by processor time: the ratios hold where the clock does not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image
from threadpoolctl import threadpool_limits

from seedqueue.backend.bench import peers
from seedqueue.backend.bench.rows import Row, compared
from seedqueue.backend.bench.timing import core_seconds
from seedqueue.backend.folder import embed_files
from seedqueue.models import gate, registry
from seedqueue.models.embedder import Embedder
from seedqueue.models.images import read_image
from seedqueue.models.runtime import Runtime

SIDE = 1024
MAX_PIXELS = 50_000_000


@dataclass(frozen=True)
class Contestants:
    """The product's embedder in both arithmetics, the peers' network with the same weights, its FLOP."""

    auto: Embedder
    exact: Embedder
    peer: peers.Network
    flop: float


def run(images: Sequence[Path], folder: Path, rounds: int, say: Callable[[str], None]) -> list[Row]:
    """All rows. images: at least 16 image files; folder: an empty one for what is written on the way."""
    import torch

    torch.set_num_threads(1)
    with threadpool_limits(1):
        say("loading the networks ...")
        contestants = _contestants(folder)
        pictures = [read_image(file.read_bytes(), max_pixels=MAX_PIXELS).image.convert("L") for file in images]
        pixels = np.stack([contestants.auto.prepare(picture) for picture in pictures])
        contestants.auto.embed(pixels)  # the accuracy gate decides
        say("the network alone ...")
        rows = _network_rows(contestants, pixels, folder, rounds)
        for suffix in (".jpg", ".png"):
            say(f"from {suffix[1:].upper()} files of {SIDE} x {SIDE} to embeddings ...")
            files = _written(pictures, folder / suffix[1:], suffix)
            rows += _file_rows(contestants, files, suffix[1:].upper(), rounds)
        return rows


def _contestants(folder: Path) -> Contestants:
    import torch

    network = peers.random_densenet()
    file = registry.source_of("txrv").files[0].name
    torch.save(network, folder / file)
    auto, exact = (
        registry.create("txrv", folder, Runtime(device="cpu", threads=1, precision=precision))
        for precision in ("auto", "float32")
    )
    return Contestants(auto, exact, network, peers.flop_per_image(network))


def _network_rows(found: Contestants, pixels: peers.Pixels, folder: Path, rounds: int) -> list[Row]:
    rivals = {
        "ours": found.auto.embed,
        "ours, float32": found.exact.embed,
        "eager, one by one": peers.eager(found.peer, 1),
        f"eager, batches of {peers.BATCH}": peers.eager(found.peer, peers.BATCH),
        "ONNX Runtime": peers.onnx_runtime(found.peer, folder),
    }
    seconds = core_seconds({name: partial(embed, pixels) for name, embed in rivals.items()}, rounds)
    rate = {name: len(pixels) / spent for name, spent in seconds.items()}
    unit = "images per core-second"
    rows = [compared("network", f"against {peer}", rate["ours"], rate[peer], unit) for peer in list(rivals)[2:]]
    rows.append(
        compared("network", "float32 against eager, one by one", rate["ours, float32"], rate["eager, one by one"], unit)
    )
    for kind, name in (("bfloat16", "ours"), ("float32", "ours, float32")):
        peak = peers.matrix_peak(bfloat16=kind == "bfloat16")
        reached = rate[name] * found.flop
        rows.append(compared("network", f"share of the {kind} matrix peak", reached / 1e9, peak / 1e9, "GFLOP/s"))
    cosine = gate.centred_cosine(rivals["eager, one by one"](pixels), found.auto.embed(pixels)).min()
    rows.append(compared("network", "lowest mean-centred cosine to eager", float(cosine), gate.LEAST_COSINE, "cosine"))
    return rows


def _file_rows(found: Contestants, files: Sequence[Path], kind: str, rounds: int) -> list[Row]:
    theirs = peers.file_by_file(found.peer)
    prepare = peers.prepare_one()
    seconds = core_seconds(
        {
            "ours": lambda: embed_files(files, found.auto, MAX_PIXELS, lambda done, total: None),
            "theirs": lambda: theirs(files),
            "our reading": lambda: [_read(file, found.auto) for file in files],
            "their reading": lambda: [prepare(file) for file in files],
        },
        rounds,
    )
    rate = {name: len(files) / spent for name, spent in seconds.items()}
    unit = "images per core-second"
    return [
        compared("files", f"{kind} to embedding, against torchxrayvision", rate["ours"], rate["theirs"], unit),
        compared("reading", f"{kind} to input, against scikit-image", rate["our reading"], rate["their reading"], unit),
    ]


def _read(file: Path, embedder: Embedder) -> object:
    return embedder.prepare(read_image(file.read_bytes(), max_pixels=MAX_PIXELS).image)


def _written(pictures: Sequence[Image.Image], folder: Path, suffix: str) -> list[Path]:
    """The pictures at 1024 x 1024: grey PNGs, or JPEGs in colour as many archives export them."""
    folder.mkdir()
    files = [folder / f"{number:04d}{suffix}" for number in range(len(pictures))]
    for picture, file in zip(pictures, files, strict=True):
        large = picture.resize((SIDE, SIDE), Image.Resampling.BICUBIC)
        if suffix == ".jpg":
            large.convert("RGB").save(file, quality=92)
        else:
            large.save(file)
    return files
