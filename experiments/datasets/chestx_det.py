"""ChestX-Det: a JSON list of images with findings, boxes and polygons, on 1024 x 1024 pixels.

Lian et al. 2021, "A Structure-Aware Relation Network for Thoracic Diseases Detection and Segmentation";
https://github.com/Deepwise-AILab/ChestX-Det-Dataset. Its images are NIH's under numbers of their own ("36204.png"): no
patient is known. ChestX-Det10, its forerunner, has boxes alone and the same fields else. torchxrayvision reads neither.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from seedqueue.experiments.datasets.errors import LabelTableUnusable
from seedqueue.experiments.datasets.labelled import LabelledImage, LabelTable
from seedqueue.experiments.datasets.masks import BoxMask, MaskSource, PolygonMask, outlines
from seedqueue.experiments.datasets.rows import differing, posix

SIDE = 1024
_MEND = "give ChestX-Det's JSON as it was published"
Entry = Mapping[str, Any]


def read(path: Path, text: str, finding: str | None = None) -> LabelTable:
    """finding: whose polygons make the mask; None: those of all findings. The split is in the file's name, if anywhere.

    Raises `LabelTableUnusable`, also for a finding that no image has.
    """
    entries = _entries(path, text)
    with_polygons = all("polygons" in entry for entry in entries)
    known = sorted({label for entry in entries for label in entry["syms"]})
    if finding is not None and finding not in known:
        raise LabelTableUnusable(path, f"no image has the finding {finding!r}", f"name one of {', '.join(known)}")
    split = next((each for each in ("train", "test") if each in path.name.casefold()), "")
    kept: dict[str, tuple[int, Entry]] = {}
    images = []
    for number, entry in enumerate(entries, 1):
        file = posix(entry["file_name"])
        first, before = kept.setdefault(file, (number, entry))
        if before != entry:
            raise differing(path, file, (first, number), (before["syms"], entry["syms"]), "give each image one entry")
        if first == number:
            mask = _mask(path, entry, finding, with_polygons)
            images.append(LabelledImage(file, tuple(dict.fromkeys(entry["syms"])), mask, "", split))
    named = "ChestX-Det's JSON" if with_polygons else "ChestX-Det10's JSON, its boxes as masks"
    return LabelTable(tuple(images), named)


def _entries(path: Path, text: str) -> list[Entry]:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise LabelTableUnusable(path, f"it is no JSON ({error})", _MEND) from error
    except RecursionError as error:
        raise LabelTableUnusable(path, "it is nested too deeply", _MEND) from error
    if not isinstance(found, list) or not found:
        raise LabelTableUnusable(path, f"it is no list of images but {str(found)[:40]}", _MEND)
    for number, entry in enumerate(found, 1):
        reason = _wrong(entry)
        if reason:
            raise LabelTableUnusable(path, f"entry {number} {reason}", _MEND)
    return found


def _wrong(entry: Any) -> str:
    """What is wrong with an entry; "": nothing."""
    if not isinstance(entry, dict) or not isinstance(entry.get("file_name"), str) or not entry["file_name"]:
        return f"names no file: {str(entry)[:60]}"
    findings = entry.get("syms")
    if not isinstance(findings, list) or not all(isinstance(each, str) for each in findings):
        return f"({entry['file_name']}) has no list `syms` of findings, but {str(findings)[:60]}"
    shapes = [name for name in ("boxes", "polygons") if name in entry]
    if not shapes:
        return f"({entry['file_name']}) has neither `boxes` nor `polygons`, but: {', '.join(entry)}"
    for name in shapes:
        count = len(entry[name]) if isinstance(entry[name], list) else -1
        if count != len(findings):
            return f"({entry['file_name']}) has {len(findings)} findings and {max(count, 0)} {name}"
    return ""


def _mask(path: Path, entry: Entry, finding: str | None, with_polygons: bool) -> MaskSource:
    shapes: Sequence[Any] = entry["polygons" if with_polygons else "boxes"]
    wanted = [each for each, label in zip(shapes, entry["syms"], strict=True) if finding in (None, label)]
    try:
        if with_polygons:
            return PolygonMask(outlines(wanted), SIDE, SIDE)
        corners = np.array(wanted, dtype=np.float64).reshape(-1, 4)
        if not np.isfinite(corners).all() or (corners[:, :2] > corners[:, 2:]).any():
            raise ValueError(f"its boxes are not left, top, right, bottom: {wanted[:2]}")
    except (ValueError, TypeError) as error:
        raise LabelTableUnusable(path, f"{entry['file_name']}: {error}", _MEND) from error
    boxes = tuple((left, top, right, bottom) for left, top, right, bottom in corners.tolist())
    return BoxMask(boxes, SIDE, SIDE)
