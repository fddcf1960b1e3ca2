"""How a network is trained, and what a training tells."""

from dataclasses import dataclass, field
from typing import Literal

from seedqueue.models.heads.augmentation import Augmentation

Task = Literal["single", "multi", "masks"]


@dataclass(frozen=True)
class TrainingSpec:
    """One training.

    epochs: passes over the training set. batch: images a step, about. schedule: "cosine" lets the rate rise
    to `rate` and fall to nothing over the fixed epochs; "halving" halves it after `patience` epochs
    without a better validation score. stop_after: epochs without a better one, in a row, after
    which training ends, 0 for never. dice: the share of the Dice loss for masks. seed: of all that is random.
    """

    task: Task
    epochs: int = 40
    batch: int = 8
    optimiser: Literal["adamw", "sgd"] = "adamw"
    rate: float = 1e-3
    schedule: Literal["cosine", "halving"] = "cosine"
    weight_decay: float = 1e-2
    patience: int = 10
    stop_after: int = 0
    dice: float = 0.5
    augmentation: Augmentation = field(default_factory=Augmentation)
    seed: int = 0

    @property
    def keeps_best(self) -> bool:
        """Whether the weights of the best validation score are the result, rather than the last ones."""
        return self.schedule == "halving"


def honest(task: Task, *, epochs: int | None = None, seed: int = 0) -> TrainingSpec:
    """Fixed epochs, nothing beside the budget's labels: no validation set chooses anything.

    For masks, smaller batches gave better ones on chest radiographs: more steps of the same images.
    """
    if task == "masks":
        return TrainingSpec(task, epochs=epochs or 60, batch=4, rate=1e-3, seed=seed)
    return TrainingSpec(task, epochs=epochs or 40, batch=8, rate=1e-4, seed=seed)


def paper(task: Task, *, epochs: int = 100, seed: int = 0) -> TrainingSpec:
    """The published recipe (Yuan & Hong, arXiv 2402.02561): it needs a fully labelled validation set."""
    return TrainingSpec(
        task,
        epochs=epochs,
        optimiser="sgd",
        rate=1e-3,
        schedule="halving",
        weight_decay=0.0,
        stop_after=20,
        seed=seed,
    )


@dataclass(frozen=True)
class Progress:
    """After an epoch, counted from 1. loss: its mean. score: of the validation set. seconds: since the start."""

    epoch: int
    epochs: int
    loss: float
    score: float | None
    seconds: float
    seconds_left: float


@dataclass(frozen=True)
class Trained:
    """A training that has ended; the network holds the result.

    epochs: those trained, earlier runs included. best: the epoch whose weights are kept. resumed: the epochs
    that a checkpoint already held. stopped: whether `stop` ended it, the network then being half-trained.
    arithmetic: "float32", "bfloat16" or "float16".
    """

    epochs: int
    best: int
    losses: tuple[float, ...]
    scores: tuple[float, ...]
    resumed: int
    stopped: bool
    arithmetic: str
