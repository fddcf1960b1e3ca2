"""One selection from beginning to end: check, order, represent, ask the selector, fill up, check again."""

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from seedqueue.selectors import registry
from seedqueue.selectors.allowance import Allowance, Rules
from seedqueue.selectors.checks import check_promise, checked_budget, checked_labelled
from seedqueue.selectors.errors import BudgetExceedsGroups, MissingSignal
from seedqueue.selectors.greedy import greedy_cover
from seedqueue.selectors.pool import Pool
from seedqueue.selectors.representation import (
    Representation,
    components_for,
    fit_scaler,
    represent,
)
from seedqueue.selectors.selection import Rows, Selection
from seedqueue.selectors.signals import MEANING, Signals
from seedqueue.selectors.source import Matrix, Reordered, Source, check_finite
from seedqueue.selectors.weights import standing_for_nearest


def select(
    name: str,
    embeddings: npt.ArrayLike | Source,
    budget: int,
    *,
    labelled: npt.ArrayLike = (),
    seed: int = 0,
    keys: npt.ArrayLike | None = None,
    rules: Rules | None = None,
    signals: Signals | None = None,
    representation: Representation | None = None,
    components: int | None = None,
) -> Selection:
    """Choose `budget` rows with the selector `name`.

    embeddings: (n, d), finite, a matrix or a Source; taken as float32 and never written to.
    labelled: rows that have an annotation already, in any order; they are covered ground and never
    chosen. Extending a queue is selecting with the queue's rows among the labelled, and appending.
    keys: (n,), the content hash of each row: the rows are sorted by them first, so that the chosen
    images do not depend on the order of the pool; None: they are sorted already.
    rules: groups and near duplicates. signals: what else is known of the rows.
    representation, components: others than the selector's own; see `representation`.

    Returns exactly `budget` distinct, unlabelled rows.

    Raises UnknownSelector, InvalidBudget, BudgetExceedsPool, BudgetExceedsGroups, InvalidEmbeddings,
    InvalidLabelledRows, InvalidRules, InvalidSignal, MissingSignal; BrokenSelector when the selector
    breaks its promise.
    """
    entry = registry.get(name)
    source = embeddings if isinstance(embeddings, Source) else Matrix(embeddings)
    rules, signals = rules or Rules(), signals or Signals()
    n = source.shape[0]
    covered = checked_labelled(labelled, n)
    rules.check(n)
    _check_signals(entry, signals, n)
    count = _checked_count(budget, rules, covered, n)
    # One thread: sums over threads round differently, and the queue must not depend on the
    # machine's core count. It is also the faster choice on shared cores.
    with threadpool_limits(limits=1):
        order = np.arange(n) if keys is None else np.argsort(np.asarray(keys), kind="stable")
        check_finite(source)
        if np.any(order[1:] < order[:-1]):
            source, rules, signals = Reordered(source, order), rules.at(order), signals.at(order)
            covered = np.flatnonzero(np.isin(order, covered))
        scaler = fit_scaler(source)
        shown = entry.representation if representation is None else representation
        matrix = represent(source, scaler, shown, components_for(source.shape, components))
        matrix.flags.writeable = False
        allowance = Allowance(n, covered, rules, lambda rows: scaler.apply(source.take(rows), "unit"))
        pool = Pool(matrix, covered, allowance, signals)
        selection = _filled_up(pool, entry.function(pool, count, seed=seed), count, seed)
    check_promise(name, selection, count, covered, n, rules)
    return Selection(rows=order[selection.rows], cluster=selection.cluster, weight=selection.weight)


def _filled_up(pool: Pool, selection: Selection, count: int, seed: int) -> Selection:
    """What is missing, by coverage; near duplicates only when nothing else is left."""
    missing = count - len(selection)
    if missing == 0:
        return selection
    rows = selection.rows
    for lift in (False, True):
        if lift:
            pool.allowance.lift_near_duplicates()
        more = greedy_cover(
            pool.embeddings,
            np.flatnonzero(pool.allowance.open),
            count - len(rows),
            covered=np.concatenate([pool.labelled, rows]),
            take=pool.allowance.take,
            seed=seed,
        )
        rows = np.concatenate([rows, more])
    return standing_for_nearest(pool, rows)


def _check_signals(entry: registry.SelectorEntry, signals: Signals, n: int) -> None:
    for signal in entry.needs:
        if signal not in signals.known():
            raise MissingSignal(entry.name, signal, MEANING[signal])
    signals.check(n)


def _checked_count(budget: int, rules: Rules, covered: Rows, n: int) -> int:
    count = checked_budget(budget, available=n - len(covered))
    available = rules.available(covered, n)
    if count > available:
        raise BudgetExceedsGroups(count, available, rules.per_group)
    return count
