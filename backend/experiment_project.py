"""An annotated project as the labelled folder that an experiment runs on: its images, masks and `labels.csv`."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from seedqueue.backend.ahead import FETCHES, ahead
from seedqueue.backend.annotations import Problem, examples_from
from seedqueue.backend.context import Context
from seedqueue.backend.errors import FolderUnusable, InvalidRequest, NothingAnnotated
from seedqueue.backend.examples import Example
from seedqueue.backend.experiment_files import Files, Saved, write_whole
from seedqueue.backend.fetch import ImageFetcher, allowed_hosts, stable_uri
from seedqueue.backend.gathering import annotated_tasks, labelling_of
from seedqueue.backend.pool_errors import NoReadableImage

LABELS, LEFT_OUT = "labels.csv", "left-out.csv"
COLUMNS = ("file", "label", "mask", "patient", "task", "uri")
NO_LABEL = "|"  # the table's word for an image that is known to have none: an empty cell is "not known"

Progress = Callable[[int, int], None]
Say = Callable[[str], None]


@dataclass(frozen=True)
class ProjectPool:
    """A project's annotated tasks, by task: training, audit and ground truth alike, since experiments split anew.

    classes, mask_classes: of the label config, () where it asks for none. problems: what is not among the examples.
    """

    classes: tuple[str, ...]
    mask_classes: tuple[str, ...]
    examples: tuple[Example, ...]
    problems: tuple[Problem, ...]


def labelled_project(context: Context, project: int, group_field: str = "") -> ProjectPool:
    """What a project's annotators agreed on, as its heads learn it. group_field: of task data, with the patient.

    Raises `NothingAnnotated`, `LabelConfigUnusable`, `ProjectNotFound`.
    """
    labelling = labelling_of(context.studio, project)
    found = examples_from(annotated_tasks(context.studio, project), labelling, group_field)
    if not found.examples:
        first = f"task {found.problems[0].task}: {found.problems[0].reason}" if found.problems else ""
        raise NothingAnnotated(project, first)
    examples = tuple(sorted(found.examples, key=lambda one: one.task))
    return ProjectPool(labelling.classes, labelling.mask_classes, examples, found.problems)


def export_project(
    context: Context,
    project: int,
    folder: Path,
    group_field: str = "",
    *,
    mask_class: str | None = None,
    progress: Progress = lambda done, of: None,
    say: Say = lambda sentence: None,
) -> Path:
    """Write the project as a labelled folder; the path of its `labels.csv`, which `read_labels` reads.

    In the folder: `images/<task>-<hash of the URI>.<suffix>` as they were fetched, `masks/<task>.png` of 1 bit on
    the image's own grid, `labels.csv` with the columns file, label, mask, patient, task and uri, and `left-out.csv`
    with what is not in it and why. An image that is there already is not fetched again, so that a killed export goes
    on; annotations are always read anew.

    mask_class: whose regions make the mask; None: those of all classes. say: told what was left out. Raises as
    `labelled_project`, and `NoReadableImage`, `FolderUnusable`, `InvalidRequest` for an unknown mask class.
    """
    pool = labelled_project(context, project, group_field)
    if mask_class is not None and mask_class not in pool.mask_classes:
        known = ", ".join(pool.mask_classes) or "none"
        raise InvalidRequest(f"Project {project} has no mask class {mask_class!r}; it has: {known}.")
    return write_pool(context, pool, folder, mask_class=mask_class, progress=progress, say=say)


def write_pool(
    context: Context,
    pool: ProjectPool,
    folder: Path,
    *,
    mask_class: str | None = None,
    progress: Progress = lambda done, of: None,
    say: Say = lambda sentence: None,
) -> Path:
    """The same for a pool that was read already. Raises `NoReadableImage`, `FolderUnusable`."""
    try:
        saved = _saved(context, pool, folder, mask_class, progress)
        unreadable = [one for one in saved if not one.image]
        if len(unreadable) == len(saved):
            raise NoReadableImage(len(saved), _told(unreadable[0]))
        without = [one for one in saved if one.image and one.problem]
        for some, what in ((unreadable, "images cannot be read"), (without, "masks cannot be used")):
            if some:
                say(f"{len(some)} of {len(saved)} {what}; the first: {_told(some[0])}")
        left_out = [(one.example.task, stable_uri(one.example.uri), one.problem) for one in (*unreadable, *without)]
        left_out += [(one.task, "", one.reason) for one in pool.problems]
        _write_table(folder / LEFT_OUT, ("task", "uri", "reason"), left_out)
        _write_table(folder / LABELS, COLUMNS, (_row(one, pool.classes) for one in saved if one.image))
    except OSError as error:
        raise FolderUnusable(folder, error.strerror or str(error)) from error
    return folder / LABELS


def _saved(
    context: Context, pool: ProjectPool, folder: Path, mask_class: str | None, progress: Progress
) -> list[Saved]:
    settings = context.settings
    saved: list[Saved] = []
    fetcher = ImageFetcher(context.studio, allowed_hosts(settings.image_hosts), settings.max_image_bytes)
    try:
        files = Files(context, fetcher, folder, mask_class)
        with ThreadPoolExecutor(FETCHES) as threads:
            for some in ahead(threads, files.save, pool.examples):
                saved += some
                progress(len(saved), len(pool.examples))
    finally:
        fetcher.close()
    return saved


def _told(one: Saved) -> str:
    return f"task {one.example.task}: {one.problem}"


def _row(one: Saved, classes: Sequence[str]) -> tuple[object, ...]:
    example = one.example
    own_group = example.group == f"task {example.task}"  # no patient is known
    return (
        one.image,
        label_cell(example.classes, classes),
        one.mask,
        "" if own_group else example.group,
        example.task,
        stable_uri(example.uri),
    )


def label_cell(chosen: Sequence[bool] | None, classes: Sequence[str]) -> str:
    """The classes of an image joined by |, in whose place a class's own name has a slash."""
    if chosen is None:
        return ""
    names = [name.replace("|", "/") for name, one in zip(classes, chosen, strict=True) if one]
    return "|".join(names) or NO_LABEL


def _write_table(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    write_whole(path, text.getvalue().encode())
