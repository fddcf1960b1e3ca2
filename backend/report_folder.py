"""The stability report of a folder of images, without Label Studio: the CLI's `report`."""

from __future__ import annotations

import base64
import io
import json
from importlib.metadata import version
from pathlib import Path

import numpy as np

from seedqueue.backend.folder import Progress, replacing
from seedqueue.backend.folder_pool import FolderPool, Tables
from seedqueue.backend.image_table import positions_of
from seedqueue.backend.records import Choices
from seedqueue.backend.report import Ran, as_fields, page
from seedqueue.backend.rules import rules_for, signals_for
from seedqueue.models.embedder import Embedder
from seedqueue.models.errors import UnreadableImage
from seedqueue.models.images import read_image
from seedqueue.models.picture import Frames
from seedqueue.selectors.source import Matrix
from seedqueue.selectors.stability.figures import Chosen
from seedqueue.selectors.stability.making import NEAR_DUPLICATE, stability_report
from seedqueue.selectors.stability.report import Report

# The longer side of a small picture, in pixels, and its JPEG quality.
SIDE, QUALITY = 128, 80


def report_on(pool: FolderPool, choices: Choices, embedder: Embedder, tables: Tables, progress: Progress) -> Report:
    """The report of the choice that `select_folder` makes of the same folder with the same choices and tables.

    Near duplicates are those that the choices forbid, or from a cosine of 0.98.
    Raises TableUnusable and what `seedqueue.selectors.choosing.select` raises.
    """
    names, source = pool.names, Matrix(pool.embeddings)
    fields = tables.told(names)
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

    html = page(report, told, pool.unreadable, pictured)
    with replacing(out) as part:
        part.write_text(html, encoding="utf-8")
    if json_out is not None:
        # Never NaN or Infinity, which are no JSON.
        fields = json.dumps(as_fields(report, told, pool.unreadable), indent=1, allow_nan=False)
        with replacing(json_out) as part:
            part.write_text(fields + "\n", encoding="utf-8")


def small_picture(file: Path, max_pixels: int, frames: Frames = "refuse") -> str:
    """An image file as a data URI: a JPEG of up to 128 x 128 pixels, no metadata. Raises UnreadableImage, OSError."""
    image = read_image(file.read_bytes(), max_pixels=max_pixels, frames=frames).image
    image.thumbnail((SIDE, SIDE))
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=QUALITY)
    return f"data:image/jpeg;base64,{base64.b64encode(stream.getvalue()).decode('ascii')}"
