"""Which seed queue saves most labels: the tables of docs/experiments/11-default.md.

    python tests/proofs/default_selector.py --keep folder      # a quarter of an hour on one core

Everything that was tried against random queues, by one protocol with 20 splits, and the
choice leave-one-pool-out. Embeddings and finished candidates are kept in the folder, so that a stopped proof goes on
where it was. Data: SEEDQUEUE_TEST_DATA.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from default_candidates import CANDIDATES, Candidate, registered
from default_pools import BUDGETS, EMBEDDER, HELD_OUT, OTHER_TARGETS, POOLS, Labelled, Rows, Split, labelled
from numpy.typing import NDArray

SPLITS, DRAWS = 20, 12
OURS, PEER = "density-coverage", "facility-location"

# Of random queues, for the label saving.
LENGTHS = (10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 125, 150, 200)

# By budget and target: (splits, budgets, targets).
Measured = NDArray[np.float64]
Queues = Callable[[Split], Sequence[Sequence[Rows]]]


@dataclass(frozen=True)
class Estimate:
    """A mean over splits and its standard error by Nadeau & Bengio, which allows for splits that overlap."""

    mean: float
    error: float

    @classmethod
    def of(cls, by_split: NDArray[np.float64]) -> Estimate:
        share = HELD_OUT / (1 - HELD_OUT)
        return cls(float(by_split.mean()), float(np.sqrt((1 / len(by_split) + share) * by_split.var(ddof=1))))

    @property
    def lower(self) -> float:
        """Of the 95 % interval."""
        return self.mean - 1.96 * self.error

    def __str__(self) -> str:
        return f"{self.mean:+.3f} ± {self.error:.3f}"


@dataclass(frozen=True, eq=False)
class Standing:
    """What one candidate gained over random queues: the mean over budgets, (splits, targets) for each pool."""

    name: str
    gains: list[NDArray[np.float64]]

    @property
    def targets(self) -> list[Estimate]:
        return [Estimate.of(column) for pool in self.gains for column in pool.T]

    @property
    def pools(self) -> list[Estimate]:
        """Several targets of one pool are one pool."""
        return [Estimate.of(pool.mean(axis=1)) for pool in self.gains]

    def mean(self, without: int | None = None) -> float:
        return float(np.mean([pool.mean for at, pool in enumerate(self.pools) if at != without]))

    def less(self, other: Standing) -> list[Estimate]:
        """The paired difference, by pool."""
        pairs = zip(self.gains, other.gains, strict=True)
        return [Estimate.of((one - two).mean(axis=1)) for one, two in pairs]


class Bench:
    """Pools, their splits, and what was measured on them; finished measurements are files of the folder `keep`."""

    def __init__(self, pools: Sequence[Labelled], splits: int, keep: Path) -> None:
        self.pools = pools
        self._splits = [list(pool.splits(splits)) for pool in pools]
        self._keep = keep / f"{splits} splits"
        self._keep.mkdir(parents=True, exist_ok=True)

    def measured(self, name: str, queues: Queues) -> list[Measured]:
        """For each pool the mean AUPRC over several lists of queues, one queue for each budget."""
        file = self._keep / (re.sub(r"[^\w.%-]+", "_", name) + ".npz")
        if not file.exists():
            print(name, file=sys.stderr)
            np.savez(file, *(self._on(splits, queues) for splits in self._splits))
        with np.load(file) as kept:
            return [kept[each] for each in kept.files]

    @staticmethod
    def _on(splits: Sequence[Split], queues: Queues) -> Measured:
        return np.array([np.mean([[s.auprc(rows) for rows in each] for each in queues(s)], axis=0) for s in splits])

    def random(self, budgets: Sequence[int] = BUDGETS) -> list[Measured]:
        return self.measured(f"random to {max(budgets)}", lambda split: drawn(split, budgets))

    def of(self, candidate: Candidate) -> list[Measured]:
        return self.measured(candidate.name, lambda split: [candidate.queues(split, BUDGETS)])

    def standing(self, candidate: Candidate) -> Standing:
        pairs = zip(self.of(candidate), self.random(), strict=True)
        return Standing(candidate.name, [(ours - random).mean(axis=1) for ours, random in pairs])


def drawn(split: Split, budgets: Sequence[int]) -> list[list[Rows]]:
    """The same draws for every budget."""
    orders = [np.random.default_rng((split.number, draw)).permutation(len(split)) for draw in range(DRAWS)]
    return [[order[:budget] for budget in budgets] for order in orders]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", type=Path, help="folder of embeddings and finished measurements")
    parser.add_argument("--splits", type=int, default=SPLITS)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sq-") as place:
        keep = given.keep or Path(place)
        keep.mkdir(parents=True, exist_ok=True)
        pools = [labelled(source, keep) for source in POOLS]
        bench = Bench(pools, given.splits, keep)
        found = sorted((bench.standing(candidate) for candidate in CANDIDATES), key=lambda each: -each.mean())
        print(by_pool(found), by_target(found, bench), left_out(found), against_peer(found), saving(bench), sep="\n\n")
        best = next(candidate for candidate in CANDIDATES if candidate.name == found[0].name)
        arms = [registered(PEER, greedy=True), registered(OURS, greedy=True), best]
        print("\n" + afterwards(arms, pools, given.splits, keep), flush=True)


def by_pool(found: Sequence[Standing]) -> str:
    peer = next(each for each in found if each.name == PEER)
    lines = [table_head("tried", *(source.name for source in POOLS), "mean", "worst lower bound", "mean less " + PEER)]
    for each in found:
        bound = min(pool.lower for pool in each.pools)
        cells = [*map(str, each.pools), f"{each.mean():+.3f}", f"{bound:+.3f}", f"{each.mean() - peer.mean():+.3f}"]
        lines.append(row(each.name, *cells))
    return "\n".join(lines)


def by_target(found: Sequence[Standing], bench: Bench) -> str:
    targets = [f"{pool.source.name} {text.split('=')[1]}" for pool in bench.pools for text in pool.source.targets]
    random = [f"{value:.3f}" for pool in bench.random() for value in pool.mean(axis=(0, 1))]
    shares = [f"{value:.1%}" for pool in bench.pools for value in pool.positive.mean(axis=1)]
    lines = [table_head("tried", *targets), row("prevalence", *shares), row("random: AUPRC", *random)]
    return "\n".join([*lines, *(row(each.name, *map(str, each.targets)) for each in found)])


def left_out(found: Sequence[Standing]) -> str:
    """For each pool what is best on the others, and what it gains on this one."""
    peer = next(each for each in found if each.name == PEER)
    lines = [table_head("left out", "best on the others", "gain there", "gain here", "lower bound", f"less {PEER}")]
    for at, source in enumerate(POOLS):
        best = max(found, key=lambda each: each.mean(without=at))
        here = best.pools[at]
        cells = [f"{best.mean(without=at):+.3f}", str(here), f"{here.lower:+.3f}", str(best.less(peer)[at])]
        lines.append(row(source.name, best.name, *cells))
    return "\n".join(lines)


def saving(bench: Bench, budget: int = 40) -> str:
    """How many random labels reach what each selector reaches with 40."""
    at, lines = BUDGETS.index(budget), [table_head("target", PEER, OURS)]
    random = bench.random(LENGTHS)
    reached = {name: bench.of(registered(name, greedy=True)) for name in (PEER, OURS)}
    for pool, source in enumerate(POOLS):
        for target, text in enumerate(source.targets):
            by_length = random[pool][:, :, target]
            cells = []
            for name in (PEER, OURS):
                gain = Estimate.of(reached[name][pool][:, at, target] - by_length[:, LENGTHS.index(budget)])
                cells.append(as_many(by_length.mean(axis=0), gain, budget))
            lines.append(row(f"{source.name} {text.split('=')[1]}", *cells))
    return "\n".join(lines)


def as_many(curve: NDArray[np.float64], gain: Estimate, budget: int) -> str:
    """The length at which the random queues' curve, made monotone, has risen by the gain, with its 95 % interval."""
    rising = np.maximum.accumulate(curve)
    level = curve[LENGTHS.index(budget)]

    def length(reached: float) -> str:
        if reached > rising[-1]:
            return f"> {LENGTHS[-1]}"
        if reached < rising[0]:
            return f"< {LENGTHS[0]}"
        return f"{np.interp(reached, rising, LENGTHS):.0f}"

    ends = length(level + gain.mean - 1.96 * gain.error), length(level + gain.mean + 1.96 * gain.error)
    return f"{length(level + gain.mean)} ({ends[0]} to {ends[1]})"


