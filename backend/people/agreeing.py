"""A look at how far a project's annotators agree, which tasks divide them, and which labels look wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from seedqueue.backend import gathering, tabs
from seedqueue.backend.context import Context
from seedqueue.backend.milestones import Agreed, Measured
from seedqueue.backend.people.careless import LEAST_ANNOTATORS, LEAST_SHARED, Apart
from seedqueue.backend.people.compared import Measure
from seedqueue.backend.people.disagreements import LEAST_DICE, Disagreement, disagreements_of
from seedqueue.backend.people.doubting import suspects_in
from seedqueue.backend.people.errors import NothingLabelledYet
from seedqueue.backend.people.figures import Figures, figures_of
from seedqueue.backend.people.naming import names_of
from seedqueue.backend.people.readings import Readings, readings_from
from seedqueue.backend.people.suspects import Doubted

DISAGREEMENTS = "Disagreements"
SUSPECTS = "Suspected label errors"


@dataclass(frozen=True)
class Report:
    """What was found.

    names: of the annotators who have read in common, by the number that `figures` gives them. figures: None where
    nothing was read in common. settled: tasks read in common that have a ground truth. listed: {tab: its tasks},
    empty where no tab was asked for.
    """

    project: int
    annotated: int
    shared: int
    names: tuple[str, ...]
    adjudicators: int
    figures: Figures | None
    disagreements: tuple[Disagreement, ...]
    settled: int
    doubted: Doubted
    listed: Mapping[str, int]
    notes: tuple[str, ...]

    @property
    def flagged(self) -> tuple[tuple[Measure, Apart], ...]:
        """Who agrees less with the others than these among themselves, beyond chance; the farthest first."""
        found = [one for one in (self.figures.apart if self.figures else ()) if one[1].flagged]
        return tuple(sorted(found, key=lambda one: -one[1].difference))


def look_at_agreement(
    context: Context, project: int, tabs_too: bool = False, by_name: bool = False, least_dice: float = LEAST_DICE
) -> Report:
    """Everything that `seedqueue agreement` tells; the figures are kept in the records.

    tabs_too: make, renew or remove the tabs "Disagreements" and "Suspected label errors". by_name: e-mail addresses
    instead of pseudonyms. No annotation is changed. Raises `LabelConfigUnusable`, `NothingLabelledYet`,
    `ProjectNotFound`.
    """
    labelling = gathering.labelling_of(context.studio, project)
    tasks = gathering.annotated_tasks(context.studio, project)
    read = readings_from(tasks, labelling, context.settings.group_field)
    if not read.annotated:
        raise NothingLabelledYet(project)
    people = read.readers
    figures = figures_of(read.shared, people, labelling, context.settings.random_seed) if read.shared else None
    divided = disagreements_of(read.shared, labelling, least_dice)
    doubts = suspects_in(context, project, tasks, labelling)
    listed = {}
    if tabs_too:
        for title, found in ((DISAGREEMENTS, divided), (SUSPECTS, doubts.suspects)):
            listed[title] = tabs.show_tasks(context.studio, project, title, [one.task for one in found])
    _agreed(read, figures, len(divided), len(doubts.suspects)).save(context.records, project)
    called = names_of(context, project, people, by_name)
    return Report(
        project,
        read.annotated,
        len(read.shared),
        tuple(called[one] for one in people),
        len(read.adjudicators),
        figures,
        tuple(divided),
        sum(one.settled for one in read.shared),
        doubts,
        listed,
        tuple(_notes(project, read)),
    )


def remove_tabs(context: Context, project: int) -> None:
    """Take the tabs with disagreements and suspected label errors away, if they are there."""
    tabs.remove_titled(context.studio, project, (DISAGREEMENTS, SUSPECTS))


def _agreed(read: Readings, figures: Figures | None, disagreements: int, suspects: int) -> Agreed:
    named: dict[str, Measured] = {one.name: one for one in figures.overall} if figures else {}
    by_class = figures.by_class if figures else ()
    return Agreed(
        len(read.shared), len(read.readers), named.get("kappa"), named.get("DSC"), by_class, disagreements, suspects
    )


def _notes(project: int, read: Readings) -> list[str]:
    """What the figures cannot say, in sentences."""
    found = []
    if not read.shared:
        people = max(len(read.annotators), 2)
        found.append(
            f"Nothing was read by two annotators yet: seedqueue overlap --project {project} --annotators {people}"
        )
    elif len(read.readers) < LEAST_ANNOTATORS:
        found.append("Of two annotators who disagree nobody can say which one is careless: that takes a third.")
    elif read.patients < LEAST_SHARED:
        what = f"{read.patients} {'tasks' if read.patients == len(read.shared) else 'patients or studies'}"
        found.append(f"{what} were read in common: whether somebody is careless shows from {LEAST_SHARED} on.")
    if read.problems:
        first = read.problems[0]
        found.append(
            f"{len(read.problems)} annotations or parts of them do not count; the first: task {first.task}, "
            f"annotation {first.annotation}: {first.reason}."
        )
    return found
