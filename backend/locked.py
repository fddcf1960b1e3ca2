"""The locked test list: tasks that a team keeps apart. Never chosen, served or learnt from, without pre-annotations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from seedqueue.backend import audit
from seedqueue.backend.milestones import Milestone
from seedqueue.backend.pool import Place
from seedqueue.backend.records import Kind, Records


@dataclass(frozen=True)
class Locked(Milestone):
    """The list as it stands after a change.

    uris: of the tasks' images, in their order. groups: the patients or studies of its tasks, whose other tasks are not
    learnt from either. before: (task, how many annotators were to read it before), for opening it again. source: where
    the list came from, in words.
    """

    kind: ClassVar[Kind] = "locked"
    tasks: tuple[int, ...]
    uris: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    before: tuple[tuple[int, int], ...] = ()
    source: str = ""

    @property
    def places(self) -> list[Place]:
        return list(zip(self.tasks, self.uris, strict=True))


def of(records: Records, project: int) -> Locked:
    """The project's list; an empty one where it has none."""
    return Locked.last(records, project) or Locked(())


def locked(records: Records, project: int) -> frozenset[int]:
    """The tasks on the project's list."""
    return frozenset(of(records, project).tasks)


def held_out(records: Records, project: int) -> frozenset[int]:
    """The tasks that no head learns from and that carry no pre-annotation: the audit slice and the locked list."""
    return locked(records, project).union(one.task for one in audit.frozen(records, project))
