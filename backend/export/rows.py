"""The rows of labels.csv: what a label is, of whom, why, and from what it was begun."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from seedqueue.backend.agreement import mean_dice
from seedqueue.backend.annotations import moment, said_of
from seedqueue.backend.examples import Example
from seedqueue.backend.export.prefilled import Begun
from seedqueue.backend.export.reading import FIELDS, Json
from seedqueue.backend.export.reasons import Why
from seedqueue.backend.export.splits import Place
from seedqueue.backend.export.table import COLUMNS, ClassColumn
from seedqueue.backend.fetch import stable_uri
from seedqueue.backend.file_names import file_name
from seedqueue.backend.label_config import Labelling
from seedqueue.backend.pool import PoolTask

SEPARATOR = "|"


@dataclass(frozen=True)
class Written:
    """What stands in the folder of one image. image: its name there or empty; masks: of each class of masks whether
    it has a pixel, None where there are no masks."""

    image: str = ""
    masks: tuple[bool, ...] | None = None


@dataclass(frozen=True)
class Labelled:
    """One labelled image with all that its row says."""

    example: Example
    task: Json
    listed: PoolTask
    sha256: str
    written: Written
    place: Place
    why: Why
    locked: bool
    begun: tuple[Begun, ...]
    patient: str


def counted(task: Json, example: Example) -> list[Json]:
    """The annotations that count, the earliest first."""
    by_number = {int(one["id"]): one for one in task["annotations"]}
    return [by_number[number] for number in example.annotations]


def first_labelled(task: Json, example: Example) -> object:
    """When the first of the annotations that count was made."""
    return min((one.get("created_at") for one in counted(task, example)), key=moment)


def row(one: Labelled, labelling: Labelling, columns: Sequence[ClassColumn]) -> list[str]:
    """The cells in the order of `COLUMNS`, then one a class: 0, 1, or empty where it is not known."""
    example = one.example
    classes = _classes(one, labelling)
    cells = {
        "task": str(example.task),
        "file": file_name(example.uri),
        "uri": stable_uri(example.uri),
        "image": one.written.image,
        "sha256": one.sha256,
        **{name: one.listed.fields.get(name, "") for name in FIELDS},
        "patient": one.patient,
        "label": SEPARATOR.join(name for name, chosen in classes.items() if chosen),
        "annotations": SEPARATOR.join(map(str, example.annotations)),
        "annotators": str(len(example.annotations)),
        **_agreement(one, labelling),
        "ground_truth": str(int(example.ground_truth)),
        "masks": str(int(one.written.masks is not None)) if labelling.segmentation else "",
        "group": one.place.group,
        "split": one.place.split,
        "because": one.why.because,
        "rank": str(one.why.rank or ""),
        "run": str(one.why.run or ""),
        "locked": str(int(one.locked)),
        "prefilled_by": SEPARATOR.join(begun.by for begun in one.begun),
        "changed_label": SEPARATOR.join(begun.label for begun in one.begun),
        "changed_mask": SEPARATOR.join(begun.mask for begun in one.begun),
    }
    return [cells[name] for name in COLUMNS] + [_cell(classes[column.name]) for column in columns]


def _cell(chosen: bool | None) -> str:
    return "" if chosen is None else str(int(chosen))


def _classes(one: Labelled, labelling: Labelling) -> dict[str, bool | None]:
    """Of each class whether it is there; a class of masks by its pixels, unless it is one of the image too."""
    drawn: Sequence[bool | None] = one.written.masks or (None,) * len(labelling.mask_classes)
    chosen: Sequence[bool | None] = one.example.classes or (None,) * len(labelling.classes)
    by_masks = dict(zip(labelling.mask_classes, drawn, strict=True))
    return {
        **dict(zip(labelling.classes, chosen, strict=True)),
        **{k: v for k, v in by_masks.items() if k not in labelling.classes},
    }


def _agreement(one: Labelled, labelling: Labelling) -> dict[str, str]:
    """Whether those who chose classes chose the same ones, and the mean Dice coefficient of the masks."""
    if len(one.example.annotations) < 2:
        return {"agreed": "", "dice": ""}
    said = said_of({**one.task, "annotations": counted(one.task, one.example)}, labelling, [])
    votes = [each.classes for each in said if each.classes is not None]
    dice = mean_dice([each.rated for each in said], labelling.mask_classes)
    return {
        "agreed": "" if len(votes) < 2 else "yes" if len(set(votes)) == 1 else "no",
        "dice": "" if dice is None else f"{dice:.4f}",
    }
