"""The images of a folder as a pool: in the order of their content, embedded, with what tables tell of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from seedqueue.backend.errors import InvalidRequest
from seedqueue.backend.folder import NoImages, Progress, embed_files, in_content_order, list_images, name_in
from seedqueue.backend.image_table import Row, fields_by_image, read_table
from seedqueue.backend.records import Choices
from seedqueue.backend.rules import fields_of
from seedqueue.backend.weak_labels import FORMS
from seedqueue.models.embedder import Embedder, Floats
from seedqueue.models.picture import Frames
from seedqueue.selectors import registry
from seedqueue.selectors.errors import BudgetExceedsPool


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

    def told(self, names: Sequence[str]) -> list[Row]:
        """What the table of fields says of each image; without one, nothing. Raises `TableUnusable`."""
        return fields_by_image(self.fields, names) if self.fields else [{}] * len(names)


@dataclass(frozen=True)
class FolderPool:
    """The images of a folder in the order of their content, with their embeddings (n, d); and the unreadable ones."""

    folder: Path
    files: tuple[Path, ...]
    embeddings: Floats
    unreadable: tuple[tuple[str, str], ...]

    @property
    def names(self) -> list[str]:
        """POSIX paths within the folder."""
        return [name_in(self.folder, file) for file in self.files]


def embed_folder(
    images: Path, budget: int, embedder: Embedder, *, max_pixels: int, progress: Progress, frames: Frames = "refuse"
) -> FolderPool:
    """Embed the images of a folder and its subfolders, hidden ones left out, for a choice of `budget` of them.

    They come in the order of their content's SHA-256, then their path, so that nothing depends on how
    the folder lists them. progress: called with the number of images done and of all.

    Raises FolderMissing, NoImages, BudgetExceedsPool.
    """
    files = list_images(images)
    if budget > len(files):
        raise BudgetExceedsPool(budget, len(files))
    found = embed_files(in_content_order(files)[0], embedder, max_pixels, progress, frames)
    unreadable = tuple(sorted((name_in(images, file), reason) for file, reason in found.unreadable))
    if not found.files:
        raise NoImages(images, len(unreadable))
    return FolderPool(images, found.files, found.embeddings, unreadable)
