"""How many images went where: boxes whose numbers add up, and a box that says so where the records do not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from seedqueue.backend.methods.facts import Source
from seedqueue.backend.methods.recorded import Dated, Recorded, RunRow
from seedqueue.backend.methods.rounds import Rounds
from seedqueue.backend.milestones import Exported


@dataclass(frozen=True)
class Box:
    """label: in words. labelled: how many of its images the export holds a label of; None where that is not known."""

    label: str
    images: int
    sources: tuple[Source, ...]
    labelled: int | None = None
    patients: int | None = None


@dataclass(frozen=True)
class Step:
    """One box of the main line. lost, gained: what leaves and joins on the way to the next one. parts: what it divides
    into; together they are the whole."""

    box: Box
    lost: tuple[Box, ...] = ()
    gained: tuple[Box, ...] = ()
    parts: tuple[Box, ...] = ()

    @property
    def left(self) -> int:
        """What goes on to the next step."""
        return self.box.images - sum(one.images for one in self.lost) + sum(one.images for one in self.gained)


UNEXPLAINED = "Not accounted for by the records"


def flow(recorded: Recorded, rounds: Rounds) -> tuple[Step, ...]:
    """From the top down; empty where nothing is counted in the records."""
    exported = recorded.exported[-1] if recorded.exported else None
    steps = _found(recorded, rounds)
    listing = rounds.listing
    if listing is not None:
        steps.append(_project(recorded, rounds, listing, exported))
    if exported is not None:
        if steps:
            steps[-1] = _with_export(steps[-1], exported)
        steps.append(_exported(exported))
    return tuple(steps)


def _found(recorded: Recorded, rounds: Rounds) -> list[Step]:
    if not recorded.imported:
        return []
    rows = [(row.body, row.source) for row in recorded.imported]
    sources = tuple(source for _, source in rows)
    files, tasks = sum(one.files for one, _ in rows), sum(one.tasks for one, _ in rows)
    counted = (
        ("Unreadable", sum(len(one.unreadable) for one, _ in rows)),
        ("Same pixels as another file", sum(one.repeats for one, _ in rows)),
        ("In the project already", sum(one.known for one, _ in rows)),
    )
    lost = [Box(label, n, sources) for label, n in counted if n]
    rest = files - sum(box.images for box in lost) - tasks
    lost += [Box(UNEXPLAINED, rest, sources)] if rest > 0 else []
    gained = (Box("More images than files", -rest, sources),) if rest < 0 else ()
    first = Step(Box("Image files found", files, sources), tuple(lost), gained)
    return [first, _imported(recorded, rounds, Box("Images added by import", tasks, sources))]


def _imported(recorded: Recorded, rounds: Rounds, box: Box) -> Step:
    """What differs between the imports and the project as it was listed for the last selection."""
    listing = rounds.listing
    if listing is None:
        return Step(box)
    later = [row for row in recorded.imported if row.source.at > listing.asked]
    after = sum(row.body.tasks for row in later)
    lost = [Box("Imported after the selection", after, tuple(row.source for row in later))] if after else []
    sources = (*box.sources, listing.source)
    difference = listing.run.tasks - (box.images - after)
    choices = listing.run.choices
    gone = (
        "Outside of the tab or filter, or no longer in the project"
        if choices.tab or choices.where
        else "No longer in the project"
    )
    lost += [Box(gone, -difference, sources)] if difference < 0 else []
    gained = (Box("Came by other means than import", difference, sources),) if difference > 0 else ()
    return Step(box, tuple(lost), gained)


def _project(recorded: Recorded, rounds: Rounds, row: RunRow, exported: Dated[Exported] | None) -> Step:
    choices = row.run.choices
    label = "Eligible images" if choices.tab or choices.where else "Images in the project"
    parts, taken = list[Box](), set[int]()
    why = dict(exported.body.because) if exported else {}

    def part(label: str, tasks: set[int], key: str, *sources: Source) -> None:
        rest = tasks - taken
        if rest:
            parts.append(Box(label, len(rest), sources, _labelled(why, key, exported)))
        taken.update(rest)

    if recorded.locked:
        part("Locked test list", set(recorded.locked.body.tasks), "locked", recorded.locked.source)
    if recorded.audit:
        part("Audit slice", {one.task for one in recorded.audit.body}, "audit", recorded.audit.source)
    for one in rounds.counted:
        name = "Seed queue" if one.number == 1 else f"Round {one.number}"
        source = one.last.queue.source if one.last.queue else one.last.source
        part(name, set(one.seeds), "seed" if one.number == 1 else f"round {one.number}", source)
    sources = (row.source, *(source for box in parts for source in box.sources))
    rest = row.run.tasks - len(taken)
    if rest > 0:
        parts.append(Box("In no queue", rest, sources, _labelled(why, "other", exported)))
    if rest < 0:  # deleted since, or outside of the tab: which of the parts they are in is not recorded
        parts.append(Box("Counted in these, not in this listing", rest, sources))
    return Step(Box(label, row.run.tasks, (row.source,)), parts=tuple(parts))


def _labelled(why: Mapping[str, int], key: str, exported: Dated[Exported] | None) -> int | None:
    return why.get(key, 0) if exported else None


def _with_export(step: Step, exported: Dated[Exported]) -> Step:
    """What the data set leaves out, and what it has besides."""
    one, sources = exported.body, (exported.source, *step.box.sources)
    lost = [*step.lost]
    if one.left_out:
        lost.append(Box("Left out of the data set", len(one.left_out), (exported.source,)))
    rest = step.left - len(one.left_out) - one.images
    lost += [Box("Not exported", rest, sources)] if rest > 0 else []
    gained = (Box("Exported, not in this listing", -rest, sources),) if rest < 0 else ()
    return Step(step.box, tuple(lost), (*step.gained, *gained), step.parts)


def _exported(exported: Dated[Exported]) -> Step:
    one, sources = exported.body, (exported.source,)
    parts = [Box(name, images, sources, patients=patients) for name, images, patients in one.splits]
    rest = one.images - sum(box.images for box in parts)
    if parts and rest:
        parts.append(Box("In no split" if rest > 0 else "In several splits", rest, sources))
    return Step(Box("Data set", one.images, sources, one.labelled, one.patients), parts=tuple(parts))
