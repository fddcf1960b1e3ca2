"""The stability report of a choice, before anyone labels: how well it covers the pool, and how much of it is chance.

Coverage is what can be shown before labelling; that it predicts a better model is not established.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from seedqueue.selectors import registry
from seedqueue.selectors.allowance import Rules
from seedqueue.selectors.errors import InvalidRules
from seedqueue.selectors.selection import Rows, Selection
from seedqueue.selectors.signals import Signals
from seedqueue.selectors.source import Source
from seedqueue.selectors.stability.comparison import coverage
from seedqueue.selectors.stability.figures import Choice, Chosen, ClusterSizes, PoolFacts
from seedqueue.selectors.stability.ground import Ground, ground_of
from seedqueue.selectors.stability.landscape import landscape
from seedqueue.selectors.stability.neighbours import near_duplicates, nearest_neighbours, outliers
from seedqueue.selectors.stability.pool_figures import Map
from seedqueue.selectors.stability.repeats import repeat, stability
from seedqueue.selectors.stability.report import Report
from seedqueue.selectors.stability.sensitivity import sensitivity

NEAR_DUPLICATE = 0.98
REPEATS, RANDOM_QUEUES = 10, 20

STEPS = 6
Step = Callable[[int, int], None]


def stability_report(
    embeddings: npt.ArrayLike | Source,
    names: Sequence[str],
    selector: str,
    budget: int,
    seed: int,
    *,
    labelled: npt.ArrayLike = (),
    rules: Rules | None = None,
    signals: Signals | None = None,
    keys: npt.ArrayLike | None = None,
    near_duplicate: float = NEAR_DUPLICATE,
    repeats: int = REPEATS,
    progress: Step = lambda done, total: None,
) -> Report:
    """Choose as `select` does with the same arguments, and look at the choice from all sides.

    names: (n,), how each row is told to a person. near_duplicate: the cosine of near duplicates in
    the report, whatever the rules forbid. repeats: random seeds, and bootstraps, that are tried.
    progress: called with the steps done and of all.

    The same arguments give the same report. Beyond 5,000 unlabelled rows what is repeated runs on a
    random part of as many (`pool.part`); the queue, the rivals' and the random ones are chosen from
    the whole pool all the same, and their coverage is averaged over that part.

    Raises what `seedqueue.selectors.choosing.select` raises; ValueError unless there is a name a row.
    """
    rules, signals = rules or Rules(), signals or Signals()
    if not 0 < near_duplicate <= 1:
        raise InvalidRules(f"near duplicates from a cosine of {near_duplicate}")
    order = np.arange(len(names)) if keys is None else np.argsort(np.asarray(keys), kind="stable")
    with threadpool_limits(limits=1):
        ground = ground_of(embeddings, labelled, rules, signals, order)
        if len(names) != len(ground):
            raise ValueError(f"{len(names)} names for {len(ground)} rows")
        shown = [names[row] for row in order.tolist()]
        report = _report(ground, shown, (selector, budget, seed), near_duplicate, repeats, progress)
    return _in_given_order(report, order)


def _report(
    ground: Ground, names: Sequence[str], asked: tuple[str, int, int], near_duplicate: float, count: int, progress: Step
) -> Report:
    """The report in the rows of the ground. asked: selector, budget, random seed."""
    selector, budget, seed = asked
    rng = np.random.default_rng(seed)
    selection = ground.choose(selector, budget, seed)
    queue = selection.rows
    progress(1, STEPS)
    rows = ground.part(budget, rng)
    whole = len(rows) == len(ground)
    part = ground if whole else ground.narrowed(rows)
    found = repeat(part, selector, min(budget, part.available), seed, count, queue if whole else None)
    progress(2, STEPS)
    covered = coverage(ground, np.setdiff1d(rows, ground.labelled), selector, queue, seed, RANDOM_QUEUES, (part, found))
    progress(3, STEPS)
    represented = ground.represented()
    nearest = nearest_neighbours(represented)
    far, outlying = outliers(nearest.distance, names, queue)
    duplicates = near_duplicates(ground, nearest, near_duplicate, names, queue)
    progress(4, STEPS)
    picture = landscape(represented, queue, ground.labelled, rng)
    progress(5, STEPS)
    other = sensitivity(part, selector, found.base, len(found.base), seed)
    progress(6, STEPS)
    return Report(
        pool=PoolFacts(
            len(ground), len(ground.labelled), ground.source.shape[1], len(rows), ground.components is not None
        ),
        choice=_choice(ground, selector, budget, seed),
        queue=_queue(selection, names, outlying),
        stands_for=_sizes(selection, len(ground) - len(ground.labelled)),
        coverage=covered,
        stability=stability(part, found, nearest.radius),
        near_duplicates=duplicates,
        outliers=far,
        map=picture,
        sensitivity=other,
    )


def _choice(ground: Ground, selector: str, budget: int, seed: int) -> Choice:
    entry, rules = registry.get(selector), ground.rules
    per_group = None if rules.groups is None else rules.per_group
    near = rules.near_duplicate
    return Choice(selector, entry.title, entry.representation, budget, seed, ground.components, per_group, near)


def _queue(selection: Selection, names: Sequence[str], outlying: Rows) -> tuple[Chosen, ...]:
    far = set(outlying.tolist())
    columns = zip(selection.rows.tolist(), selection.cluster.tolist(), selection.weight.tolist(), strict=True)
    return tuple(
        Chosen(rank, row, names[row], cluster, weight, row in far)
        for rank, (row, cluster, weight) in enumerate(columns, start=1)
    )


def _sizes(selection: Selection, unlabelled: int) -> ClusterSizes:
    weight = selection.weight
    return ClusterSizes(
        int(weight.min()), float(np.median(weight)), int(weight.max()), float(weight.sum() / unlabelled)
    )


def _in_given_order(report: Report, order: Rows) -> Report:
    """The same report in the rows that were given: row i of the ground is row order[i]."""
    points = tuple(replace(each, row=int(order[each.row])) for each in report.map.points)
    farthest = tuple(replace(each, row=int(order[each.row])) for each in report.outliers.farthest)
    return replace(
        report,
        queue=tuple(replace(each, row=int(order[each.row])) for each in report.queue),
        map=Map(report.map.method, report.map.images, points),
        outliers=replace(report.outliers, farthest=farthest),
    )
