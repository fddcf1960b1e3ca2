"""Named errors of a project's tasks: which there are, which can be chosen, which are kept apart."""

from __future__ import annotations

from collections.abc import Sequence

from seedqueue.backend.errors import InvalidRequest, SeedqueueError
from seedqueue.selectors.errors import BudgetExceedsPool


class UnreadableFilter(InvalidRequest):
    """A filter of tasks that cannot be read."""

    def __init__(self, text: str, what: str) -> None:
        super().__init__(
            f"The filter {text!r} cannot be read: {what}. Give conditions such as view=PA and date>=2025-01-01: a "
            "field of task data, id or label:CONTROL, one of = != < <= > >= ~, and a value."
        )


class TabNotFound(SeedqueueError):
    status = 404

    def __init__(self, tab: str, known: list[str]) -> None:
        super().__init__(f"The project has no Data Manager tab {tab!r}; it has: {', '.join(known) or 'none'}.")


class EmptyProject(SeedqueueError):
    status = 409

    def __init__(self, project: int, tab: str | None = None, where: str = "") -> None:
        named = f"Tab {tab!r} of project {project}" if tab else f"Project {project}"
        within = f" that fulfil {where!r}" if where else ""
        super().__init__(f"{named} has no tasks without an annotation{within}. Import images first.")


class BudgetExceedsFree(BudgetExceedsPool):
    """More images were asked for than are free: locked tasks and other images of held-out patients are not."""

    def __init__(self, requested: int, available: int, apart: int) -> None:
        super().__init__(requested, available)
        self.apart = apart
        self.args = (
            f"{requested} requested, {available} available: {apart} more have no label, but are locked or share their "
            "group with audit or locked tasks. Lower the budget, unlock some or add images",
        )


class NothingToLock(SeedqueueError):
    status = 409

    def __init__(self, project: int, source: str, missing: Sequence[int]) -> None:
        what = f"{len(missing)} of the {source}, {missing[0]} first, are not" if missing else f"no task ({source}) is"
        super().__init__(f"Nothing was locked: {what} in project {project}.")


class NothingLocked(SeedqueueError):
    status = 409

    def __init__(self, project: int) -> None:
        super().__init__(f"Project {project} has no locked test list. Make one with `seedqueue lock`.")


class TasksInAudit(SeedqueueError):
    """A task cannot be drawn at random from the pool and kept out of it."""

    status = 409

    def __init__(self, both: Sequence[int], asked: int) -> None:
        super().__init__(
            f"Nothing was locked: {len(both)} of {asked} tasks, {both[0]} first, are in the audit slice, which was "
            "drawn at random and is held out already. Lock the others."
        )


class NoImageInLabelConfig(SeedqueueError):
    status = 409

    def __init__(self, project: int, reason: str) -> None:
        super().__init__(
            f'The label config of project {project} has no usable <Image name=... value="$field"/> ({reason}). '
            "Add one under Settings > Labeling Interface."
        )


class NoGroups(SeedqueueError):
    """A grouping by a field of task data that no task has."""

    status = 422

    def __init__(self, field: str) -> None:
        super().__init__(
            f"No image has a value in the field {field!r}: name the field of the task data that holds the patient "
            f"or study, or none."
        )


class NoWeakLabels(SeedqueueError):
    """A selector that goes by weak labels, and none to go by."""

    status = 422

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"There are no weak labels to go by: {reason}. Give findings, field:NAME or keywords:FIELD:WORD,WORD."
        )


class NoReadableImage(SeedqueueError):
    status = 409

    def __init__(self, tasks: int, first: str) -> None:
        super().__init__(f"None of the {tasks} images could be read; the first: {first}")
