"""What a look at new images found."""

from __future__ import annotations

from dataclasses import dataclass

from seedqueue.backend.arrivals.division import Cut
from seedqueue.backend.arrivals.drift import Test
from seedqueue.backend.arrivals.holding import Holding
from seedqueue.backend.arrivals.novelty import Novelty
from seedqueue.backend.milestones import Arrived
from seedqueue.backend.records import Unreadable


@dataclass(frozen=True)
class Far:
    """A novel image and its distance to the nearest labelled one."""

    task: int
    uri: str
    distance: float


@dataclass(frozen=True)
class Report:
    """One look. old, new: numbers of tasks; labelled: among the new ones. newest: the newest task of all.

    novelty: None where it cannot be measured. nearest_to: what distances are to, in words. far: the novel images, the
    farthest first. tests: all of the look, corrected together; untested: fields and why they were not. patients: the
    field by which one image a patient was tested, "" for none. fresh: tasks of the fresh audit slice. holding: of each
    serving version.
    """

    project: int
    cut: Cut
    newest: int
    old: int
    new: int
    labelled: int
    unreadable: tuple[Unreadable, ...]
    novelty: Novelty | None
    nearest_to: str
    far: tuple[Far, ...]
    tests: tuple[Test, ...]
    untested: tuple[tuple[str, str], ...]
    patients: str
    fresh: int
    holding: tuple[Holding, ...]

    @property
    def drifted(self) -> tuple[Test, ...]:
        return tuple(sorted((one for one in self.tests if one.drifted), key=lambda one: one.adjusted))

    @property
    def holds(self) -> bool | None:
        """Of all serving versions: no where one's estimate does not hold, None where one's cannot be said."""
        said = [one.holds for one in self.holding]
        return False if False in said else None if None in said or not said else True

    def milestone(self, run: int = 0) -> Arrived:
        """run: the seed queue for the new part that was asked for, 0 for none."""
        return Arrived(
            after=self.cut.after,
            new=self.new,
            old=self.old,
            novel=len(self.far),
            drifted=tuple((one.name, one.adjusted) for one in self.drifted),
            tests=len(self.tests),
            audit=self.fresh,
            holds=self.holds,
            run=run,
            newest=self.newest,
            measured=len(self.novelty.rows) if self.novelty else 0,
            nearest_to=self.nearest_to,
        )
