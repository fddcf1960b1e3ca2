"""What was done with a project's images besides queues and heads: rows of the records as dataclasses.

The methods section is written from these and from nothing else, so each holds what a reader of a paper asks for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, ClassVar, Self

from seedqueue.backend.records import Kind, Records


@dataclass(frozen=True)
class Milestone:
    """Base of the kinds below; `kind` is the name of its rows."""

    kind: ClassVar[Kind]

    def save(self, records: Records, project: int) -> None:
        records.append(self.kind, project, 0, asdict(self))

    @classmethod
    def from_body(cls, body: Mapping[str, Any]) -> Self:
        return cls(**{name: _frozen(value) for name, value in body.items()})

    @classmethod
    def all(cls, records: Records, project: int) -> list[tuple[datetime, Self]]:
        """When each was written, and what it said; oldest first."""
        return [(row.at, cls.from_body(row.body)) for row in records.dated(cls.kind, project)]

    @classmethod
    def last(cls, records: Records, project: int) -> Self | None:
        found = cls.all(records, project)
        return found[-1][1] if found else None


@dataclass(frozen=True)
class Imported(Milestone):
    """One `seedqueue import`. Names of files stay on the lab's side: the home is that.

    source: the folder's or table's name. files: image files that were found; dicom: those of them that are DICOM.
    unreadable: (name, reason). repeats: same pixels as another file, left out. known: in the project before.
    tasks: new ones. near: pairs of near duplicates that were reported, burned_in: images with a warning of text
    in the pixels. without_patient: DICOM without a patient's id, each its own patient. shared_ids: patient ids
    under which two patients seem to stand. patients, studies: among the new tasks. grey: how deep grey became
    8 bits, in words.
    """

    kind: ClassVar[Kind] = "imported"
    source: str
    files: int
    dicom: int
    unreadable: tuple[tuple[str, str], ...]
    repeats: int
    known: int
    tasks: int
    near: int
    burned_in: int
    without_patient: int
    shared_ids: int
    patients: int
    studies: int
    grey: str


@dataclass(frozen=True)
class Overlap(Milestone):
    """What several annotators were asked to read in common.

    annotators: how many read each of these. first: so many at the head of the queue; share: of the others, in
    [0, 1]. tasks: all that are read in common; none once it was put back. before: (task, how many were to read it
    before), for putting it back.
    """

    kind: ClassVar[Kind] = "overlap"
    annotators: int
    first: int
    share: float
    tasks: tuple[int, ...]
    before: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Measured:
    """A figure with its 95 % interval, None where it could not be computed; n: images behind it."""

    name: str
    value: float | None
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True)
class Agreed(Milestone):
    """How far people agreed when it was looked at.

    tasks: read by two or more. annotators: how many people. kappa, dice: over all pairs; by_class: kappas and Dice
    coefficients of single classes. disagreements: tasks put up for adjudication. suspects: labels that
    confident learning doubts.
    """

    kind: ClassVar[Kind] = "agreement"
    tasks: int
    annotators: int
    kappa: Measured | None
    dice: Measured | None
    by_class: tuple[Measured, ...]
    disagreements: int
    suspects: int

    @classmethod
    def from_body(cls, body: Mapping[str, Any]) -> Self:
        one = {name: Measured(**body[name]) if body[name] else None for name in ("kappa", "dice")}
        return cls(**{**body, **one, "by_class": tuple(Measured(**each) for each in body["by_class"])})


@dataclass(frozen=True)
class Exported(Milestone):
    """One `seedqueue export`.

    images: in it; labelled: those with a label. splits: (name, images, patients). because: (why a label exists,
    how many): "audit", "seed", "round 2", "by hand", "locked", "other". manifest: SHA-256 of the manifest.
    left_out: (task, reason).
    """

    kind: ClassVar[Kind] = "exported"
    images: int
    labelled: int
    patients: int
    splits: tuple[tuple[str, int, int], ...]
    because: tuple[tuple[str, int], ...]
    manifest: str
    left_out: tuple[tuple[int, str], ...]


@dataclass(frozen=True)
class Arrived(Milestone):
    """One look at images that came later.

    after: the newest task of the old part. new, old: tasks in either part. novel: new tasks farther from what is
    labelled than 95 % of the old pool is from its own neighbours, of so many as were measured (0: none could be);
    nearest_to: what distances were to, in words. drifted: (what, p after Holm's correction) of
    each test below 0.05; tests: how many were made. audit: tasks of the fresh audit slice, 0 for none. holds:
    whether the fresh audit agrees with the old estimate; None where it cannot be said yet. run: the seed queue for
    the new part, 0 for none. newest: the newest task of the new part: what comes later is the next one.
    """

    kind: ClassVar[Kind] = "arrived"
    after: int
    new: int
    old: int
    novel: int
    drifted: tuple[tuple[str, float], ...]
    tests: int
    audit: int
    holds: bool | None
    run: int
    newest: int = 0
    measured: int = 0
    nearest_to: str = ""


def _frozen(value: Any) -> Any:
    """JSON's lists as the tuples that they were."""
    return tuple(_frozen(each) for each in value) if isinstance(value, list) else value
