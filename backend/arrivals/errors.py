"""Named errors of a look at images that came later."""

from __future__ import annotations

from seedqueue.backend.errors import SeedqueueError


class NothingOld(SeedqueueError):
    """All tasks would be new ones."""

    status = 409

    def __init__(self, project: int, after: int) -> None:
        super().__init__(
            f"Project {project} has no task up to {after}, so there is nothing that newer ones could be compared with. "
            "Give --after with the newest task of the old part."
        )


class NothingNew(SeedqueueError):
    status = 409

    def __init__(self, project: int, after: int) -> None:
        super().__init__(
            f"Project {project} has no task after {after}: import the new images first, or give --after with the "
            "newest task of the old part."
        )


class NobodyEmbeds(SeedqueueError):
    """Images wait for their embedding and no worker is there."""

    status = 503

    def __init__(self, missing: int) -> None:
        super().__init__(
            f"{missing} images are not embedded yet and no worker runs. Start `seedqueue serve` or `seedqueue worker`."
        )


class EmbeddingStalled(SeedqueueError):
    """Workers were asked again and again, and images are neither embedded nor known to be unreadable."""

    status = 503

    def __init__(self, missing: int, first: int) -> None:
        super().__init__(
            f"{missing} images are neither embedded nor said to be unreadable, task {first} first: the workers' log "
            "says why. Mend it and run the same command again."
        )
