"""Annotated tasks as Label Studio gives them, and what becomes of them."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from seedqueue.backend.annotations import Gathered, examples_from
from seedqueue.backend.examples import masks
from seedqueue.backend.label_config import Labelling, labelling_of_xml
from seedqueue.backend.rle import encode

Json = dict[str, Any]

CHOICES = """<Choices name="choice" toName="image" choice="{}">
  <Choice value="cat"/><Choice value="dog"/><Choice value="cow"/></Choices>"""
BRUSH = '<BrushLabels name="brush" toName="image"><Label value="a"/><Label value="b"/></BrushLabels>'
TAXONOMY = """<Taxonomy name="choice" toName="image" maxUsages="1">
  <Choice value="x"><Choice value="y"/></Choice><Choice value="z"/></Taxonomy>"""


def config(*tags: str) -> Labelling:
    return labelling_of_xml(f'<View><Image name="image" value="$image"/>{"".join(tags)}</View>')


SINGLE, MULTI = config(CHOICES.format("single")), config(CHOICES.format("multiple"))
MASKS, BOTH = config(BRUSH), config(CHOICES.format("single"), BRUSH)


def choice(*labels: Any, kind: str = "choices", name: str = "choice") -> Json:
    return {"from_name": name, "to_name": "image", "type": kind, "value": {kind: list(labels)}}


def region(rows: Sequence[Sequence[int]], label: str = "a", name: str = "brush") -> Json:
    mask = np.array(rows, dtype=bool)
    return {
        "id": "r",
        "from_name": name,
        "to_name": "image",
        "type": "brushlabels",
        "original_width": mask.shape[1],
        "original_height": mask.shape[0],
        "value": {"format": "rle", "rle": encode(mask), "brushlabels": [label]},
    }


def annotation(number: int, *result: Json, by: Any = None, day: int = 1, **more: Any) -> Json:
    return {
        "id": number,
        "result": list(result),
        "was_cancelled": False,
        "ground_truth": False,
        "completed_by": number if by is None else by,
        "lead_time": 2.5,
        "updated_at": f"2026-11-{day:02}T01:47:31.077214Z",
    } | more


def task(number: int, *annotations: Json, **data: Any) -> Json:
    return {"id": number, "data": {"image": f"im{number}.png", **data}, "annotations": list(annotations)}


def gather(labelling: Labelling, *annotations: Json) -> Gathered:
    return examples_from([task(7, *annotations)], labelling)


def classes_of(labelling: Labelling, *annotations: Json) -> list[str] | None:
    found = gather(labelling, *annotations).examples
    if not found or found[0].classes is None:
        return None
    return [name for name, chosen in zip(labelling.classes, found[0].classes, strict=True) if chosen]


def mask_of(labelling: Labelling, *annotations: Json) -> list[list[int]] | None:
    """What is marked with the label `a`, on 1 x 4 pixels; None where there are no masks."""
    found = gather(labelling, *annotations).examples
    if not found or found[0].masks is None:
        return None
    pixels: list[list[int]] = masks(found[0], 1, 4)[0].astype(int).tolist()
    return pixels
