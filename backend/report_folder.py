"""The stability report of a folder of images, without Label Studio: the CLI's `report`."""

from __future__ import annotations

import base64
import io
import json
import os
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np

from seedqueue.backend.folder import NoImages, Progress, embed_files, in_content_order, list_images, name_in
from seedqueue.backend.folder_queue import Tables
from seedqueue.backend.image_table import fields_by_image, positions_of
from seedqueue.backend.records import Choices
from seedqueue.backend.report import Ran, as_fields, page
from seedqueue.backend.rules import rules_for, signals_for
from seedqueue.models.embedder import Embedder, Floats
from seedqueue.models.errors import UnreadableImage
from seedqueue.models.images import read_image
from seedqueue.models.picture import Frames
from seedqueue.selectors.errors import BudgetExceedsPool
from seedqueue.selectors.source import Matrix
from seedqueue.selectors.stability.figures import Chosen
from seedqueue.selectors.stability.making import NEAR_DUPLICATE, stability_report
from seedqueue.selectors.stability.report import Report

# The longer side of a small picture, in pixels, and its JPEG quality.
SIDE, QUALITY = 128, 80


@dataclass(frozen=True)
class FolderPool:
    """The images of a folder in the order of their content, with their embeddings (n, d); and the unreadable ones."""

    folder: Path
    files: tuple[Path, ...]
    embeddings: Floats
    unreadable: tuple[tuple[str, str], ...]

    @property
    def names(self) -> list[str]:
        return [name_in(self.folder, file) for file in self.files]


def embed_folder(
    images: Path, budget: int, embedder: Embedder, *, max_pixels: int, progress: Progress, frames: Frames = "refuse"
) -> FolderPool:
    """Embed a folder as `select_folder` does. Raises FolderMissing, NoImages, BudgetExceedsPool."""
    files = list_images(images)
    if budget > len(files):
        raise BudgetExceedsPool(budget, len(files))
    found = embed_files(in_content_order(files)[0], embedder, max_pixels, progress, frames)
    unreadable = tuple(sorted((name_in(images, file), reason) for file, reason in found.unreadable))
    if not found.files:
        raise NoImages(images, len(unreadable))
    return FolderPool(images, found.files, found.embeddings, unreadable)


def report_on(pool: FolderPool, choices: Choices, embedder: Embedder, tables: Tables, progress: Progress) -> Report:
    """The report of the choice that `select_folder` makes of the same folder with the same choices and tables.

    Near duplicates are those that the choices forbid, or from a cosine of 0.98.
    Raises TableUnusable and what `seedqueue.selectors.choosing.select` raises.
    """
    names, source = pool.names, Matrix(pool.embeddings)
    fields = fields_by_image(tables.fields, names) if tables.fields else [{}] * len(names)
    labelled = positions_of(tables.labelled, names) if tables.labelled else []
    return stability_report(
        source,
        names,
        choices.selector,
        choices.budget,
        choices.random_seed,
        labelled=np.array(labelled, dtype=np.int64),
        rules=rules_for(choices, fields),
        signals=signals_for(choices, fields, source, embedder.findings),
        near_duplicate=choices.near_duplicate or NEAR_DUPLICATE,
        progress=progress,
    )


def ran(pool: FolderPool, embedder: Embedder, date: str) -> Ran:
    """What was run, with this version of seedqueue."""
    return Ran(str(pool.folder), embedder.name, embedder.fingerprint, version("seedqueue"), date)


def write_report(
    pool: FolderPool, report: Report, told: Ran, out: Path, json_out: Path | None, max_pixels: int, frames: Frames
) -> None:
    """Write the page with the queue's pictures in it, and the JSON where it is wanted; each all or nothing."""

    def pictured(one: Chosen) -> str | None:
        try:
            return small_picture(pool.files[one.row], max_pixels, frames)
        except (UnreadableImage, OSError):  # it was readable when it was embedded: the page can do without
            return None

    write_text(out, page(report, told, pool.unreadable, pictured))
    if json_out is not None:
        # Never NaN or Infinity, which are no JSON.
        write_text(json_out, json.dumps(as_fields(report, told, pool.unreadable), indent=1, allow_nan=False) + "\n")


def small_picture(file: Path, max_pixels: int, frames: Frames = "refuse") -> str:
    """An image file as a data URI: a JPEG of up to 128 x 128 pixels, no metadata. Raises UnreadableImage, OSError."""
    image = read_image(file.read_bytes(), max_pixels=max_pixels, frames=frames).image
    image.thumbnail((SIDE, SIDE))
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=QUALITY)
    return f"data:image/jpeg;base64,{base64.b64encode(stream.getvalue()).decode('ascii')}"


def write_text(path: Path, text: str) -> None:
    """Write a file, all or nothing."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
