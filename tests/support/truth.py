"""The true labels of the real test images, as an annotator who is always right would submit them."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Result = list[dict[str, Any]]
Row = Mapping[str, str]

KINDS = ("benign", "malignant", "normal")
KINDS_CONFIG = """
<View>
  <Image name="image" value="$image"/>
  <Choices name="kind" toName="image">
    <Choice value="benign"/><Choice value="malignant"/><Choice value="normal"/>
  </Choices>
</View>
""".strip()
LUNGS_CONFIG = """
<View>
  <Image name="image" value="$image"/>
  <BrushLabels name="mask" toName="image"><Label value="lung"/></BrushLabels>
</View>
""".strip()


@dataclass(frozen=True)
class Truth:
    """Labelled images and what is asked about them.

    images: the files by name; result: what an annotation of the image with this name holds.
    """

    label_config: str
    images: Mapping[str, Path]
    result: Callable[[str], Result]


def ultrasound_kinds(test_data: Path, count: int | None = None) -> Truth:
    """Breast ultrasound (busi): benign, malignant or normal. count: so many, evenly drawn from the list."""
    folder = test_data / "data/busi"
    rows = _rows(folder, count)
    return Truth(KINDS_CONFIG, _images(folder, rows), lambda name: choice(rows[name]["label"]))


def lung_masks(test_data: Path, count: int | None = None) -> Truth:
    """Chest radiographs (cxr-lungs): both lungs as one brush mask."""
    folder = test_data / "data/cxr-lungs"
    rows = _rows(folder, count)
    return Truth(LUNGS_CONFIG, _images(folder, rows), lambda name: brush(read_mask(folder / rows[name]["mask"])))


def choice(kind: str) -> Result:
    return [{"from_name": "kind", "to_name": "image", "type": "choices", "value": {"choices": [kind]}}]


def brush(mask: NDArray[np.bool_], label: str = "lung") -> Result:
    """One brush region of a mask, bool (height, width), encoded by Label Studio's own SDK."""
    from label_studio_sdk.converter.brush import mask2rle  # takes 2 s to import

    return [region(mask.shape, "brush", label, {"format": "rle", "rle": mask2rle(mask.astype(np.uint8) * 255)})]


def region(shape: tuple[int, ...], kind: str, label: str, value: Mapping[str, Any]) -> dict[str, Any]:
    """A region drawn on an image of this shape (height, width)."""
    return {
        "id": "drawn",
        "from_name": "mask",
        "to_name": "image",
        "type": f"{kind}labels",
        "original_width": shape[1],
        "original_height": shape[0],
        "image_rotation": 0,
        "value": {**value, f"{kind}labels": [label]},
    }


def read_mask(file: Path) -> NDArray[np.bool_]:
    """bool (height, width)."""
    with Image.open(file) as opened:
        return np.asarray(opened.convert("L")) > 0


def painted(item: Mapping[str, Any]) -> NDArray[np.bool_]:
    """A brush region as Label Studio's own SDK decodes it, bool (height, width)."""
    from label_studio_sdk.converter.brush import decode_rle

    channels = decode_rle(item["value"]["rle"]).reshape(item["original_height"], item["original_width"], 4)
    found: NDArray[np.bool_] = channels[:, :, 3] > 0
    return found


def _rows(folder: Path, count: int | None) -> dict[str, Row]:
    """The rows of labels.csv by the name of their file."""
    with (folder / "labels.csv").open(newline="") as opened:
        rows: Sequence[Row] = sorted(csv.DictReader(opened), key=lambda row: row["file"])
    kept = rows if count is None else [rows[at * len(rows) // count] for at in range(count)]
    return {Path(row["file"]).name: row for row in kept}


def _images(folder: Path, rows: Mapping[str, Row]) -> dict[str, Path]:
    return {name: folder / row["file"] for name, row in rows.items()}
