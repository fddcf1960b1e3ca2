"""The pictures of an export as they are written: images as they came, masks as PNG at the image's own size."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from seedqueue.backend.context import Context
from seedqueue.backend.examples import Example
from seedqueue.backend.export.coco import Coco
from seedqueue.backend.export.drawn import combined, objects, size_told
from seedqueue.backend.export.images import Found, Size, found_images, name_of, suffix_of
from seedqueue.backend.export.rows import Written
from seedqueue.backend.export.table import ClassColumn, LeftOut
from seedqueue.backend.fetch import stable_uri
from seedqueue.backend.file_names import file_name
from seedqueue.backend.label_config import Labelling
from seedqueue.backend.learning_errors import MasksUnusable

IMAGES, MASKS = "images", "masks"

Progress = Callable[[int, int], None]  # called with how many are done, and of how many


def nothing(done: int, total: int) -> None:
    """Nobody is told."""


@dataclass(frozen=True)
class Seen:
    """What fetching an image told: its size, where it can be read, the hash of its bytes, its name in the folder."""

    size: Size | None
    sha256: str
    image: str


def write_images(
    context: Context, folder: Path, examples: Sequence[Example], keep: bool, progress: Progress = nothing
) -> tuple[dict[int, Seen], list[LeftOut]]:
    """Fetch images: all to keep them, else those whose size no region tells and whose masks need it."""
    wanted = [one for one in examples if keep or _size_needed(one)]
    if keep:
        (folder / IMAGES).mkdir()
    uris, seen, problems = {one.task: one.uri for one in wanted}, dict[int, Seen](), list[LeftOut]()
    for done, found in enumerate(found_images(context, list(uris.items())), 1):
        progress(done, len(uris))
        uri = uris[found.task]
        if found.problem:
            problems.append(LeftOut(found.task, stable_uri(uri), "image", found.problem))
        name = _kept(folder, found, uri) if keep and not found.problem else ""
        seen[found.task] = Seen(found.size, found.sha256, name)
    return seen, problems


def write_masks(
    folder: Path,
    examples: Sequence[Example],
    seen: Mapping[int, Seen],
    labelling: Labelling,
    columns: Sequence[ClassColumn],
    progress: Progress = nothing,
) -> tuple[dict[int, Written], Coco, list[LeftOut]]:
    """The masks of all examples that have some; an empty one says that nothing of its class is there."""
    folders = {column.name: column.folder for column in columns if column.folder}
    coco, written, problems = Coco(labelling.mask_classes), dict[int, Written](), list[LeftOut]()
    for done, example in enumerate(examples, 1):
        progress(done, len(examples))
        fetched = seen.get(example.task)
        image = fetched.image if fetched else ""
        written[example.task] = Written(image)
        if example.masks is None:
            continue
        try:
            size = (fetched.size if fetched else None) or size_told(example)
            if size is None:
                raise MasksUnusable(example.task, "nothing is drawn, and the image's size cannot be read")
            masks = combined(example, size)
        except MasksUnusable as error:
            problems.append(LeftOut(example.task, stable_uri(example.uri), MASKS, str(error)))
            continue
        for name, mask in zip(labelling.mask_classes, masks, strict=True):
            file = folder / MASKS / folders[name] / f"{name_of(example.task)}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(mask.astype(np.uint8) * 255).save(file)
        shown = image.removeprefix(f"{IMAGES}/") or file_name(example.uri)
        coco.add_image(example.task, shown, stable_uri(example.uri), size)
        for category, mask in objects(example, masks):
            coco.add_object(example.task, category, mask)
        written[example.task] = Written(image, tuple(bool(mask.any()) for mask in masks))
    return written, coco, problems


def remove(folder: Path, task: int) -> None:
    """Take away the image of a task that is gone; masks are written later."""
    for file in folder.glob(f"{IMAGES}/{name_of(task)}.*"):
        file.unlink()
    (folder / IMAGES / name_of(task)).unlink(missing_ok=True)


def _size_needed(example: Example) -> bool:
    return example.masks is not None and not any(example.masks.annotations)


def _kept(folder: Path, found: Found, uri: str) -> str:
    name = f"{IMAGES}/{name_of(found.task)}{suffix_of(found.content, uri)}"
    (folder / name).write_bytes(found.content)
    return name
