"""Everything that the records hold of one project, read at once: the methods are written from this and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from seedqueue.backend import audit
from seedqueue.backend.locked import Locked
from seedqueue.backend.methods.facts import Source
from seedqueue.backend.milestones import Agreed, Arrived, Exported, Imported, Milestone, Overlap
from seedqueue.backend.records import Kind, QueuedTask, Records, Row, Run, Unreadable
from seedqueue.backend.versions import ModelVersion, Versions

T = TypeVar("T")
M = TypeVar("M", bound=Milestone)


@dataclass(frozen=True)
class Dated(Generic[T]):
    """A row: what it says, and which it is."""

    body: T
    source: Source


@dataclass(frozen=True)
class RunRow:
    """A run as its newest row has it. asked: when its first row was written. queue: in order, with the row that holds
    it. unreadable: each task once. published: whether it was put in place, though it may have been taken away since."""

    run: Run
    source: Source
    asked: datetime
    queue: Dated[tuple[QueuedTask, ...]] | None
    unreadable: tuple[Unreadable, ...]
    published: bool


@dataclass(frozen=True)
class Recorded:
    """audit: the slices in the order in which they were drawn. locked: the list as it stands, None where there was
    never one. versions: `promoted` as the pointer stands."""

    project: int
    imported: tuple[Dated[Imported], ...]
    runs: tuple[RunRow, ...]
    audit: tuple[Dated[audit.Part], ...]
    locked: Dated[Locked] | None
    overlap: tuple[Dated[Overlap], ...]
    agreed: tuple[Dated[Agreed], ...]
    versions: tuple[Dated[ModelVersion], ...]
    exported: tuple[Dated[Exported], ...]
    arrived: tuple[Dated[Arrived], ...]

    @property
    def empty(self) -> bool:
        milestones = (self.imported, self.overlap, self.agreed, self.exported, self.arrived)
        return not any((*milestones, self.runs, self.versions, self.audit, self.locked))


def read(records: Records, versions: Versions, project: int) -> Recorded:
    """The rows of a project. Asks neither Label Studio nor Redis."""
    return Recorded(
        project=project,
        # One that brought nothing new is of no consequence: a look, or the same command again.
        imported=tuple(row for row in _milestones(records, Imported, project) if row.body.tasks),
        runs=_runs(records, project),
        audit=_audit(records, project),
        locked=next(iter(_milestones(records, Locked, project)[-1:]), None),
        overlap=_milestones(records, Overlap, project),
        agreed=_milestones(records, Agreed, project),
        versions=_versions(records, versions, project),
        exported=_milestones(records, Exported, project),
        arrived=_milestones(records, Arrived, project),
    )


def _source(kind: Kind, row: Row) -> Source:
    return Source(kind, row.run, row.at)


def _milestones(records: Records, kind: type[M], project: int) -> tuple[Dated[M], ...]:
    found = records.dated(kind.kind, project)
    return tuple(Dated(kind.from_body(row.body), _source(kind.kind, row)) for row in found)


def _runs(records: Records, project: int) -> tuple[RunRow, ...]:
    rows: dict[int, list[Row]] = {}
    for row in records.dated("run", project):
        rows.setdefault(row.run, []).append(row)
    queues = {row.run: row for row in records.dated("queue", project)}
    unreadable: dict[int, dict[int, Unreadable]] = {}
    for row in records.dated("unreadable", project):
        unreadable.setdefault(row.run, {}).update({one["task"]: Unreadable(**one) for one in row.body})
    return tuple(_run(rows[number], queues.get(number), unreadable.get(number, {})) for number in sorted(rows))


def _run(rows: list[Row], queue: Row | None, unreadable: Mapping[int, Unreadable]) -> RunRow:
    last = rows[-1]
    tasks = Dated(tuple(QueuedTask(**one) for one in queue.body), _source("queue", queue)) if queue else None
    return RunRow(
        run=Run.from_body(last.body),
        source=_source("run", last),
        asked=rows[0].at,
        queue=tasks,
        unreadable=tuple(unreadable[task] for task in sorted(unreadable)),
        published=any(row.body["state"] == "published" for row in rows),
    )


def _audit(records: Records, project: int) -> tuple[Dated[audit.Part], ...]:
    return tuple(Dated(part, Source("audit", part.run, part.at)) for part in audit.parts(records, project))


def _versions(records: Records, versions: Versions, project: int) -> tuple[Dated[ModelVersion], ...]:
    rows = {row.run: row for row in records.dated("version", project)}
    return tuple(Dated(made, _source("version", rows[made.number])) for made in versions.all(project))
