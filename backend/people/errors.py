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


class NothingLabelledYet(SeedqueueError):
    """Agreement and pace need labels."""

    status = 409

    def __init__(self, project: int) -> None:
        super().__init__(
            f"Nobody has annotated a task of project {project} yet: there is nothing to tell. Label its queue first."
        )
