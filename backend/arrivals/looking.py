"""One look at a project's new images: what is new, what is novel, what drifted, whether the estimate holds."""

from __future__ import annotations

from collections.abc import Sequence

from threadpoolctl import threadpool_limits

from seedqueue.backend import audit
from seedqueue.backend.arrivals.division import Cut, Parts, cut_of, parted
from seedqueue.backend.arrivals.drift import Test, appearance_tests, corrected, one_of_each
from seedqueue.backend.arrivals.embedded import Tell, embedded
from seedqueue.backend.arrivals.fields import field_test
from seedqueue.backend.arrivals.holding import Holding, holding
from seedqueue.backend.arrivals.novelty import Novelty, novelty
from seedqueue.backend.arrivals.report import Far, Report
from seedqueue.backend.arrivals.rows import ComparedRows, one_task_of_each, represented_rows
from seedqueue.backend.context import Context
from seedqueue.backend.errors import NoSeedQueue
from seedqueue.backend.learning_errors import LabelConfigUnusable
from seedqueue.backend.locked import held_out
from seedqueue.backend.pool import PoolTask, list_pool
from seedqueue.backend.records import Run
from seedqueue.selectors.selection import Embeddings

# What DICOM says of most images, under the names that `seedqueue import` gives it.
USUAL_FIELDS = ("view", "modality", "sex", "age", "manufacturer")


def look(
    context: Context,
    project: int,
    after: int | None = None,
    metadata: Sequence[str] | None = None,
    group_field: str = "",
    tell: Tell = lambda done, total: None,
) -> Report:
    """Compare the tasks newer than `after` with the older ones; every image is embedded, or said to be unreadable.

    after: None for what the records say, see `cut_of`. metadata: fields of task data to compare, None for the usual
    ones. group_field: with the patient or study, the standing run's where none is given. tell: called with
    (done, total) while images are embedded. Nothing is changed in Label Studio. Raises `NoSeedQueue`, `NothingOld`,
    `NothingNew`, `NobodyEmbeds`, `EmbeddingStalled`.
    """
    return look_past(context, project, cut_for(context, project, after), metadata, group_field, tell)


def cut_for(context: Context, project: int, after: int | None) -> Cut:
    """What is old and what is new. Raises `NoSeedQueue`."""
    return cut_of(context, _standing(context, project), after)


def look_past(
    context: Context,
    project: int,
    cut: Cut,
    metadata: Sequence[str] | None = None,
    group_field: str = "",
    tell: Tell = lambda done, total: None,
) -> Report:
    """`look` with a cut that is known."""
    run = _standing(context, project)
    field = group_field or run.choices.group_field
    names = USUAL_FIELDS if metadata is None else tuple(metadata)
    pool = list_pool(context.studio, project, fields=[*names, *([field] if field else [])])
    parts = parted(pool, cut, project)
    vectors, unreadable = embedded(context, run, pool, tell)
    apart = held_out(context.records, project)
    rows = ComparedRows.of(pool, parts, vectors, field, apart)
    seed = run.choices.random_seed
    measured = None
    with threadpool_limits(limits=1):  # of more threads each waits for the others where the machine is busy
        represented = represented_rows(vectors, rows)
        if len(represented):
            measured = novelty(represented, rows.old, rows.new, rows.points, rows.groups, seed)
        tests, untested = _tests(represented, rows, parts, names, field, metadata is not None, seed)
    part = audit.part_after(context.records, project, cut.after)
    return Report(
        project=project,
        cut=cut,
        newest=max(one.task for one in parts.new),
        old=len(parts.old),
        new=len(parts.new),
        labelled=sum(one.labelled for one in parts.new),
        unreadable=tuple(one for one in unreadable if one.task > cut.after),
        novelty=measured,
        nearest_to=rows.nearest_to,
        far=_far(measured, rows.tasks),
        tests=tuple(tests),
        untested=tuple(untested),
        patients=field if rows.grouped else "",
        fresh=len(part.tasks) if part else 0,
        holding=_holding(context, run, part, pool),
    )


def _standing(context: Context, project: int) -> Run:
    run = context.records.published_run(project)
    if run is None:
        raise NoSeedQueue(project)
    return run


def _tests(
    represented: Embeddings, rows: ComparedRows, parts: Parts, names: Sequence[str], field: str, asked: bool, seed: int
) -> tuple[list[Test], list[tuple[str, str]]]:
    """asked: the fields were named by a person: one that cannot be compared is told."""
    tests, untested = list[Test](), list[tuple[str, str]]()
    if len(represented):
        old, new = (one_of_each(part, rows.groups, seed) for part in (rows.old, rows.new))
        tests = appearance_tests(represented, old, new, seed)
    of_each = [one_task_of_each(part, field, seed) for part in (parts.old, parts.new)]
    for name in names:
        old_values, new_values = ([one.fields.get(name, "") for one in part] for part in of_each)
        found = field_test(name, old_values, new_values)
        if isinstance(found, Test):
            tests.append(found)
        elif asked or found != "no task has it":
            untested.append((name, found))
    return corrected(tests), untested


def _far(measured: Novelty | None, tasks: Sequence[PoolTask]) -> tuple[Far, ...]:
    if measured is None:
        return ()
    distance = dict(zip(measured.rows.tolist(), measured.distance.tolist(), strict=True))
    return tuple(Far(tasks[row].task, tasks[row].uri, distance[row]) for row in measured.novel.tolist())


def _holding(context: Context, run: Run, part: audit.Part | None, pool: Sequence[PoolTask]) -> tuple[Holding, ...]:
    try:
        return holding(context, run, part, pool)
    except LabelConfigUnusable:  # it asks for nothing that a head could learn: there is no estimate
        return ()
