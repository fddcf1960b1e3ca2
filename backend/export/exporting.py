"""The export of a project, from Label Studio and the records into one folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from seedqueue.backend.annotations import examples_from
from seedqueue.backend.context import Context
from seedqueue.backend.examples import Example
from seedqueue.backend.export import folder, prefilled, summary
from seedqueue.backend.export.building import Read, build
from seedqueue.backend.export.choices import ExportChoices
from seedqueue.backend.export.errors import NothingToExport
from seedqueue.backend.export.leaving import left_out
from seedqueue.backend.export.pixels import Progress, nothing, write_images
from seedqueue.backend.export.reading import Json, kept_predictions, read_project
from seedqueue.backend.export.reasons import reasons_of
from seedqueue.backend.export.rows import counted
from seedqueue.backend.milestones import Exported
from seedqueue.backend.pool import tasks_of


def export_project(
    context: Context,
    project: int,
    out: Path,
    choices: ExportChoices,
    say: Callable[[str], None],
    progress: Progress = nothing,
) -> Exported:
    """Write the dataset of a project into the folder `out` and save the milestone; `say` is told the summary.

    The same labels and choices give the same bytes. `out` must not exist, be empty, or hold an earlier export of the
    same project, which is replaced. Raises `NothingToExport`, `NotOurExport`, `NoRoom`, `FolderUnusable`,
    `LabelConfigUnusable`, `ProjectNotFound`.
    """
    owner = {"label_studio": context.settings.label_studio_url, "project": project}
    folder.check(out, owner)
    read = read_all(context, project, choices)
    with folder.replaced(out, owner) as part:
        seen, problems = write_images(context, part, read.examples, choices.images, progress)
        gone = _gone(context, project, read.examples)
        told, manifest = build(part, replace(read, left=(*read.left, *problems)), seen, gone, owner, choices, progress)
    found = summary.milestone(told, manifest)
    found.save(context.records, project)
    say(f"{len(told.rows)} labelled images of project {project} in {out}")
    for line in summary.lines(told, manifest):
        say(f"  {line}")
    return found


def read_all(context: Context, project: int, choices: ExportChoices) -> Read:
    """All that an export needs but images. Raises `NothingToExport` and what `read_project` raises."""
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
    return Read(
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
