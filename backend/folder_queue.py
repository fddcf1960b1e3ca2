"""A seed queue from a folder of images, without Label Studio: the CLI's `select`."""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from seedqueue.backend.errors import InvalidRequest, TableUnusable
from seedqueue.backend.folder import NoImages, Progress, embed_files, in_content_order, list_images, name_in
from seedqueue.backend.image_table import fields_by_image, positions_of, read_table
from seedqueue.backend.predictions import read_predictions
from seedqueue.backend.records import Choices
from seedqueue.backend.rules import fields_of, rules_for, signals_for
from seedqueue.backend.weak_labels import FORMS
from seedqueue.models.embedder import Embedder
from seedqueue.models.picture import Frames
from seedqueue.selectors import registry
from seedqueue.selectors.choosing import select
from seedqueue.selectors.errors import BudgetExceedsPool
from seedqueue.selectors.representation import Representation
from seedqueue.selectors.selection import Selection
from seedqueue.selectors.signals import Signals
from seedqueue.selectors.source import Matrix

COLUMNS = ("rank", "file", "cluster", "weight")


@dataclass(frozen=True, kw_only=True)
class Tables:
    """CSV files that tell more of the images, each with a column `file`.

    fields: what task data would hold. labelled: covered ground. extends: an earlier queue, kept as it
    is. predictions: a head's.
    """

    fields: Path | None = None
    labelled: Path | None = None
    extends: Path | None = None
    predictions: Path | None = None

    def check(self, choices: Choices) -> None:
        """Refuse, before an hour of embedding, a table that cannot be read and a selector that lacks one.

        Raises `TableUnusable`, `InvalidRequest`.
        """
        entry = registry.get(choices.selector)
        if "weak_labels" in entry.needs and not choices.weak_label:
            raise InvalidRequest(f"The selector {entry.name!r} needs a --weak-label: {FORMS}.")
        if not entry.first_round and self.predictions is None:
            raise InvalidRequest(f"The selector {entry.name!r} goes by a head's predictions: give --predictions.")
        for path in (self.labelled, self.extends, self.predictions):
            if path is not None:
                read_table(path)
        known = read_table(self.fields)[0] if self.fields else {}
        for field in fields_of(choices):
            if field not in known:
                where = f"{self.fields} has no column of that name" if self.fields else "give the table as --fields"
                raise InvalidRequest(f"The field {field!r} of the images is asked for: {where}.")


@dataclass(frozen=True)
class QueueRow:
    """One image of the queue: rank from 1, POSIX path within the folder, cluster, weight."""

    rank: int
    file: str
    cluster: int
    weight: int


@dataclass(frozen=True)
class FolderQueue:
    """The queue in order, and the files that could not be read with the reason of each."""

    rows: tuple[QueueRow, ...]
    unreadable: tuple[tuple[str, str], ...]


def select_folder(
    images: Path,
    choices: Choices,
    embedder: Embedder,
    *,
    max_pixels: int,
    progress: Progress,
    frames: Frames = "refuse",
    tables: Tables | None = None,
    representation: Representation | None = None,
    components: int | None = None,
) -> FolderQueue:
    """Choose images of a folder and its subfolders; hidden files are skipped.

    The images are put in the order of their content's SHA-256, then their path, before they
    are embedded and selected, so the queue does not depend on how the folder lists them.
    progress: called with the number of images done and of all.

    Raises FolderMissing, NoImages, TableUnusable, and what `seedqueue.selectors.choosing.select` raises.
    """
    tables = tables or Tables()
    files = list_images(images)
    if choices.budget > len(files):
        raise BudgetExceedsPool(choices.budget, len(files))
    found = embed_files(in_content_order(files)[0], embedder, max_pixels, progress, frames)
    unreadable = tuple(sorted((name_in(images, file), reason) for file, reason in found.unreadable))
    if not found.files:
        raise NoImages(images, len(unreadable))
    names = [name_in(images, file) for file in found.files]
    fields = fields_by_image(tables.fields, names) if tables.fields else [{}] * len(names)
    kept = _earlier(tables.extends) if tables.extends else []
    if len(kept) >= choices.budget:
        raise InvalidRequest(f"The queue {tables.extends} has {len(kept)} images; {choices.budget} is no extension.")
    covered = [path for path in (tables.labelled, tables.extends) if path is not None]
    source = Matrix(found.embeddings)
    chosen = select(
        choices.selector,
        source,
        choices.budget - len(kept),
        labelled=np.array([row for path in covered for row in positions_of(path, names)], dtype=np.int64),
        seed=choices.random_seed,
        rules=rules_for(choices, fields),
        signals=signals_for(
            choices,
            fields,
            source,
            embedder.findings,
            read_predictions(tables.predictions, names) if tables.predictions else Signals(),
        ),
        representation=representation,
        components=components,
    )
    return FolderQueue((*kept, *_rows(chosen, names, len(kept))), unreadable)


def write_queue_csv(queue: FolderQueue, path: Path) -> None:
    """Write the queue as CSV with the columns rank,file,cluster,weight; all or nothing."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        # Names that are not valid Unicode come back as the bytes they were.
        with part.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(COLUMNS)
            writer.writerows((row.rank, row.file, row.cluster, row.weight) for row in queue.rows)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _rows(chosen: Selection, names: Sequence[str], earlier: int) -> list[QueueRow]:
    columns = zip(chosen.rows.tolist(), chosen.cluster.tolist(), chosen.weight.tolist(), strict=True)
    return [
        QueueRow(earlier + rank, names[row], cluster, weight)
        for rank, (row, cluster, weight) in enumerate(columns, start=1)
    ]


def _earlier(path: Path) -> list[QueueRow]:
    """A queue that `write_queue_csv` wrote. Raises `TableUnusable`."""
    try:
        return [QueueRow(int(r["rank"]), r["file"], int(r["cluster"]), int(r["weight"])) for r in read_table(path)]
    except (KeyError, ValueError) as error:
        raise TableUnusable(path, f"it is no queue with the columns {', '.join(COLUMNS)} ({error})") from error
