"""labels.csv and left-out.csv: their columns, and the rows as text."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from seedqueue.backend.label_config import Labelling

COLUMNS: Mapping[str, str] = {
    "task": "the task's number in Label Studio",
    "file": "name of the image file, without the prefix that Label Studio gives uploads",
    "uri": "where the image lies, without passwords and signatures",
    "image": "`images/task-N.png`, with `--images`; empty where it could not be fetched or read",
    "sha256": "of the image's bytes; empty where they are not known",
    "patient": "from the field of `--group-field`",
    "study": "from task data: `seedqueue import` writes them",
    "series": "",
    "view": "",
    "spacing": "",
    "image_id": "",
    "label": "the classes whose column is 1, joined by a vertical bar",
    "annotations": "numbers of the annotations that count, joined by a vertical bar, the earliest first",
    "annotators": "how many people these are of",
    "agreed": "`yes` or `no`: all chose the same classes; empty for one annotator",
    "dice": "mean Dice coefficient of the annotators' masks; empty for one annotator",
    "ground_truth": "1: it was marked as ground truth, and counts alone",
    "masks": "1: its masks are in `masks/`, empty ones too; 0: it has none; empty: the project asks for none",
    "group": "images of one group (patient, same bytes) are in one split",
    "split": "see below",
    "because": "why the label exists: `audit`, `seed`, `round N`, `by hand`, `locked`, `other`",
    "rank": "in the queue that asked for it, from 1",
    "run": "the number of that queue's run: `Seed queue 2` is of run 2",
    "locked": "1: on the locked test list",
    "prefilled_by": "of each annotation, joined by a vertical bar, what it was begun from: a model version, "
    "`annotation N` (a copy), `no` (nothing), `unknown`",
    "changed_label": "of each, against what it was begun from: `same`, `other` or `-`",
    "changed_mask": "of each, 1 - Dice of the masks (of all classes' mean), or `-`",
}
LEFT_OUT = ("task", "uri", "what", "reason")


@dataclass(frozen=True)
class ClassColumn:
    """A class with its column in labels.csv; folder: of its masks, empty where it has none."""

    name: str
    column: str
    folder: str


@dataclass(frozen=True)
class LeftOut:
    """What is not in the export. what: "task", "annotation N", "masks" or "image"."""

    task: int
    uri: str
    what: str
    reason: str


def class_columns(labelling: Labelling) -> list[ClassColumn]:
    """One for each class of the image, then for each class of masks that is none of these."""
    columns: list[ClassColumn] = []
    taken, folders = {name.lower() for name in COLUMNS}, set[str]()
    for name in dict.fromkeys((*labelling.classes, *labelling.mask_classes)):
        column = _free(name, taken, " (class)")
        folder = _free(_safe(name), folders, "-2") if name in labelling.mask_classes else ""
        columns.append(ClassColumn(name, column, folder))
    return columns


def as_csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """UTF-8, lines end with a line feed."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return stream.getvalue().encode(errors="backslashreplace")


def _free(name: str, taken: set[str], more: str) -> str:
    """The name, lengthened until it is another one on file systems that do not tell capitals."""
    while name.lower() in taken:
        name += more
    taken.add(name.lower())
    return name


def _safe(name: str) -> str:
    """A class's name as a folder's."""
    return re.sub(r"(?:[^\w.-]|_)+", "_", name).strip("._")[:60] or "class"
