"""Everything that a report is written from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from seedqueue.experiments.cells import Cell, EmbeddingCost, Place, PoolFacts
from seedqueue.experiments.convergence import Convergence
from seedqueue.experiments.grid import Grid


@dataclass(frozen=True)
class Study:
    """ran: the line of date and versions. command: that which makes the report anew, empty where it is not known.

    missing: units that could not be measured; first_failure: why the first of them.
    """

    grid: Grid
    cells: Sequence[Cell]
    facts: Sequence[PoolFacts]
    costs: Sequence[EmbeddingCost] = ()
    places: Sequence[Place] = ()
    convergence: Sequence[Convergence] = ()
    ran: str = ""
    command: str = ""
    missing: int = 0
    first_failure: str = ""
