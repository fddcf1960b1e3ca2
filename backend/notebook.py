"""Python and notebooks: embed a folder, select, look at the map; the same queue as `seedqueue select`.

    pool = embed_folder("images", "hog")
    queue = select(pool, 20, selector="kmeans")
    write_queue(queue, "queue.csv")
    draw_map(pool, queue)

What is not given comes from the settings, as on the command line.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from seedqueue.backend import folder_pool, seeding, settings
from seedqueue.backend.context import Context
from seedqueue.backend.errors import SeedqueueError
from seedqueue.backend.folder import Progress, check_folder, check_out
from seedqueue.backend.folder_pool import Tables
from seedqueue.backend.folder_queue import FolderQueue, QueueRow, choose, write_queue_csv
from seedqueue.backend.map_figure import MapPoints, map_figure
from seedqueue.models import registry as embedders
from seedqueue.models.embedder import Embedder
from seedqueue.selectors.representation import Representation, components_for, fit_scaler, represent
from seedqueue.selectors.source import Matrix, check_finite
from seedqueue.selectors.stability.landscape import laid_out

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

__all__ = ["FolderQueue", "Pool", "QueueRow", "draw_map", "embed_folder", "select", "write_queue"]


class NamesUnusable(SeedqueueError):
    """The names do not tell the images of a pool apart, or are not of this pool."""

    def __init__(self, what: str, mend: str) -> None:
        super().__init__(f"{what}: {mend}")


@dataclass(frozen=True, eq=False, repr=False)
class Pool:
    """Images to choose from: `embed_folder` makes one, and `Pool(names, vectors)` is one of your own vectors.

    names: of a folder's images their paths within it. vectors: (n, d), one row a name. unreadable: the files that
    could not be read, each with the reason. embedder: what made the vectors.

    Of your own vectors the order counts: give the same order for the same queue. Raises NamesUnusable.
    """

    names: Sequence[str]
    vectors: npt.NDArray[Any]
    unreadable: Sequence[tuple[str, str]] = ()
    embedder: Embedder | None = None

    def __post_init__(self) -> None:
        if len(self.names) != len(self.vectors) or not len(self.names):
            what = f"there are {len(self.names)} names for {len(self.vectors)} vectors"
            raise NamesUnusable(what, "give one name for each row, and at least one")
        name, times = Counter(self.names).most_common(1)[0]
        if times > 1:
            raise NamesUnusable(f"{times} images are named {name!r}", "give each image a name of its own")

    def __repr__(self) -> str:
        return f"Pool of {len(self.names)} images, {len(self.unreadable)} unreadable"


def embed_folder(folder: str | Path, embedder: str | None = None, *, progress: Progress | None = None) -> Pool:
    """Embed the images of a folder and its subfolders; an image that cannot be read is listed and left out.

    embedder: such as "hog", which needs no weights, or "txrv", whose weights `seedqueue weights fetch` brings; nothing
    is downloaded here. progress: called with the number of images done and of all, `print` will do; else it is silent.

    Raises UnknownEmbedder, WeightsMissing, FolderMissing, NoImages.
    """
    check_folder(Path(folder))
    loaded = settings.load()
    model = embedders.create(embedder or loaded.embedder, loaded.weights, Context(loaded).runtime)
    found = folder_pool.embed_folder(
        Path(folder),
        1,
        model,
        max_pixels=loaded.max_image_pixels,
        progress=progress or _silent,
        frames=loaded.dicom_frames,
    )
    return Pool(tuple(found.names), found.embeddings, found.unreadable, model)


def select(
    pool: Pool,
    budget: int | None = None,
    *,
    selector: str | None = None,
    random_seed: int | None = None,
    weak_label: str | None = None,
    group_field: str | None = None,
    per_group: int | None = None,
    near_duplicate: float | None = None,
    fields: str | Path | None = None,
    labelled: str | Path | None = None,
    extends: str | Path | None = None,
    predictions: str | Path | None = None,
    representation: Representation | None = None,
    components: int | None = None,
) -> FolderQueue:
    """Choose `budget` images: the queue of `seedqueue select` with the same options, which its --help explains.

    The queue's `rows` are the chosen images in rank order, each with rank, file, cluster and weight: how many images
    of the pool it stands for.

    Raises InvalidBudget, BudgetExceedsPool, UnknownSelector, InvalidRequest, TableUnusable, InvalidEmbeddings.
    """
    asked = _given(
        budget=budget,
        embedder=pool.embedder.name if pool.embedder else None,
        selector=selector,
        random_seed=random_seed,
        weak_label=weak_label,
        group_field=group_field,
        per_group=per_group,
        near_duplicate=near_duplicate,
    )
    choices = seeding.choices_from(asked, settings.load())
    files = _given(fields=fields, labelled=labelled, extends=extends, predictions=predictions)
    tables = Tables(**{name: Path(file) for name, file in files.items()})
    tables.check(choices)
    findings = pool.embedder.findings if pool.embedder else _no_findings
    rows = choose(
        pool.names, pool.vectors, choices, findings, tables, representation=representation, components=components
    )
    return FolderQueue(rows, tuple(pool.unreadable))


def write_queue(queue: FolderQueue, path: str | Path) -> None:
    """Write the queue as the CSV file of `seedqueue select`: rank,file,cluster,weight. Raises CannotWrite."""
    check_out(Path(path))
    write_queue_csv(queue, Path(path))


def draw_map(pool: Pool, queue: FolderQueue | None = None, labels: Sequence[str] | None = None) -> Figure:
    """The pool in the plane as a plotly figure: images that are alike lie together, those of the queue have their rank.

    labels: a word for each image, in the order of `pool.names`, to colour them by. Places are by t-SNE up to 2,000
    images, beyond by two principal components; distances and empty places mean little.

    Raises NamesUnusable, InvalidEmbeddings.
    """
    source = Matrix(pool.vectors)
    check_finite(source)
    if labels is not None and len(labels) != len(pool.names):
        raise NamesUnusable(f"there are {len(labels)} labels for {len(pool.names)} images", "give one for each")
    rows = queue.rows if queue else ()
    at = {name: position for position, name in enumerate(pool.names)}
    foreign = [row.file for row in rows if row.file not in at]
    if foreign:
        raise NamesUnusable(f"{foreign[0]!r} of the queue is not in the pool", "give the pool it was chosen from")
    places, method = laid_out(represent(source, fit_scaler(source), "unit", components_for(source.shape, None)))
    points = MapPoints(pool.names, places[:, 0], places[:, 1], labels)
    return map_figure(points, {at[row.file]: row for row in rows}, method)


def _given(**asked: Any) -> dict[str, Any]:
    return {name: value for name, value in asked.items() if value is not None}


def _silent(done: int, total: int) -> None:
    pass


def _no_findings() -> None:
    return None
