"""Named errors of reading in common and of looking at it."""

from __future__ import annotations

from seedqueue.backend.errors import SeedqueueError


class OverlapIsProjectWide(SeedqueueError):
    """The project itself has every task annotated several times; Label Studio then serves begun tasks at random."""

    status = 409

    def __init__(self, project: int, annotations: int) -> None:
        super().__init__(
            f"Project {project} asks for {annotations} annotations of every task (its maximum_annotations), and then "
            "Label Studio serves tasks that somebody has begun in random order. Set it to 1 "
            f'(PATCH /api/projects/{project}/ {{"maximum_annotations": 1}}) and ask again.'
        )


class OverlapRefused(SeedqueueError):
    """Label Studio kept another number of readers than it was told."""

    status = 502

    def __init__(self, asked: int, wrong: list[int]) -> None:
        some = ", ".join(map(str, wrong[:5]))
        super().__init__(
            f"Label Studio did not keep {asked} readers for {len(wrong)} tasks (such as {some}). Run the same command "
            "again."
        )


class NothingReadTwice(SeedqueueError):
    """Agreement needs tasks that two annotators have read."""

    status = 409

    def __init__(self, project: int, annotated: int, annotators: int) -> None:
        super().__init__(
            f"Nothing in project {project} was annotated by two people: {annotated} tasks are annotated, by "
            f"{annotators} people. Let some be read in common: "
            f"`seedqueue overlap --project {project} --annotators {max(annotators, 2)}`."
        )


class NothingLabelledYet(SeedqueueError):
    """A pace needs labels."""

    status = 409

    def __init__(self, project: int) -> None:
        super().__init__(f"Nobody has annotated or skipped a task of project {project} yet: there is no pace to tell.")
