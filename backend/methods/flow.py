"""How many images went where: boxes whose numbers add up, and a box that says so where the records do not."""

from __future__ import annotations

from dataclasses import dataclass

from seedqueue.backend.methods.facts import Source
from seedqueue.backend.methods.recorded import Dated, Recorded, RunRow
from seedqueue.backend.methods.rounds import Rounds
from seedqueue.backend.milestones import Exported


@dataclass(frozen=True)
class Box:
    """label: in words. labelled, patients: of its images; None where that is not known."""

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
    steps = _found(recorded, rounds)
    if rounds.listing is not None:
        steps.append(_project(recorded, rounds, rounds.listing))
    if recorded.exported:
        exported = recorded.exported[-1]
        if steps:
            steps[-1] = _without_label(steps[-1], exported)
        steps += _exported(exported)
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


def _project(recorded: Recorded, rounds: Rounds, row: RunRow) -> Step:
    """What stands in several lists counts in the first of them."""
    choices = row.run.choices
    label = "Eligible images" if choices.tab or choices.where else "Images in the project"
    lists = list[tuple[str, frozenset[int], Source]]()
    if recorded.locked:
        lists.append(("Locked test list", frozenset(recorded.locked.body.tasks), recorded.locked.source))
    for part in recorded.audit:
        name = "Audit slice of later images" if part.body.after else "Audit slice"
        lists.append((name, frozenset(one.task for one in part.body.tasks), part.source))
    for one in rounds.counted:
        source = one.last.queue.source if one.last.queue else one.last.source
        lists.append(("Seed queue" if one.number == 1 else f"Round {one.number}", one.seeds, source))
        lists.append(("Added by hand", one.by_hand, source))
    found, taken = dict[str, Box](), set[int]()
    for name, tasks, source in lists:
        before = found.get(name, Box(name, 0, ()))
        found[name] = Box(name, before.images + len(tasks - taken), (*before.sources, source))
        taken |= tasks
    parts = [box for box in found.values() if box.images]
    sources = (row.source, *(source for box in parts for source in box.sources))
    rest = row.run.tasks - len(taken)
    if rest > 0:
        parts.append(Box("In no queue", rest, sources))
    if rest < 0:  # deleted since, come later, or outside of the tab: in which of the parts they are is not recorded
        parts.append(Box("Counted in these, not in this listing", rest, sources))
    return Step(Box(label, row.run.tasks, (row.source,)), parts=tuple(parts))


def _without_label(step: Step, exported: Dated[Exported]) -> Step:
    """What the data set has not, and what it has besides."""
    sources = (exported.source, *step.box.sources)
    rest = step.left - exported.body.images
    lost = (Box("Without a label, or left out", rest, sources),) if rest > 0 else ()
    gained = (Box("Labelled, not in this listing", -rest, sources),) if rest < 0 else ()
    return Step(step.box, (*step.lost, *lost), (*step.gained, *gained), step.parts)


WHY = {
    "audit": "Audit slice",
    "seed": "Seed queue",
    "locked": "Locked test list",
    "by hand": "Added by hand",
    "other": "In no queue",
}


def _exported(exported: Dated[Exported]) -> list[Step]:
    """The labelled images by why they were chosen, then by split."""
    one, sources = exported.body, (exported.source,)
    why = tuple(Box(WHY.get(name, name.capitalize()), n, sources) for name, n in one.because if n)
    known = one.patients > 0  # else no image told whose it is
    splits = tuple(Box(name, n, sources, patients=patients if known else None) for name, n, patients in one.splits)
    steps = [Step(Box("Labelled images", one.images, sources), parts=_whole(why, one.images, sources))] if why else []
    labelled = None if one.labelled == one.images else one.labelled
    box = Box("Data set", one.images, sources, labelled, one.patients or None)
    return [*steps, Step(box, parts=_whole(splits, one.images, sources))]


def _whole(parts: tuple[Box, ...], images: int, sources: tuple[Source, ...]) -> tuple[Box, ...]:
    rest = images - sum(box.images for box in parts)
    return (*parts, Box(UNEXPLAINED, rest, sources)) if parts and rest else parts
