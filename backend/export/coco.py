"""COCO's format: categories, images, and objects as run lengths."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from seedqueue.backend.export.images import Size
from seedqueue.backend.regions import Mask

Json = dict[str, Any]


def counts(mask: Mask) -> list[int]:
    """Uncompressed run lengths of bool (height, width), column by column, the first of zeros."""
    flat = mask.ravel(order="F")
    edges = np.flatnonzero(np.diff(flat, prepend=False))
    return [int(run) for run in np.diff(edges, prepend=0, append=flat.size)]


def box(mask: Mask) -> list[int]:
    """[left, top, width, height] of a mask that is not empty, pixels."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    left, top = int(columns[0]), int(rows[0])
    return [left, top, int(columns[-1]) - left + 1, int(rows[-1]) - top + 1]


@dataclass
class Coco:
    """What is in the file so far. Image ids are task numbers, category ids count from 1 in the config's order."""

    classes: Sequence[str]
    images: list[Json] = field(default_factory=list)
    annotations: list[Json] = field(default_factory=list)

    def add_image(self, task: int, file: str, uri: str, size: Size) -> None:
        width, height = size
        self.images.append({"id": task, "file_name": file, "coco_url": uri, "width": width, "height": height})

    def add_object(self, task: int, category: int, mask: Mask) -> None:
        """category: the class's place from 0; mask: bool (height, width), not empty."""
        self.annotations.append(
            {
                "id": len(self.annotations) + 1,
                "image_id": task,
                "category_id": category + 1,
                "iscrowd": 0,
                "area": int(mask.sum()),
                "bbox": box(mask),
                "segmentation": {"size": list(mask.shape), "counts": counts(mask)},
            }
        )

    def as_json(self) -> Json:
        categories = [{"id": number, "name": name} for number, name in enumerate(self.classes, 1)]
        images = sorted(self.images, key=lambda one: one["id"])
        return {"images": images, "annotations": self.annotations, "categories": categories}
