"""What is said of an export: to the person who asked, in its manifest, and in the records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from seedqueue.backend.export.choices import TEST, ExportChoices
from seedqueue.backend.export.coco import Coco
from seedqueue.backend.export.leaving import UNLABELLED
from seedqueue.backend.export.prefilled import NOT, UNKNOWN
from seedqueue.backend.export.rows import Labelled
from seedqueue.backend.export.table import ClassColumn, LeftOut
from seedqueue.backend.milestones import Exported

SHOWN = 5  # things left out that are named in the terminal


@dataclass(frozen=True)
class Told:
    """An export that was written."""

    project: int
    choices: ExportChoices
    rows: Sequence[Labelled]
    left: Sequence[LeftOut]
    columns: Sequence[ClassColumn]
    coco: Coco


def splits(told: Told) -> list[tuple[str, int, int]]:
    """(name, images, patients) in the order of the shares; the test split always, where something is in it."""
    names = dict.fromkeys([name for name, _ in told.choices.splits] + [one.place.split for one in told.rows])
    return [
        (
            name,
            sum(one.place.split == name for one in told.rows),
            _patients(one for one in told.rows if one.place.split == name),
        )
        for name in names
    ]


def _patients(rows: Iterable[Labelled]) -> int:
    return len({one.patient for one in rows} - {""})


def because(told: Told) -> list[tuple[str, int]]:
    return sorted(Counter(one.why.because for one in told.rows).items())


def counts(told: Told) -> dict[str, Any]:
    """For the manifest."""
    begun = [each.by for one in told.rows for each in one.begun]
    return {
        "images": len(told.rows),
        "patients": _patients(told.rows),
        "splits": {name: {"images": images, "patients": patients} for name, images, patients in splits(told)},
        "because": dict(because(told)),
        "prefilled": {
            "no": begun.count(NOT),
            "unknown": begun.count(UNKNOWN),
            "yes": sum(by not in (NOT, UNKNOWN) for by in begun),
        },
        "with_masks": _masked(told),
        "left_out": dict(
            sorted(Counter(one.reason if one.what == "task" else _kind(one) for one in told.left).items())
        ),
    }


def _masked(told: Told) -> int:
    return sum(one.written.masks is not None for one in told.rows)


def milestone(told: Told, manifest: str) -> Exported:
    """Tasks that nobody has annotated yet are not listed there: they may be ten thousands."""
    left = tuple((one.task, f"{one.what}: {one.reason}") for one in told.left if one.reason != UNLABELLED)
    return Exported(
        images=len(told.rows),
        labelled=len(told.rows),
        patients=_patients(told.rows),
        splits=tuple(splits(told)),
        because=tuple(because(told)),
        manifest=manifest,
        left_out=left,
    )


def lines(told: Told, manifest: str) -> list[str]:
    """For a person, behind what was exported where."""
    field = told.choices.group_field
    without = sum(not one.patient for one in told.rows)
    shares = ", ".join(f"{name} {images} of {patients} patients" for name, images, patients in splits(told))
    if without == len(told.rows):
        shares = ", ".join(f"{name} {images}" for name, images, _ in splits(told))
    found = [
        f"splits: {shares}",
        f"labelled because: {', '.join(f'{name} {number}' for name, number in because(told))}",
    ]
    if without == len(told.rows):
        where = f"in the field {field!r}" if field else "for its patient, since --group-field is empty"
        found.append(f"no image has a value {where}: each image is a group of its own")
    elif without:
        found.append(f"{without} images have no value in the field {field!r}: each is a group of its own")
    if TEST not in dict(told.choices.splits) and any(one.place.split == TEST for one in told.rows):
        found.append("audit and locked tasks are in a split of their own, test")
    if masked := _masked(told):
        found.append(f"masks of {masked} images, {len(told.coco.annotations)} objects in coco.json")
    found += _left(told)
    return [*found, f"manifest {manifest}"]


def _left(told: Told) -> list[str]:
    open_ = sum(one.reason == UNLABELLED for one in told.left)
    others = [one for one in told.left if one.reason != UNLABELLED]
    found = [f"left out: {open_} tasks that nobody has annotated, {len(others)} things more (left-out.csv)"]
    found += [f"  task {one.task}, {one.what}: {one.reason}" for one in others[:SHOWN]]
    return found if told.left else []


def _kind(one: LeftOut) -> str:
    return one.what.partition(" ")[0]
