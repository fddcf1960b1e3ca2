"""The export of a project, from Label Studio and the records into one folder."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from seedqueue.backend.annotations import examples_from
from seedqueue.backend.context import Context
from seedqueue.backend.embeddings import source_key
from seedqueue.backend.examples import Example
from seedqueue.backend.export import folder, prefilled, splits, summary, table
from seedqueue.backend.export.choices import ExportChoices
from seedqueue.backend.export.coco import Coco
from seedqueue.backend.export.errors import NothingToExport
from seedqueue.backend.export.leaving import left_out
from seedqueue.backend.export.manifest import as_bytes, write_manifest
from seedqueue.backend.export.pixels import Seen, remove, write_images, write_masks
from seedqueue.backend.export.reading import Json, Listing, kept_predictions, read_project
from seedqueue.backend.export.reasons import Reasons, reasons_of
from seedqueue.backend.export.rows import Labelled, Written, counted, first_labelled, row
from seedqueue.backend.export.table import COLUMNS, LEFT_OUT, LeftOut, as_csv, class_columns
from seedqueue.backend.milestones import Exported
from seedqueue.backend.pool import tasks_of

LABELS, LEFT, COCO, CONFIG = "labels.csv", "left-out.csv", "coco.json", "label-config.xml"


@dataclass(frozen=True)
class _Read:
    """What the export is made from."""

    listing: Listing
    examples: tuple[Example, ...]
    left: tuple[LeftOut, ...]
    reasons: Reasons
    refreshed: tuple[prefilled.Refreshed, ...]
    kept: Mapping[int, Json]
    known: Mapping[tuple[int, str], str]


def export_project(
    context: Context, project: int, out: Path, choices: ExportChoices, say: Callable[[str], None]
) -> Exported:
    """Write the dataset of a project into the folder `out` and save the milestone; `say` is told the summary.

    The same labels and choices give the same bytes. `out` must not exist, be empty, or hold an earlier export of the
    same project, which is replaced. Raises `NothingToExport`, `NotOurExport`, `NoRoom`, `FolderUnusable`,
    `LabelConfigUnusable`, `ProjectNotFound`.
    """
    owner = {"label_studio": context.settings.label_studio_url, "project": project}
    folder.check(out, owner)
    read = _read(context, project, choices)
    with folder.replaced(out, owner) as part:
        seen, problems = write_images(context, part, read.examples, choices.images)
        columns = class_columns(read.listing.labelling)
        written, coco, more = write_masks(part, read.examples, seen, read.listing.labelling, columns)
        gone = _gone(context, project, read.examples)
        for task in gone:
            remove(part, task)
        rows = [one for one in _rows(read, seen, written, choices) if one.example.task not in gone and _labelled(one)]
        if not rows:
            raise NothingToExport(project, len(read.listing.pool))
        left = _sorted([*read.left, *problems, *more], gone, read.examples)
        told = summary.Told(project, out, choices, rows, left, columns, coco.without(gone))
        _write_tables(part, read.listing, told)
        manifest = write_manifest(part, owner, _told(told, read.listing))
    found = summary.milestone(told, manifest)
    found.save(context.records, project)
    for line in summary.lines(told, manifest):
        say(line)
    return found


def _read(context: Context, project: int, choices: ExportChoices) -> _Read:
    listing = read_project(context.studio, project, choices.group_field)
    tasks = [listing.annotated[number] for number in sorted(listing.annotated)]
    found = examples_from(tasks, listing.labelling, choices.group_field)
    listed = {one.task for one in listing.pool}
    examples = tuple(one for one in found.examples if one.task in listed)
    if not examples:
        first = f"task {found.problems[0].task}: {found.problems[0].reason}" if found.problems else ""
        raise NothingToExport(project, len(listing.pool), first)
    refreshed = tuple(prefilled.refreshed_of(context.records, project))
    ask = [one.task for one in examples if _unsure(listing.annotated[one.task], one, refreshed)]
    return _Read(
        listing,
        examples,
        left_out(listing, found, examples),
        reasons_of(context.records, project),
        refreshed,
        kept_predictions(context.studio, project, ask),
        context.sources.known(context.settings.label_studio_url, project),
    )


def _unsure(task: Json, example: Example, refreshed: Sequence[prefilled.Refreshed]) -> bool:
    return any(prefilled.unsure(task, one, refreshed) for one in counted(task, example))


def _gone(context: Context, project: int, examples: Sequence[Example]) -> set[int]:
    """The tasks that were deleted since they were read."""
    tasks = {one.task for one in examples}
    return tasks - {one.task for one in tasks_of(context.studio, project, tasks)}


def _rows(
    read: _Read, seen: Mapping[int, Seen], written: Mapping[int, Written], choices: ExportChoices
) -> list[Labelled]:
    """By task."""
    pool = {one.task: one for one in read.listing.pool}
    known = {task: read.known.get(source_key(task, one.uri), "") for task, one in pool.items()}
    known |= {task: one.sha256 for task, one in seen.items() if one.sha256}
    apart = read.reasons.audit | read.reasons.locked
    patients = {task: one.fields.get(choices.group_field, "") for task, one in pool.items()}
    members = [splits.Member(task, patients[task], known[task], task in apart) for task in pool]
    places = splits.places(members, choices.splits, choices.random_seed)
    rows: list[Labelled] = []
    for example in sorted(read.examples, key=lambda one: one.task):
        task = read.listing.annotated[example.task]
        labelled = prefilled.moment(first_labelled(task, example))
        begun = tuple(
            prefilled.begun(task, one, read.listing.labelling, read.refreshed, read.kept.get(int(one["id"])))
            for one in counted(task, example)
        )
        rows.append(
            Labelled(
                example,
                task,
                pool[example.task],
                known[example.task],
                written[example.task],
                places[example.task],
                read.reasons.why(example.task, labelled),
                example.task in read.reasons.locked,
                begun,
                patients[example.task],
            )
        )
    return rows


def _labelled(one: Labelled) -> bool:
    """Whether a label is left: masks may have turned out unusable."""
    return one.example.classes is not None or one.written.masks is not None


def _sorted(left: Sequence[LeftOut], gone: set[int], examples: Sequence[Example]) -> list[LeftOut]:
    """By task; of a task that was deleted that alone."""
    deleted = [LeftOut(one.task, one.uri, "task", "it was deleted meanwhile") for one in examples if one.task in gone]
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
