"""What a report says of the queue: what was asked, what was chosen, how it covers the pool, how much of it comes back.

Each part carries in `meaning` what its numbers are. None of them says how well a model will do.
"""

from dataclasses import dataclass

from seedqueue.selectors.stability.standing import Standing


@dataclass(frozen=True)
class Spread:
    """Repeats in four numbers. deviation: the standard deviation, with n - 1; 0 for one repeat."""

    repeats: int
    mean: float
    deviation: float
    least: float
    most: float


@dataclass(frozen=True)
class PoolFacts:
    """images, labelled: rows. dimension: of an embedding. part: rows that repeats ran on, all but in large pools.

    approximate: whether near duplicates and outliers were sought among principal components.
    """

    images: int
    labelled: int
    dimension: int
    part: int
    approximate: bool

    @property
    def whole(self) -> bool:
        """Whether every figure is of the whole pool."""
        return self.part == self.images


@dataclass(frozen=True)
class Choice:
    """What was asked for. components: the principal components that distances were taken on; None: all columns."""

    selector: str
    title: str
    representation: str
    budget: int
    random_seed: int
    components: int | None
    per_group: int | None
    near_duplicate_rule: float | None


@dataclass(frozen=True)
class Chosen:
    """One image of the queue. rank: from 1; row: in the embeddings as they were given."""

    rank: int
    row: int
    name: str
    cluster: int
    stands_for: int
    outlier: bool


@dataclass(frozen=True)
class ClusterSizes:
    """How many images each of the queue stands for. share: of the unlabelled pool, all of them together."""

    least: int
    median: float
    most: int
    share: float
    meaning: str = "unlabelled images that each image of the queue stands for, itself included"


@dataclass(frozen=True)
class Covered:
    """Coverage by one queue. beaten: of the random queues, how many cover less on average.

    unseen: by the same selector's choices from bootstraps, of the rows that these left out.
    """

    selector: str
    title: str
    mean: float
    largest_gap: float
    beaten: int
    unseen: Spread | None


@dataclass(frozen=True)
class Coverage:
    """How near the pool is to the queue, beside random queues and the other selectors, the best first."""

    ours: Covered
    random: Spread
    random_gap: Spread
    unseen_random: Spread | None
    others: tuple[Covered, ...]
    standing: Standing
    meaning: str = (
        "mean: cosine of each unlabelled image to the nearest chosen or labelled one, on unit vectors of all columns, "
        "averaged; largest_gap: the greatest Euclidean distance to it, 0 to 2; random: queues of the same budget "
        "drawn uniformly under the same rules; unseen: the same mean over the images that a bootstrap of the pool "
        "left out, by the queue chosen from the bootstrap (null without such images). facility-location maximises "
        "the mean itself, maxherding and repdiv nearly so, and lead in it even on noise: compare selectors by unseen"
    )


@dataclass(frozen=True)
class Agreement:
    """How much of the queue comes back; shares from 0 to 1."""

    again: Spread
    near: Spread
    jaccard: Spread


@dataclass(frozen=True)
class Stability:
    """The queue against the queues of other random seeds, of bootstraps of the pool, and random ones."""

    radius: float
    random_seeds: Agreement
    bootstraps: Agreement
    chance: Agreement
    meaning: str = (
        "again: of the queue's images that were there to be chosen, the share that was chosen again; near: the share "
        "of the queue that has an image of the other queue within the radius, which is the pool's median distance "
        "to the nearest neighbour; jaccard: common images over all images of both, where a bootstrap lacks "
        "some 37 % of the queue and so cannot reach more than some 0.46; chance: the queue against random ones"
    )
