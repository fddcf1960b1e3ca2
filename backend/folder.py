"""A folder of images: which files, in which order, and their embeddings."""

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from joblib import cpu_count

from seedqueue.backend.ahead import ahead
from seedqueue.backend.errors import SeedqueueError
from seedqueue.models.embedder import Embedder, Floats, Input
from seedqueue.models.errors import UnreadableImage
from seedqueue.models.images import has_dicom_mark, read_image
from seedqueue.models.picture import Frames

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".dcm", ".dicom")

Progress = Callable[[int, int], None]

# Decoding a PNG takes longer than a GPU, or many cores, take to embed it.
_THREADS = max(2, cpu_count())


class FolderMissing(SeedqueueError):
    """The folder of images does not exist."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        super().__init__(f"there is no folder {folder}: give the folder that holds the images")


class CannotWrite(SeedqueueError):
    """A file cannot be written where it is wanted."""

    def __init__(self, file: Path, reason: str) -> None:
        super().__init__(f"cannot write {file}: {reason}; give another file")


class NoImages(SeedqueueError):
    """The folder holds nothing that can be embedded."""

    def __init__(self, folder: Path, unreadable: int) -> None:
        self.folder = folder
        self.unreadable = unreadable
        found = f"{unreadable} images, none readable," if unreadable else "no images"
        super().__init__(f"{found} in {folder}: it should hold {', '.join(s[1:] for s in SUFFIXES)} files")


@dataclass(frozen=True)
class EmbeddedFiles:
    """The files that could be read with their embeddings (n, d) in the same order, and the others with reasons."""

    files: tuple[Path, ...]
    embeddings: Floats
    unreadable: tuple[tuple[Path, str], ...]


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


def check_folder(folder: Path) -> None:
    """For who would load a network first: list_images says the same later. Raises FolderMissing."""
    if not folder.is_dir():
        raise FolderMissing(folder)


def list_images(folder: Path) -> list[Path]:
    """The image files of a folder and its subfolders by path. Raises FolderMissing, NoImages."""
    check_folder(folder)
    files = sorted(_files(folder))
    if not files:
        raise NoImages(folder, 0)
    return files


def in_content_order(files: Sequence[Path]) -> tuple[list[Path], list[str]]:
    """The files by their content's SHA-256, then path, and the hashes; one that cannot be opened has an empty one."""
    with ThreadPoolExecutor(_THREADS) as threads:
        ordered = sorted(zip(threads.map(_digest, files), files, strict=True))
    return [file for _, file in ordered], [sha256 for sha256, _ in ordered]


def name_in(folder: Path, file: Path) -> str:
    """A file's POSIX path within the folder."""
    return file.relative_to(folder).as_posix()


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A file to write beside `path`, which it replaces when all went well."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def check_out(path: Path) -> None:
    """Refuse a file that cannot be written, before an hour of embedding. Raises CannotWrite."""
    if not path.parent.is_dir():
        raise CannotWrite(path, f"there is no folder {path.parent}")
    if path.is_dir():
        raise CannotWrite(path, "it is a folder")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise CannotWrite(path, f"the folder {path.parent} is not writable")


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


def _digest(file: Path) -> str:
    """The SHA-256 of a file; empty where it cannot be opened, which reading it will report."""
    try:
        with file.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError:
        return ""
