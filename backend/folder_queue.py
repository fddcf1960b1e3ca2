"""A seed queue from a folder of images, without Label Studio: the CLI's `select`."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from seedqueue.backend.errors import InvalidRequest, TableUnusable
from seedqueue.backend.folder import Progress, replacing
from seedqueue.backend.folder_pool import Tables, embed_folder
from seedqueue.backend.image_table import positions_of, read_table
from seedqueue.backend.predictions import read_predictions
from seedqueue.backend.records import Choices
from seedqueue.backend.rules import rules_for, signals_for
from seedqueue.models.embedder import Embedder
from seedqueue.models.findings import Findings
from seedqueue.models.picture import Frames
from seedqueue.selectors.choosing import select
from seedqueue.selectors.representation import Representation
from seedqueue.selectors.selection import Selection
from seedqueue.selectors.signals import Signals
from seedqueue.selectors.source import Matrix

COLUMNS = ("rank", "file", "cluster", "weight")


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

    progress: called with the number of images done and of all. Raises what `embed_folder` raises,
    TableUnusable, and what `seedqueue.selectors.choosing.select` raises.
    """
    pool = embed_folder(images, choices.budget, embedder, max_pixels=max_pixels, progress=progress, frames=frames)
    rows = choose(
        pool.names,
        pool.embeddings,
        choices,
        embedder.findings,
        tables or Tables(),
        representation=representation,
        components=components,
    )
    return FolderQueue(rows, pool.unreadable)


def choose(
    names: Sequence[str],
    embeddings: npt.ArrayLike,
    choices: Choices,
    findings: Callable[[], Findings | None],
    tables: Tables,
    *,
    representation: Representation | None = None,
    components: int | None = None,
) -> tuple[QueueRow, ...]:
    """Choose among named images with embeddings (n, d), after those of the queue that is extended.

    findings: what gives the embedder's own classifier, if it has one. Raises TableUnusable, InvalidRequest, and what
    `seedqueue.selectors.choosing.select` raises.
    """
    source, fields = Matrix(embeddings), tables.told(names)
    kept = _earlier(tables.extends) if tables.extends else []
    if len(kept) >= choices.budget:
        raise InvalidRequest(f"The queue {tables.extends} has {len(kept)} images; {choices.budget} is no extension.")
    covered = [path for path in (tables.labelled, tables.extends) if path is not None]
    known = read_predictions(tables.predictions, names) if tables.predictions else Signals()
    chosen = select(
        choices.selector,
        source,
        choices.budget - len(kept),
        labelled=np.array([row for path in covered for row in positions_of(path, names)], dtype=np.int64),
        seed=choices.random_seed,
        rules=rules_for(choices, fields),
        signals=signals_for(choices, fields, source, findings, known),
        representation=representation,
        components=components,
    )
    return (*kept, *_rows(chosen, names, len(kept)))


def write_queue_csv(queue: FolderQueue, path: Path) -> None:
    """Write the queue as CSV with the columns rank,file,cluster,weight; all or nothing."""
    # Names that are not valid Unicode come back as the bytes they were.
    with replacing(path) as part, part.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows((row.rank, row.file, row.cluster, row.weight) for row in queue.rows)


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
