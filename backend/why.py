"""Why a task stands in the queue, or why it does not, in plain sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from seedqueue.backend import audit, drawing
from seedqueue.backend.attached import task_url
from seedqueue.backend.context import Context
from seedqueue.backend.errors import NoSeedQueue
from seedqueue.backend.locked import locked
from seedqueue.backend.pool import tasks_of
from seedqueue.backend.pool_map import Spot
from seedqueue.backend.records import QueuedTask, Run
from seedqueue.backend.siblings import siblings
from seedqueue.selectors import registry

Apart = Literal["locked", "audit", "sibling", ""]

NO_SEED: dict[Apart, str] = {
    "locked": "it is on the locked test list. Nobody is served it, and no model learns from it.",
    "audit": "it was drawn at random for the audit before, and no model learns from it.",
    "sibling": "its patient, or what else images are grouped by, has an audit or a locked one, so that no model would "
    "learn from its label.",
}


@dataclass(frozen=True)
class Neighbour:
    """Another task and how alike the two are (cosine). rank: in the queue, None outside."""

    task: int
    cosine: float | None
    rank: int | None = None


@dataclass(frozen=True)
class Why:
    """The reasons of one task; rank, cluster and weight are None outside the queue."""

    task: int
    run: int
    round: int | None
    rank: int | None
    cluster: int | None
    weight: int | None
    nearest_labelled: Neighbour | None
    represented_by: Neighbour | None
    sentences: tuple[str, ...]
    url: str


def why(context: Context, project: int, task: int) -> Why:
    """Of the queue that the page shows: a dry run that is ready, else the one that stands. Raises `NoSeedQueue`."""
    run = drawing.shown_run(context, project)
    if run is None:
        raise NoSeedQueue(project)
    queue = context.records.queue(project, run.number)
    drawn = context.maps.newest(project)
    spot = drawn.spot(task) if drawn is not None else None
    unreadable = {one.task: one.reason for one in context.records.unreadable(project, run.number)}
    mine = next((one for one in queue if one.task == task), None)
    apart = _apart(context, run, task) if mine is None else ""
    free = spot is not None and spot.label is None and not apart
    of_this_queue = mine is None and drawn is not None and drawn.run == run.number
    chosen_by = _represented(spot, queue) if free and of_this_queue else None
    near = _labelled(spot)
    return Why(
        task=task,
        run=run.number,
        round=spot.round or None if spot else None,
        rank=mine.rank if mine else None,
        cluster=mine.cluster if mine and mine.cluster >= 0 else None,
        weight=mine.weight if mine else None,
        nearest_labelled=near,
        represented_by=chosen_by,
        sentences=sentences(run, queue, mine, spot, chosen_by, near, unreadable.get(task, ""), apart),
        url=task_url(context.studio, project, task),
    )


def sentences(
    run: Run,
    queue: Sequence[QueuedTask],
    mine: QueuedTask | None,
    spot: Spot | None,
    chosen_by: Neighbour | None,
    near: Neighbour | None,
    unreadable: str,
    apart: Apart = "",
) -> tuple[str, ...]:
    """What there is to say, the most important first."""
    told = [_place(run, queue, mine)] if mine else [_absent(spot, chosen_by, unreadable, apart)]
    if spot is not None:
        told.append(_nearest(near))
        if spot.label is not None:
            told.append(f"Labelled: {spot.label}.")
        if spot.predicted is not None and spot.uncertainty is not None:
            told.append(
                f"The head that serves says {spot.predicted}, with an uncertainty of {spot.uncertainty:.2f} of 1."
            )
    return tuple(told)


def _place(run: Run, queue: Sequence[QueuedTask], mine: QueuedTask) -> str:
    name = f"dry run {run.number}" if run.choices.dry_run else run.version
    place = f"Rank {mine.rank} of {len(queue)} in {name}"
    if mine.audit:
        return f"{place}: drawn at random for the audit. It tells how good a model is, and no model learns from it."
    if mine.by_hand:
        return f"{place}: added by hand."
    title = registry.get(run.choices.selector).title
    images = "1 image" if mine.weight == 1 else f"{mine.weight:,} images"
    return f"{place}, chosen by {title}: it stands for {images} of {run.tasks:,}, itself included."


def _apart(context: Context, run: Run, task: int) -> Apart:
    """Why no selector may choose it."""
    listed, drawn = (
        locked(context.records, run.project),
        {one.task for one in audit.frozen(context.records, run.project)},
    )
    if task in listed | drawn:
        return "locked" if task in listed else "audit"
    field = run.choices.group_field
    if not field or not listed | drawn:
        return ""
    found = tasks_of(context.studio, run.project, {task, *listed, *drawn}, [field])
    return "sibling" if task in siblings(context.records, run.project, found, field) else ""


def _absent(spot: Spot | None, chosen_by: Neighbour | None, unreadable: str, apart: Apart) -> str:
    if unreadable:
        return f"Not in the queue: its image could not be read ({unreadable})."
    if apart:
        return f"Not in the queue: {NO_SEED[apart]}"
    if spot is None:
        return (
            "Not in the queue, and not on the map: it came after the last selection, its image is not embedded, or the "
            "map shows a part of a larger pool."
        )
    if chosen_by is None:
        return "Not in the queue."
    cosine = f" (cosine {chosen_by.cosine:.2f})" if chosen_by.cosine is not None else ""
    return f"Not in the queue: rank {chosen_by.rank}, task {chosen_by.task}, stands for it{cosine}."


def _nearest(near: Neighbour | None) -> str:
    if near is None:
        return "No other image was labelled when the map was drawn."
    return f"The labelled image most like it is task {near.task} (cosine {near.cosine or 0:.2f})."


def _represented(spot: Spot | None, queue: Sequence[QueuedTask]) -> Neighbour | None:
    found = next((one for one in queue if spot is not None and one.rank == spot.cluster), None)
    return Neighbour(found.task, spot.closeness, found.rank) if found and spot else None


def _labelled(spot: Spot | None) -> Neighbour | None:
    if spot is None or spot.nearest_labelled is None:
        return None
    return Neighbour(spot.nearest_labelled, spot.nearest_cosine)
