"""The pool that a report is about: checked, in its order, with what every part of the report asks of it."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from seedqueue.selectors.allowance import Rules
from seedqueue.selectors.checks import checked_labelled
from seedqueue.selectors.choosing import select
from seedqueue.selectors.coverage import covered_by, gap_to
from seedqueue.selectors.representation import (
    Scaler,
    components_for,
    fit_scaler,
    represent,
)
from seedqueue.selectors.selection import Embeddings, Rows, Selection
from seedqueue.selectors.signals import Signals
from seedqueue.selectors.source import Matrix, Reordered, Source, check_finite
from seedqueue.selectors.stability.figures import Spread

# Beyond so many unlabelled rows, what is repeated runs on as many of them, drawn at random.
PART_ROWS = 5_000

# The part has at least so many rows for each one chosen.
_ROWS_PER_CHOSEN = 4


@dataclass(frozen=True, eq=False)
class Ground:
    """A pool in key order. scaler: of the whole pool, so that coverage means the same in every part of it."""

    source: Source
    labelled: Rows
    rules: Rules
    signals: Signals
    scaler: Scaler

    def __len__(self) -> int:
        return self.source.shape[0]

    @property
    def unlabelled(self) -> Rows:
        return np.setdiff1d(np.arange(len(self)), self.labelled, assume_unique=True)

    @property
    def available(self) -> int:
        """How many rows may be chosen together."""
        return self.rules.available(self.labelled, len(self))

    def unit(self, rows: Rows) -> Embeddings:
        """These rows as unit vectors, all of their columns: float32 (m, d)."""
        return self.scaler.apply(self.source.take(rows), "unit")

    @property
    def components(self) -> int | None:
        """The principal components that distances are taken on by default; None: all columns, up to 10,000 rows."""
        return components_for(self.source.shape, None)

    def represented(self) -> Embeddings:
        """All rows as unit vectors, on `components`: float32 (n, components)."""
        return represent(self.source, self.scaler, "unit", self.components)

    def choose(self, selector: str, budget: int, seed: int, components: int | None = None) -> Selection:
        """What `select` gives for this pool."""
        return select(
            selector,
            self.source,
            budget,
            labelled=self.labelled,
            seed=seed,
            rules=self.rules,
            signals=self.signals,
            components=components,
        )

    def narrowed(self, rows: Rows) -> "Ground":
        """The same pool with these rows alone (ascending), held in memory."""
        return replace(
            self,
            source=Matrix(self.source.take(rows)),
            labelled=np.flatnonzero(np.isin(rows, self.labelled)).astype(np.int64),
            rules=self.rules.at(rows),
            signals=self.signals.at(rows),
        )

    def part(self, budget: int, rng: np.random.Generator) -> Rows:
        """The rows that repeats run on, ascending: the labelled, and PART_ROWS of the others or all.

        A budget of more than a quarter of that makes it four times the budget.
        """
        free = self.unlabelled
        wanted = max(PART_ROWS, _ROWS_PER_CHOSEN * budget)
        drawn = free if len(free) <= wanted else rng.choice(free, wanted, replace=False)
        return np.sort(np.concatenate([self.labelled, drawn]))

    def coverage(self, rows: Rows, of: Embeddings) -> tuple[float, float]:
        """Mean cosine and greatest Euclidean distance of unit vectors (m, d) to the nearest chosen or labelled row."""
        points = self.unit(np.concatenate([self.labelled, rows]))
        if not len(of) or not len(points):
            return 0.0, 0.0
        mean = covered_by(of, points).mean(dtype=np.float64)
        return float(np.clip(mean, -1, 1)), float(np.sqrt(gap_to(of, points).max()))


def ground_of(
    embeddings: npt.ArrayLike | Source, labelled: npt.ArrayLike, rules: Rules, signals: Signals, order: Rows
) -> Ground:
    """Check the pool and put it in order.

    Raises InvalidEmbeddings, InvalidLabelledRows, InvalidRules, InvalidSignal.
    """
    source = embeddings if isinstance(embeddings, Source) else Matrix(embeddings)
    n = source.shape[0]
    covered = checked_labelled(labelled, n)
    rules.check(n)
    signals.check(n)
    check_finite(source)
    if np.any(order[1:] < order[:-1]):
        source, rules, signals = Reordered(source, order), rules.at(order), signals.at(order)
        covered = np.flatnonzero(np.isin(order, covered)).astype(np.int64)
    return Ground(source, covered, rules, signals, fit_scaler(source))


def spread_of(values: npt.ArrayLike) -> Spread:
    """Repeats in four numbers; at least one."""
    given = np.asarray(values, dtype=np.float64)
    deviation = float(given.std(ddof=1)) if len(given) > 1 else 0.0
    return Spread(len(given), float(given.mean()), deviation, float(given.min()), float(given.max()))
