"""A seed queue from a folder of images, without Label Studio: the CLI's `select`."""

import csv
import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from seedqueue.backend.ahead import ahead
from seedqueue.backend.errors import SeedqueueError
from seedqueue.models.embedder import Embedder, Floats, Input
from seedqueue.models.errors import UnreadableImage
from seedqueue.models.images import has_dicom_mark, read_image
from seedqueue.models.picture import Frames
from seedqueue.selectors.choosing import select
from seedqueue.selectors.errors import BudgetExceedsPool

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".dcm", ".dicom")
COLUMNS = ("rank", "file", "cluster", "weight")

Progress = Callable[[int, int], None]

_THREADS = 2


class FolderMissing(SeedqueueError):
    """The folder of images does not exist."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        super().__init__(f"there is no folder {folder}: give the folder that holds the images")


class CannotWrite(SeedqueueError):
    """The CSV file cannot be written where it is wanted."""

    def __init__(self, file: Path, reason: str) -> None:
        super().__init__(f"cannot write {file}: {reason}; give another file with --out")


class NoImages(SeedqueueError):
    """The folder holds nothing that can be embedded."""

    def __init__(self, folder: Path, unreadable: int) -> None:
        self.folder = folder
        self.unreadable = unreadable
        found = f"{unreadable} images, none readable," if unreadable else "no images"
        super().__init__(f"{found} in {folder}: it should hold {', '.join(s[1:] for s in SUFFIXES)} files")


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


@dataclass(frozen=True)
class EmbeddedFiles:
    """The files that could be read with their embeddings (n, d) in the same order, and the others with reasons."""

    files: tuple[Path, ...]
    embeddings: Floats
    unreadable: tuple[tuple[Path, str], ...]


def select_folder(
    images: Path,
    budget: int,
    embedder: Embedder,
    selector: str,
    *,
    seed: int,
    max_pixels: int,
    progress: Progress,
    frames: Frames = "refuse",
) -> FolderQueue:
    """Choose `budget` images of a folder and its subfolders; hidden files are skipped.

    The images are put in the order of their content's SHA-256, then their path, before they
    are embedded and selected, so the queue does not depend on how the folder lists them.
    progress: called with the number of images done and of all.

    Raises FolderMissing, NoImages, and what `seedqueue.selectors.registry.select` raises.
    """
    files = list_images(images)
    if budget > len(files):
        raise BudgetExceedsPool(budget, len(files))
    with ThreadPoolExecutor(_THREADS) as threads:
        ordered = [file for _, file in sorted(zip(threads.map(_digest, files), files, strict=True))]
    found = embed_files(ordered, embedder, max_pixels, progress, frames)
    unreadable = [(_name(file, images), reason) for file, reason in found.unreadable]
    if not found.files:
        raise NoImages(images, len(unreadable))
    chosen = select(selector, found.embeddings, budget, seed=seed)
    rows = tuple(
        QueueRow(rank, _name(found.files[row], images), int(cluster), int(weight))
        for rank, (row, cluster, weight) in enumerate(
            zip(chosen.rows, chosen.cluster, chosen.weight, strict=True), start=1
        )
    )
    return FolderQueue(rows, tuple(sorted(unreadable)))


def embed_files(
    files: Sequence[Path], embedder: Embedder, max_pixels: int, progress: Progress, frames: Frames = "refuse"
) -> EmbeddedFiles:
    """Read, decode and embed image files in order; the next ones are decoded while the network runs.

    progress: called with the number of files done and of all. Memory: the embeddings and some
    hundred model inputs.
    """
    embedded: list[Path] = []
    unreadable: list[tuple[Path, str]] = []
    parts: list[Floats] = [np.empty((0, embedder.dimension), dtype=np.float32)]

    def prepare(file: Path) -> tuple[Path, Input | str]:
        try:
            picture = read_image(file.read_bytes(), max_pixels=max_pixels, frames=frames)
            return file, embedder.prepare(picture.image)
        except UnreadableImage as error:
            return file, error.reason
        except OSError as error:
            return file, error.strerror or str(error)

    with ThreadPoolExecutor(_THREADS) as threads:
        for batch in ahead(threads, prepare, files):
            inputs = [(file, one) for file, one in batch if not isinstance(one, str)]
            unreadable += [(file, one) for file, one in batch if isinstance(one, str)]
            if inputs:
                parts.append(embedder.embed(np.stack([one for _, one in inputs])))
                embedded += [file for file, _ in inputs]
            progress(len(embedded) + len(unreadable), len(files))
    return EmbeddedFiles(tuple(embedded), np.concatenate(parts), tuple(unreadable))


def list_images(folder: Path) -> list[Path]:
    """The image files of a folder and its subfolders by path. Raises FolderMissing, NoImages."""
    if not folder.is_dir():
        raise FolderMissing(folder)
    files = sorted(_files(folder))
    if not files:
        raise NoImages(folder, 0)
    return files


def check_out(path: Path) -> None:
    """Refuse a CSV file that cannot be written, before an hour of embedding. Raises CannotWrite."""
    if not path.parent.is_dir():
        raise CannotWrite(path, f"there is no folder {path.parent}")
    if path.is_dir():
        raise CannotWrite(path, "it is a folder")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise CannotWrite(path, f"the folder {path.parent} is not writable")


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


def _files(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if not hidden and path.is_file() and (path.suffix.lower() in SUFFIXES or _is_dicom(path)):
            yield path


def _is_dicom(path: Path) -> bool:
    """Whether a file of any name is DICOM: exports have names like IM000001 or 1.2.840.10008.7.

    DICOMDIR, the table of contents beside them, is none.
    """
    try:
        with path.open("rb") as opened:
            return path.name.upper() != "DICOMDIR" and has_dicom_mark(opened.read(132))
    except OSError:
        return False


def _name(file: Path, folder: Path) -> str:
    return file.relative_to(folder).as_posix()


def _digest(file: Path) -> str:
    """The SHA-256 of a file; empty where it cannot be opened, which reading it will report."""
    try:
        with file.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError:
        return ""
