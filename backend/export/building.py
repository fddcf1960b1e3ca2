"""The folder of an export from what was read: no Label Studio and no records are asked here any more."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from seedqueue.backend.annotations import moment
from seedqueue.backend.embeddings import source_key
from seedqueue.backend.examples import Example
from seedqueue.backend.export import prefilled, splits, summary
from seedqueue.backend.export.choices import ExportChoices
from seedqueue.backend.export.errors import NothingToExport
from seedqueue.backend.export.leaving import GONE
from seedqueue.backend.export.manifest import as_bytes, write_manifest
from seedqueue.backend.export.pixels import Progress, Seen, nothing, remove, write_masks
from seedqueue.backend.export.reading import Json, Listing
from seedqueue.backend.export.reasons import Reasons
from seedqueue.backend.export.rows import Labelled, Written, counted, first_labelled, row
from seedqueue.backend.export.table import COLUMNS, LEFT_OUT, LeftOut, as_csv, class_columns
from seedqueue.backend.fetch import stable_uri

LABELS, LEFT, COCO, CONFIG = "labels.csv", "left-out.csv", "coco.json", "label-config.xml"


@dataclass(frozen=True)
class Read:
    """What an export is made from.

    examples: of tasks in the listing. left: what was left out so far. kept: {annotation: the prediction that stood
    beside it}, as far as it was asked for. known: {(task, stable URI): SHA-256 of the image}.
    """

    listing: Listing
    examples: tuple[Example, ...]
    left: tuple[LeftOut, ...]
    reasons: Reasons
    refreshed: tuple[prefilled.Refreshed, ...]
    kept: Mapping[int, Json]
    known: Mapping[tuple[int, str], str]


def build(
    part: Path,
    read: Read,
    seen: Mapping[int, Seen],
    gone: Collection[int],
    owner: Mapping[str, Any],
    choices: ExportChoices,
    progress: Progress = nothing,
) -> tuple[summary.Told, str]:
    """Write all files but the images into `part`; what can be said of it, and the manifest's SHA-256.

    seen: of the images that were fetched. gone: tasks that were deleted since they were read. owner: the Label Studio
    and the project. Raises `NothingToExport`.
    """
    labelling, columns = read.listing.labelling, class_columns(read.listing.labelling)
    for task in gone:
        remove(part, task)
    examples = sorted((one for one in read.examples if one.task not in gone), key=lambda one: one.task)
    written, coco, problems = write_masks(part, examples, seen, labelling, columns, progress)
    rows = [one for one in _rows(read, examples, seen, written, choices) if _labelled(one)]
    if not rows:
        raise NothingToExport(owner["project"], len(read.listing.pool))
    told = summary.Told(owner["project"], choices, rows, _sorted([*read.left, *problems], gone, read), columns, coco)
    _write_tables(part, read.listing, told)
    return told, write_manifest(part, owner, _told(told, read.listing))


def _rows(
    read: Read,
    examples: Sequence[Example],
    seen: Mapping[int, Seen],
    written: Mapping[int, Written],
    choices: ExportChoices,
) -> list[Labelled]:
    pool = {one.task: one for one in read.listing.pool}
    hashes = _hashes(read, seen)
    apart = read.reasons.audit | read.reasons.locked
    patients = {task: one.fields.get(choices.group_field, "") for task, one in pool.items()}
    members = [splits.Member(task, patients[task], hashes[task], task in apart) for task in pool]
    places = splits.places(members, choices.splits, choices.random_seed)
    rows: list[Labelled] = []
    for example in examples:
        number, task = example.task, read.listing.annotated[example.task]
        labelled = moment(first_labelled(task, example))
        rows.append(
            Labelled(
                example,
                task,
                pool[number],
                hashes[number],
                written[number],
                places[number],
                read.reasons.why(number, labelled),
                number in read.reasons.locked,
                tuple(_begun(read, task, one) for one in counted(task, example)),
                patients[number],
            )
        )
    return rows


def _hashes(read: Read, seen: Mapping[int, Seen]) -> dict[int, str]:
    """{task: SHA-256 of its image, or empty}."""
    known = {one.task: read.known.get(source_key(one.task, one.uri), "") for one in read.listing.pool}
    return known | {task: one.sha256 for task, one in seen.items() if one.sha256}


def _begun(read: Read, task: Json, annotation: Json) -> prefilled.Begun:
    kept = read.kept.get(int(annotation["id"]))
    return prefilled.begun(task, annotation, read.listing.labelling, read.refreshed, kept)


def _labelled(one: Labelled) -> bool:
    """Whether a label is left: masks may have turned out unusable."""
    return one.example.classes is not None or one.written.masks is not None


def _sorted(left: Sequence[LeftOut], gone: Collection[int], read: Read) -> list[LeftOut]:
    """By task; of a task that was deleted that alone."""
    deleted = [LeftOut(one.task, stable_uri(one.uri), "task", GONE) for one in read.listing.pool if one.task in gone]
    kept = [one for one in left if one.task not in gone]
    return sorted([*kept, *deleted], key=lambda one: (one.task, one.what, one.reason))


def _write_tables(part: Path, listing: Listing, told: summary.Told) -> None:
    header = [*COLUMNS, *(column.column for column in told.columns)]
    rows = [row(one, listing.labelling, told.columns) for one in told.rows]
    (part / LABELS).write_bytes(as_csv(header, rows))
    (part / LEFT).write_bytes(as_csv(LEFT_OUT, [(one.task, one.uri, one.what, one.reason) for one in told.left]))
    (part / CONFIG).write_bytes(listing.label_config.encode(errors="backslashreplace"))
    if listing.labelling.segmentation:
        (part / COCO).write_bytes(as_bytes(told.coco.as_json(), indent=None))


def _told(told: summary.Told, listing: Listing) -> dict[str, Any]:
    """What the manifest says beside the files."""
    return {
        "title": listing.title,
        "label_config": hashlib.sha256(listing.label_config.encode(errors="backslashreplace")).hexdigest(),
        "choices": asdict(told.choices),
        "classes": [asdict(column) for column in told.columns],
        "counts": summary.counts(told),
    }