def against_peer(found: Sequence[Standing]) -> str:
    """The best over all pools, and the one that was registered: the paired difference, pools being independent."""
    peer = next(each for each in found if each.name == PEER)
    lines = [table_head(f"less {PEER}", *(source.name for source in POOLS), "mean of the pools")]
    for each in (found[0], next(each for each in found if each.name == OURS)):
        pools = each.less(peer)
        errors = np.array([pool.error for pool in pools])
        mean = Estimate(
            float(np.mean([pool.mean for pool in pools])), float(np.sqrt(np.square(errors).sum())) / len(pools)
        )
        lines.append(row(each.name, *map(str, (*pools, mean))))
    return "\n".join(lines)


def afterwards(arms: Sequence[Candidate], pools: Sequence[Labelled], splits: int, keep: Path) -> str:
    """Arms, their peer first, on targets and on an embedder that had no part in the choice: paired differences."""
    peer, *others = arms
    lines = [table_head("embedder", "pool", "targets", peer.name, *(f"{arm.name}, less that" for arm in others))]
    for view in (EMBEDDER, "hog"):
        for pool in pools:
            targets = OTHER_TARGETS[pool.source.name] if view == EMBEDDER else pool.source.targets
            bench = Bench([pool.seen(view, targets)], splits, keep / f"{view} {pool.source.name}".replace(":", " "))
            base = bench.standing(peer)
            differences = [bench.standing(arm).less(base)[0] for arm in others]
            names = ", ".join(text.split("=")[1] for text in targets)
            lines.append(row(view, pool.source.name, names, *map(str, (base.pools[0], *differences))))
    return "\n".join(lines)


def table_head(first: str, *columns: str) -> str:
    return "\n".join([row(first, *columns), row("---", *["---:"] * len(columns))])


def row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
