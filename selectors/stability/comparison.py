"""The coverage of the pool, beside random queues and the other selectors that could have chosen."""

from collections.abc import Sequence
from dataclasses import dataclass

from seedqueue.selectors import registry
from seedqueue.selectors.selection import Rows
from seedqueue.selectors.stability.figures import Coverage, Covered, Spread
from seedqueue.selectors.stability.ground import Ground, spread_of
from seedqueue.selectors.stability.repeats import Repeats
from seedqueue.selectors.stability.standing import Standing, standing


def rivals_of(ground: Ground, selector: str) -> tuple[str, ...]:
    """The other offered selectors of a first round that lack nothing here; `uniform` is the yardstick, no rival."""
    return tuple(
        entry.name
        for entry in registry.entries()
        if entry.offered
        and entry.first_round
        and set(entry.needs) <= ground.signals.known()
        and entry.name not in (selector, "uniform")
    )


def coverage(
    ground: Ground, measured: Rows, selector: str, queue: Rows, seed: int, randoms: int, again: tuple[Ground, Repeats]
) -> Coverage:
    """The queue's coverage beside that of `randoms` random queues and of the rivals' choices from the same pool.

    measured: the unlabelled rows whose coverage is averaged. again: the part of the pool that the repeats ran on.
    """
    of, budget = ground.unit(measured), len(queue)
    drawn = [ground.coverage(ground.choose("uniform", budget, seed + at).rows, of) for at in range(1, randoms + 1)]
    rivals = rivals_of(ground, selector)
    unseen = of_unseen(*again, rivals)

    def covered(name: str, rows: Rows, unseen: Spread | None) -> Covered:
        mean, gap = ground.coverage(rows, of)
        beaten = sum(mean > each for each, _ in drawn)
        return Covered(name, registry.get(name).title, mean, gap, beaten, unseen)

    others = [covered(name, ground.choose(name, budget, seed).rows, unseen.rivals.get(name)) for name in rivals]
    return Coverage(
        ours=covered(selector, queue, unseen.ours),
        random=spread_of([mean for mean, _ in drawn]),
        random_gap=spread_of([gap for _, gap in drawn]),
        unseen_random=unseen.random,
        others=tuple(sorted(others, key=lambda each: (-(each.unseen or each).mean, each.selector))),
        standing=_standing(unseen),
    )


@dataclass(frozen=True)
class Unseen:
    """Over the bootstraps, the mean coverage of the rows that each left out; None without any such row."""

    ours: Spread | None
    random: Spread | None
    rivals: dict[str, Spread]


def of_unseen(part: Ground, repeats: Repeats, rivals: Sequence[str]) -> Unseen:
    """Cover each bootstrap's unseen rows by our choice from it, by a random one, and by each rival's.

    A choice covers the rows that it was made on better than others of their kind: greedy ones
    maximise that very number and lead in it on pure noise. On unseen rows this advantage is gone.
    """
    ours: list[float] = []
    random: list[float] = []
    theirs: dict[str, list[float]] = {name: [] for name in rivals}
    for sample in (each for each in repeats.bootstraps if len(each.unseen) and len(each.queue)):
        of, pool = part.unit(sample.unseen), part.narrowed(sample.rows)
        ours.append(part.coverage(sample.queue, of)[0])
        random.append(part.coverage(sample.random, of)[0])
        for name in rivals:
            chosen = pool.choose(name, len(sample.queue), sample.seed).rows
            theirs[name].append(part.coverage(sample.rows[chosen], of)[0])
    if not ours:
        return Unseen(None, None, {})
    return Unseen(spread_of(ours), spread_of(random), {name: spread_of(found) for name, found in theirs.items()})


def _standing(unseen: Unseen) -> Standing:
    """On unseen rows; a lead counts beyond the range of ours or of the random queues over the bootstraps."""
    if unseen.ours is None or unseen.random is None:
        return standing(0.0, {}, 0.0)
    widest = max(each.most - each.least for each in (unseen.ours, unseen.random))
    return standing(unseen.ours.mean, {name: found.mean for name, found in unseen.rivals.items()}, widest)
