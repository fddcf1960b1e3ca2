"""The whole of a stability report: plain numbers, ready for JSON through `dataclasses.asdict`."""

from dataclasses import dataclass

from seedqueue.selectors.stability.figures import Choice, Chosen, ClusterSizes, Coverage, PoolFacts, Stability
from seedqueue.selectors.stability.pool_figures import Map, NearDuplicates, Outliers, Sensitivity


@dataclass(frozen=True)
class Report:
    pool: PoolFacts
    choice: Choice
    queue: tuple[Chosen, ...]
    stands_for: ClusterSizes
    coverage: Coverage
    stability: Stability
    near_duplicates: NearDuplicates
    outliers: Outliers
    map: Map
    sensitivity: Sensitivity
