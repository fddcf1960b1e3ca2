"""Named errors of what is learnt: label configs, masks, trainings, versions."""

from __future__ import annotations

from seedqueue.backend.errors import SeedqueueError


class LabelConfigUnusable(SeedqueueError):
    """A label config that cannot be read, or that asks for nothing that a head could learn."""

    status = 409

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"The label config cannot be learnt from: {reason}. Mend it under Settings > Labeling Interface."
        )


class MasksUnusable(SeedqueueError):
    """Regions that do not fit the image that they are said to belong to."""

    status = 422

    def __init__(self, task: int, reason: str) -> None:
        super().__init__(
            f"The regions of task {task} make no mask: {reason}. Draw them again on the image as it is now."
        )


class OutputDiffers(SeedqueueError):
    """What a head gives does not fit what the label config asks for."""

    status = 500

    def __init__(self, expected: str, found: str) -> None:
        super().__init__(f"The label config needs {expected}, and the head gives {found}. Train it anew.")


class AuditExceedsPool(SeedqueueError):
    status = 422

    def __init__(self, audit: int, readable: int) -> None:
        super().__init__(
            f"{audit} audit tasks of {readable} readable images, drawn in whole groups, leave none to label. Ask for a "
            "smaller audit."
        )


class NothingToTrain(SeedqueueError):
    """A training that was asked for, and nothing that it could learn from."""

    status = 409

    def __init__(self, project: int, reason: str) -> None:
        super().__init__(f"There is nothing to train in project {project}: {reason}.")


class TrainingFailed(SeedqueueError):
    status = 500

    def __init__(self, reason: str) -> None:
        super().__init__(reason)


class NoTrainedHead(SeedqueueError):
    """A later round goes by a head's predictions."""

    status = 409

    def __init__(self, project: int, selector: str, needs: str) -> None:
        super().__init__(
            f"The selector {selector!r} needs {needs}, and no head of project {project} gives any yet. Label the seed "
            f"queue, or train now: `seedqueue train --project {project}`."
        )


class NoSuchVersion(SeedqueueError):
    status = 404

    def __init__(self, project: int, number: int, known: list[int]) -> None:
        there = ", ".join(map(str, known)) or "none"
        super().__init__(f"Project {project} has no version {number}; it has: {there}.")


class NothingToRollBackTo(SeedqueueError):
    status = 409

    def __init__(self, project: int, head: str) -> None:
        super().__init__(f"Project {project} had no other version serving its {head} before the one that serves now.")


class WeightsOfVersionLost(SeedqueueError):
    status = 500

    def __init__(self, sha256: str) -> None:
        super().__init__(
            f"The home holds no undamaged weights with the SHA-256 {sha256[:16]}... Restore SEEDQUEUE_HOME from its "
            "backup, or train anew."
        )
