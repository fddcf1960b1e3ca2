"""The same choice again: with other random seeds, on bootstraps of the pool, and how much of it comes back."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from seedqueue.selectors.coverage import gap_to
from seedqueue.selectors.selection import Embeddings, Rows
from seedqueue.selectors.stability.figures import Agreement, Stability
from seedqueue.selectors.stability.ground import Ground, spread_of


@dataclass(frozen=True, eq=False)
class Bootstrap:
    """A random sample with replacement, as its distinct rows (some 63 %) with all labelled ones.

    seed: the random seed of its choices. rows: ascending; queue, random: of the sample, as rows of the
    pool; unseen: unlabelled rows that it lacks.
    """

    seed: int
    rows: Rows
    queue: Rows
    random: Rows
    unseen: Rows


@dataclass(frozen=True, eq=False)
class Repeats:
    """base: the queue of the part itself. Each array holds rows of the part."""

    base: Rows
    random_seeds: tuple[Rows, ...]
    bootstraps: tuple[Bootstrap, ...]
    random: tuple[Rows, ...]


def repeat(part: Ground, selector: str, budget: int, seed: int, count: int, base: Rows | None = None) -> Repeats:
    """Choose again, `count` times each way. base: the part's queue where it is known.

    A bootstrap that may give fewer than the budget gives what it may.
    """
    rng = np.random.default_rng(seed)
    return Repeats(
        base=part.choose(selector, budget, seed).rows if base is None else base,
        random_seeds=tuple(part.choose(selector, budget, seed + at).rows for at in range(1, count + 1)),
        bootstraps=tuple(_bootstrap(part, selector, budget, seed + at, rng) for at in range(1, count + 1)),
        random=tuple(part.choose("uniform", budget, seed + at).rows for at in range(1, count + 1)),
    )


def _bootstrap(part: Ground, selector: str, budget: int, seed: int, rng: np.random.Generator) -> Bootstrap:
    free = part.unlabelled
    drawn = np.unique(rng.choice(free, len(free)))
    rows = np.sort(np.concatenate([part.labelled, drawn]))
    sample = part.narrowed(rows)
    count = min(budget, sample.available)
    queue, random = (
        rows[sample.choose(name, count, seed).rows] if count else rows[:0] for name in (selector, "uniform")
    )
    return Bootstrap(seed, rows, queue, random, np.setdiff1d(free, drawn, assume_unique=True))


def stability(part: Ground, repeats: Repeats, radius: float) -> Stability:
    """How much of the base queue comes back. radius: Euclidean, on unit vectors, for images that are as good as one."""
    everything = np.arange(len(part))
    unit = part.unit(everything)

    def agreement(others: Sequence[tuple[Rows, Rows]]) -> Agreement:
        return _agreement(unit, repeats.base, others, radius)

    return Stability(
        radius=radius,
        random_seeds=agreement([(queue, everything) for queue in repeats.random_seeds]),
        bootstraps=agreement([(each.queue, each.rows) for each in repeats.bootstraps]),
        chance=agreement([(queue, everything) for queue in repeats.random]),
    )


def _agreement(unit: Embeddings, base: Rows, others: Sequence[tuple[Rows, Rows]], radius: float) -> Agreement:
    """others: queues, each with the rows that it was chosen from."""
    # By so much float32 may miss a distance of 0 between equal rows.
    reach = radius + 1e-3
    return Agreement(
        again=spread_of([chosen_again(base, queue, rows) for queue, rows in others]),
        near=spread_of([float((gap_to(unit[base], unit[queue]) <= reach**2).mean()) for queue, _ in others]),
        jaccard=spread_of([jaccard(base, queue) for queue, _ in others]),
    )


def jaccard(one: Rows, other: Rows) -> float:
    """Common rows over all rows of both; 1 for two empty queues."""
    union = len(np.union1d(one, other))
    return len(np.intersect1d(one, other)) / union if union else 1.0


def chosen_again(base: Rows, queue: Rows, rows: Rows) -> float:
    """Of the rows of `base` that were among `rows`, the share that is in `queue`; 1 where none was."""
    there = np.intersect1d(base, rows)
    return len(np.intersect1d(there, queue)) / len(there) if len(there) else 1.0
