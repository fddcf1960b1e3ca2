"""Named errors of the admin's page: dry runs, queues changed by hand, the map."""

from __future__ import annotations

from collections.abc import Sequence

from seedqueue.backend.errors import SeedqueueError

NAMED = 5  # tasks that a message names


class ForeignOrigin(SeedqueueError):
    """A browser was made to send a request by another site's page."""

    status = 403

    def __init__(self, origin: str) -> None:
        super().__init__(
            f"This request was sent by a page of {origin or 'another site'}, not by the backend's own: it is refused. "
            "Use the page under /ui/ of this backend; behind a proxy, let it pass the Host header on (nginx: "
            "proxy_set_header Host $http_host)."
        )


class NoSuchRun(SeedqueueError):
    status = 404

    def __init__(self, project: int, number: int) -> None:
        super().__init__(f"Project {project} has no run {number} with a queue; see GET /api/projects/{project}.")


class NotPublishable(SeedqueueError):
    """Only a dry run that is ready, or the standing queue with changes, can be published."""

    status = 409

    def __init__(self, project: int, number: int, state: str) -> None:
        super().__init__(
            f"Run {number} of project {project} is {state}: only a dry run that is ready, or the queue that stands, "
            "can be published with changes. Ask for a new one."
        )


class NotStoppable(SeedqueueError):
    status = 409

    def __init__(self, project: int, number: int, state: str) -> None:
        super().__init__(
            f"Run {number} of project {project} is {state}: only a dry run under way can be stopped. Another run "
            f"ends with its queue: `seedqueue undo --project {project}`."
        )


class NothingChanged(SeedqueueError):
    status = 422

    def __init__(self, number: int) -> None:
        super().__init__(f"Seed queue {number} stands already, and no task is to be added or taken out.")


class TasksUnknown(SeedqueueError):
    """Tasks to add whose images are not embedded in this project, or to take out that are not in the queue."""

    status = 422

    def __init__(self, what: str, tasks: Sequence[int], asked: int) -> None:
        first = ", ".join(map(str, tasks[:NAMED])) + (", ..." if len(tasks) > NAMED else "")
        super().__init__(f"{len(tasks)} of {asked} tasks {what}: {first}.")


class NothingLeft(SeedqueueError):
    """All tasks of a queue that is to be put in place are labelled or deleted."""

    status = 422

    def __init__(self, number: int, length: int) -> None:
        super().__init__(
            f"Of the {length} tasks of run {number} none is left to label: all are labelled or deleted since. Ask for "
            "a new queue."
        )


class QueueEmptied(SeedqueueError):
    status = 422

    def __init__(self, length: int) -> None:
        super().__init__(f"All {length} tasks of the queue would be taken out; undo the seed queue instead.")


class NoMap(SeedqueueError):
    status = 404

    def __init__(self, project: int) -> None:
        super().__init__(
            f"No map of project {project} is drawn yet. One is drawn after each selection and each training, or on "
            f"request: POST /api/projects/{project}/map."
        )


class TaskNotFound(SeedqueueError):
    status = 404

    def __init__(self, project: int, task: int) -> None:
        super().__init__(f"Project {project} has no task {task}.")
