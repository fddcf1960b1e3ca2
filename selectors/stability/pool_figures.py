"""What a report says of the pool: near duplicates, outliers, its picture, and what other choices would give."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Group:
    """Near duplicates of one another. size: images; names: the first of them; in_queue: how many are chosen."""

    size: int
    names: tuple[str, ...]
    in_queue: int


@dataclass(frozen=True)
class AtCosine:
    """images: those whose nearest neighbour's cosine is at least this."""

    cosine: float
    images: int


@dataclass(frozen=True)
class NearDuplicates:
    """pairs_in_queue: of chosen images that are near duplicates of one another. elsewhere: at other thresholds."""

    threshold: float
    groups: int
    images: int
    pairs_in_queue: int
    largest: tuple[Group, ...]
    elsewhere: tuple[AtCosine, ...]
    meaning: str = (
        "images linked by a cosine of at least the threshold on unit vectors, directly or through others; beyond "
        "10,000 images sought among the 10 nearest on 64 principal components, and verified on all columns"
    )


@dataclass(frozen=True)
class Outlier:
    """distance: to the 10th nearest neighbour. rank: in the queue, 0 outside."""

    row: int
    name: str
    distance: float
    rank: int


@dataclass(frozen=True)
class Outliers:
    """farthest: those that lie farthest out, and all of the queue's."""

    count: int
    in_queue: int
    fence: float
    farthest: tuple[Outlier, ...]
    meaning: str = (
        "images whose distance to their 10th nearest neighbour on unit vectors exceeds the fence: the third quartile "
        "and three times the distance between the quartiles"
    )


@dataclass(frozen=True)
class MapPoint:
    """x and y from 0 to 1. rank: in the queue, 0 outside."""

    row: int
    x: float
    y: float
    rank: int
    labelled: bool


@dataclass(frozen=True)
class Map:
    """method: t-SNE or PCA."""

    method: str
    images: int
    points: tuple[MapPoint, ...]
    meaning: str = "a flat picture of the pool: who is near whom; its distances and its empty places mean little"


@dataclass(frozen=True)
class AtBudget:
    budget: int
    ours: float
    random: float


@dataclass(frozen=True)
class AtComponents:
    """components: None for all columns."""

    components: int | None
    mean: float


@dataclass(frozen=True)
class AtClusters:
    """silhouette: -1 to 1, None where there is but one cluster. unexplained: the share of variance within clusters."""

    clusters: int
    silhouette: float | None
    unexplained: float


@dataclass(frozen=True)
class Sensitivity:
    budgets: tuple[AtBudget, ...]
    components: tuple[AtComponents, ...]
    clusters: tuple[AtClusters, ...]
    meaning: str = (
        "budgets: mean coverage by the selector and by random queues of that size; components: mean coverage, always "
        "on all columns, of the queue chosen on so many principal components; clusters: K-means on unit vectors for "
        "other numbers of clusters. A high silhouette says that groups are apart, not that their labels differ, and "
        "no number here says which budget trains a good model"
    )
