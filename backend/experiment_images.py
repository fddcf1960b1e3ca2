"""The images of an experiment: embedded once, ever, through the home's store; and what that costs."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from seedqueue.backend.context import Context
from seedqueue.backend.embeddings import Embeddings
from seedqueue.backend.folder import Progress, embed_files
from seedqueue.experiments.cells import EmbeddingCost
from seedqueue.experiments.datasets.masks import MaskSource
from seedqueue.experiments.prepared import mask_file
from seedqueue.models import registry
from seedqueue.models.embedder import Embedder
from seedqueue.models.heads.images import prepare
from seedqueue.models.images import read_image
from seedqueue.models.memory import peak_mb
from seedqueue.models.picture import Spacing

SHARD = 256  # files embedded and stored at a time: what a killed run loses
TIMED = 32  # images that the cost is measured on
_THREADS = 2


def embeddings_of(
    context: Context, name: str, files: Sequence[Path], hashes: Sequence[str], progress: Progress
) -> tuple[NDArray[np.float32], dict[Path, str], Embedder]:
    """Embeddings (n, d) of the files, zeros where one is unreadable; those with their reasons; the embedder.

    hashes: of the files' content. Raises `UnknownEmbedder`, `WeightsMissing`.
    """
    s = context.settings
    embedder = registry.create(name, s.weights, context.runtime)
    store = Embeddings(context.home, embedder.fingerprint, embedder.dimension)
    stored = store.stored()
    missing = [at for at, sha256 in enumerate(hashes) if sha256 not in stored]
    sha256 = dict(zip(files, hashes, strict=True))
    unreadable: dict[Path, str] = {}
    for start in range(0, len(missing), SHARD):
        part = missing[start : start + SHARD]
        found = embed_files(
            [files[at] for at in part],
            embedder,
            s.max_image_pixels,
            lambda done, total, start=start: progress(start + done, len(missing)),  # type: ignore[misc]
            s.dicom_frames,
        )
        store.add([sha256[file] for file in found.files], found.embeddings)
        unreadable |= dict(found.unreadable)
    vectors = np.zeros((len(files), embedder.dimension), dtype=np.float32)
    readable = np.flatnonzero([file not in unreadable for file in files])
    vectors[readable] = store.read([hashes[at] for at in readable.tolist()])
    return vectors, unreadable, embedder


def cost_of(context: Context, pool: str, embedder: Embedder, files: Sequence[Path]) -> EmbeddingCost:
    """Measured on up to 32 of the files, reading and decoding included; a first batch warms up."""
    s, some = context.settings, list(files[:TIMED])

    def embed() -> None:
        embed_files(some, embedder, s.max_image_pixels, lambda done, total: None, s.dicom_frames)

    embed()
    began, core = time.perf_counter(), time.process_time()
    embed()
    seconds, core_seconds = time.perf_counter() - began, time.process_time() - core
    return EmbeddingCost(
        pool=pool,
        embedder=embedder.name,
        dimension=embedder.dimension,
        images=len(some),
        seconds=seconds / len(some),
        core_seconds=core_seconds / len(some),
        memory=round(peak_mb(), 1),
        overlap=registry.get(embedder.name).has_seen,
    )


def write_inputs(
    context: Context, files: Sequence[Path], side: int, out: Path, progress: Progress
) -> NDArray[np.float64]:
    """What networks see of the images: uint8 (n, 3, side, side), into an .npy file, as a whole or not at all.

    Returns their spacings (row mm, column mm), float64 (n, 2), NaN where a file has none.
    """
    spacings = np.full((len(files), 2), np.nan)
    s = context.settings
    part = out.with_name(f".{out.name}.{os.getpid()}.part")
    inputs = np.lib.format.open_memmap(  # type: ignore[no-untyped-call]
        part, mode="w+", dtype=np.uint8, shape=(len(files), 3, side, side)
    )

    def read(file: Path) -> tuple[NDArray[np.uint8], Spacing | None]:
        found = read_image(file.read_bytes(), max_pixels=s.max_image_pixels, frames=s.dicom_frames)
        return prepare(found.image, side), found.spacing

    with ThreadPoolExecutor(_THREADS) as threads:
        for row, (pixels, spacing) in enumerate(threads.map(read, files)):
            inputs[row] = pixels
            if spacing is not None:
                spacings[row] = spacing.row, spacing.column
            progress(row + 1, len(files))
    inputs.flush()
    part.replace(out)
    return spacings


def write_masks(folder: Path, files: Sequence[Path], sources: Sequence[MaskSource]) -> tuple[list[bool], str]:
    """The mask of each image, a 1-bit PNG each; which are not empty, and the SHA-256 over all."""
    (folder / "masks").mkdir(exist_ok=True)
    there, digest = [], hashlib.sha256()
    for row, (file, source) in enumerate(zip(files, sources, strict=True)):
        mask = source.read(_size(file))
        digest.update(repr(mask.shape).encode() + np.packbits(mask).tobytes())
        out = mask_file(folder, row)
        part = out.with_name(f".{out.name}.{os.getpid()}.part")
        Image.fromarray(mask).save(part, format="PNG", optimize=True)
        part.replace(out)
        there.append(bool(mask.any()))
    return there, digest.hexdigest()


def _size(file: Path) -> tuple[int, int] | None:
    """(width, height) as Pillow tells it without decoding; None for DICOM, whose masks have a grid of their own."""
    try:
        with Image.open(file) as opened:
            return opened.size
    except OSError:
        return None
