"""Which prediction an annotation was begun from, and how much of it was changed.

Label Studio's screen writes the prediction that an annotation began with into `parent_prediction`; programs need not,
and the field is emptied when that prediction is deleted, as those of a replaced queue are. What stood beside the task
when the annotation was made is kept in its field `prediction`, if it was of the queue's own model version; exports
alone tell it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from seedqueue.backend.agreement import mean_dice
from seedqueue.backend.annotations import moment, said_of
from seedqueue.backend.label_config import Labelling
from seedqueue.backend.records import VERSION, Records
from seedqueue.backend.versions import SEPARATOR

Json = Mapping[str, Any]

NOT, UNKNOWN = "no", "unknown"
NONE = "-"  # nothing to tell
NEAR = 600.0  # seconds between a prediction's change and the note on it, on two clocks


@dataclass(frozen=True)
class Begun:
    """by: the version, "annotation N" for a copy, "no", "unknown". label: "same" or "other"; mask: 1 - Dice; or "-"."""

    by: str
    label: str = NONE
    mask: str = NONE


@dataclass(frozen=True)
class Refreshed:
    """When the ranks' own predictions were given what these heads say."""

    at: datetime
    heads: str


def begun(
    task: Json, annotation: Json, labelling: Labelling, refreshed: Sequence[Refreshed], kept: Json | None = None
) -> Begun:
    """kept: the annotation's field `prediction`, where it was asked for."""
    parent, copied = annotation.get("parent_prediction"), annotation.get("parent_annotation")
    predictions = {one["id"]: one for one in task.get("predictions") or () if isinstance(one, Mapping)}
    if parent is not None:
        found = predictions.get(parent) or (kept if kept and kept.get("id") == parent else None)
        if found is None:
            return Begun(UNKNOWN)
        if not found.get("result"):
            return Begun(NOT)
        return Begun(author(found, refreshed), *_changed(found["result"], annotation, labelling))
    if copied is not None:
        others = {one["id"]: one for one in task.get("annotations") or ()}
        if copied not in others:
            return Begun(UNKNOWN)
        return Begun(f"annotation {copied}", *_changed(others[copied].get("result") or [], annotation, labelling))
    beside = [*predictions.values(), *([kept] if kept else [])]
    made = moment(annotation.get("created_at"))
    shown = any(one.get("result") and moment(one.get("created_at")) <= made for one in beside)
    return Begun(UNKNOWN if shown else NOT)


def unsure(task: Json, annotation: Json, refreshed: Sequence[Refreshed]) -> bool:
    """Whether the annotation's field `prediction` would tell more: a rank that carried a head's word may be gone."""
    if annotation.get("parent_annotation") is not None:
        return False
    predictions = [one for one in task.get("predictions") or () if isinstance(one, Mapping)]
    if any(one["id"] == annotation.get("parent_prediction") or is_rank(one) for one in predictions):
        return False
    made = moment(annotation.get("created_at"))
    return any((one.at - made).total_seconds() < NEAR for one in refreshed)


def author(prediction: Json, refreshed: Sequence[Refreshed]) -> str:
    """The version that a prediction's result is of; of a rank's, those that served when it was given that word."""
    if not is_rank(prediction):
        return str(prediction.get("model_version") or UNKNOWN)
    changed = moment(prediction.get("updated_at"))
    near = min(refreshed, key=lambda one: abs((one.at - changed).total_seconds()), default=None)
    if near is None or abs((near.at - changed).total_seconds()) > NEAR or not near.heads:
        return UNKNOWN
    return near.heads


def is_rank(prediction: Json) -> bool:
    """Whether it is one of the queue's own, which hold a rank and perhaps what a head says."""
    return str(prediction.get("model_version")).startswith(f"{VERSION} ")


def refreshed_of(records: Records, project: int) -> list[Refreshed]:
    """When the queue's own predictions were rewritten, and which versions served then."""
    promoted = records.dated("promoted", project)
    heads = {row.run: row.body["head"] for row in records.dated("version", project)}
    found: list[Refreshed] = []
    for row in records.dated("learning", project):
        if row.body.get("outcome") == "refreshed":
            serving = {one.body["family"]: one.run for one in promoted if one.at <= row.at}
            names = [f"{heads[serving[family]]}-{serving[family]}" for family in sorted(serving)]
            found.append(Refreshed(row.at, SEPARATOR.join(names)))
    return found


def _changed(before: Sequence[Json], annotation: Json, labelling: Labelling) -> tuple[str, str]:
    """The classes, "same" or "other", and the masks, 1 - Dice as for the agreement of two annotators."""
    was = {"id": 1, "result": before, "completed_by": "prediction"}
    now = {"id": 2, "result": annotation.get("result") or [], "completed_by": "annotator"}
    first, second = said_of({"id": 0, "annotations": [was, now]}, labelling, [])
    label = mask = NONE
    if first.classes is not None:
        label = "same" if second.classes == first.classes else "other"
    if first.regions is not None and second.regions is not None:
        dice = mean_dice([first.rated, second.rated], labelling.mask_classes)
        mask = "0.0000" if dice is None else f"{1 - dice:.4f}"
    return label, mask
