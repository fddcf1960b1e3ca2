"""Masks back to regions as Label Studio stores them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedqueue.backend.label_config import Control
from seedqueue.backend.rle import encode

Mask = NDArray[np.bool_]
Contour = NDArray[np.int32]

MOST_REGIONS = 100  # of one label: more outlines than that are noise, and the largest are kept
_TOLERANCE = 1.5  # of a simplified outline, in half pixels: the stairs of a slanted rim are 1.4 high
_HALVES = 2


def mask_to_regions(mask: Mask, control: Control, label: str, region_id: str, score: float) -> list[dict[str, Any]]:
    """The result items of one mask, bool (height, width), in the control's own shape; none for an empty one.

    A brush control gives one item with the whole mask. The others give one for each connected part, the
    largest first: its outline without holes, simplified by at most 0.75 pixels; its bounding rectangle; or the
    ellipse inscribed in that. `region_id` names the first, `region_id-1` the second. score: in [0, 1].
    """
    if not mask.any():
        return []
    if control.kind == "brush":
        values: list[dict[str, Any]] = [{"format": "rle", "rle": encode(mask)}]
    else:
        values = [_value(contour, control, mask.shape) for contour in _outlines(mask)]
    return [
        {
            "id": f"{region_id}-{number}" if number else region_id,
            "from_name": control.name,
            "to_name": control.to_name,
            "type": f"{control.kind}labels",
            "original_width": mask.shape[1],
            "original_height": mask.shape[0],
            "image_rotation": 0,
            "score": score,
            "value": value | {f"{control.kind}labels": [label]},
        }
        for number, value in enumerate(values)
    ]


def _outlines(mask: Mask) -> Iterator[Contour]:
    """The outer contours, int32 (points, 1, 2) of (x, y) in half pixels, the largest first.

    On a grid of half the pitch a contour runs a quarter of a pixel within the mask's rim and goes round
    every centre of a pixel: also where the mask is one pixel wide, and its own contour has no area.
    """
    import cv2

    fine = mask.astype(np.uint8).repeat(_HALVES, axis=0).repeat(_HALVES, axis=1)
    found, _ = cv2.findContours(fine, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    for contour in sorted(found, key=cv2.contourArea, reverse=True)[:MOST_REGIONS]:
        yield contour.astype(np.int32)


def _value(contour: Contour, control: Control, shape: tuple[int, ...]) -> dict[str, Any]:
    """The geometry in percents of the image's sides."""
    percent = 100 / (_HALVES * np.array([shape[1], shape[0]]))
    if control.kind == "polygon":
        return {"points": ((_simplified(contour)[:, 0] + 0.5) * percent).tolist(), "closed": True}
    low, high = contour[:, 0].min(axis=0), contour[:, 0].max(axis=0) + 1
    (x, y), (width, height) = (low * percent).tolist(), ((high - low) * percent).tolist()
    if control.kind == "rectangle":
        return {"x": x, "y": y, "width": width, "height": height, "rotation": 0}
    return {
        "x": x + width / 2,
        "y": y + height / 2,
        "radiusX": width / 2,
        "radiusY": height / 2,
        "rotation": 0,
    }


def _simplified(contour: Contour) -> Contour:
    import cv2

    fewer = cv2.approxPolyDP(contour, _TOLERANCE, True)
    return contour if len(fewer) < 3 else fewer.astype(np.int32)
