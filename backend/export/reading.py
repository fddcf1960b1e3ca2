"""What an export reads from Label Studio: all tasks, the labelled ones in full, some annotations' kept predictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from seedqueue.backend.gathering import annotated_tasks
from seedqueue.backend.label_config import Labelling, parse_labelling
from seedqueue.backend.label_studio import Studio
from seedqueue.backend.pool import PoolTask, list_pool, tasks_of

Json = dict[str, Any]

FIELDS = ("patient", "study", "series", "view", "spacing", "image_id")  # as `seedqueue import` writes them
KEPT = 100  # tasks whose annotations' kept predictions are asked for at once
LOOKS = 3


@dataclass(frozen=True)
class Listing:
    """A project as it was read. annotated: {task: itself with annotations and predictions}."""

    title: str
    label_config: str
    labelling: Labelling
    pool: tuple[PoolTask, ...]
    annotated: Mapping[int, Json]


def read_project(studio: Studio, project: int, group_field: str) -> Listing:
    """Raises `LabelConfigUnusable`, `NoImageInLabelConfig`, `ProjectNotFound`."""
    described = studio.call("GET", f"/api/projects/{project}", project=project)
    label_config = described.get("label_config") or ""
    labelling = parse_labelling(described.get("parsed_label_config") or {}, label_config)
    pool = list_pool(studio, project, fields=tuple(dict.fromkeys((*FIELDS, group_field))))
    annotated = _annotated(studio, project, {one.task for one in pool if one.labelled})
    return Listing(str(described.get("title") or ""), label_config, labelling, tuple(pool), annotated)


def _annotated(studio: Studio, project: int, labelled: set[int]) -> dict[int, Json]:
    """A task that is deleted while pages are read moves others onto a page that was read already: look again."""
    found: dict[int, Json] = {}
    for _ in range(LOOKS):
        found |= {int(task["id"]): task for task in annotated_tasks(studio, project)}
        lost = labelled.difference(found)
        if not lost or not any(one.labelled for one in tasks_of(studio, project, lost)):
            break
    return found


def kept_predictions(studio: Studio, project: int, tasks: Sequence[int]) -> dict[int, Json]:
    """{annotation: the prediction that stood beside its task when it was made} of some tasks' annotations.

    Label Studio keeps a copy of each such export in its own folder: ask for few.
    """
    found: dict[int, Json] = {}
    for start in range(0, len(tasks), KEPT):
        params = {"exportType": "JSON", "ids[]": list(tasks[start : start + KEPT])}
        exported = studio.call("GET", f"/api/projects/{project}/export", project=project, params=params, slow=True)
        for task in exported:
            found |= {int(one["id"]): one["prediction"] for one in task["annotations"] if one.get("prediction")}
    return found
