"""`seedqueue bench gains`: what a selector's queue is worth on a labelled pool, against random ones.

METHODS.md's protocol: a linear head (logistic regression, C 0.1) on embeddings standardised on the
training part, a third of the images held out by group, AUPRC, the mean over budgets, less the mean
of random queues of the same split.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedqueue.backend.bench.rows import Gain
from seedqueue.backend.errors import InvalidRequest
from seedqueue.selectors import registry
from seedqueue.selectors.choosing import select
from seedqueue.selectors.coverage import covered_by
from seedqueue.selectors.errors import BudgetExceedsPool
from seedqueue.selectors.representation import Representation, fit_scaler, represent
from seedqueue.selectors.signals import Signals
from seedqueue.selectors.source import Matrix

BUDGETS = (20, 40, 60, 80, 100)
HELD_OUT = 0.35
STEP = 20  # labels of a later round
DROPOUT, DRAWS = 0.5, 10

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Protocol:
    """Budgets whose results are averaged, splits into training and held-out part, random queues a split.

    representation, components: as of `select`, the selectors' own by default.
    """

    budgets: tuple[int, ...] = BUDGETS
    splits: int = 10
    draws: int = 12
    representation: Representation | None = None
    components: int | None = None

    def select(self, name: str, pool: Floats, budget: int, seed: int, signals: Signals, labelled: Rows) -> Rows:
        """The rows that the selector takes from a pool (n, d)."""
        return select(
            name,
            pool,
            budget,
            labelled=labelled,
            seed=seed,
            signals=signals,
            representation=self.representation,
            components=self.components,
        ).rows


@dataclass(frozen=True, eq=False)
class _Split:
    """One split: training and held-out rows as the head sees them, and the pool as a selector does."""

    pool: Floats
    unit: Floats
    train: Floats
    test: Floats
    train_positive: NDArray[np.bool_]
    test_positive: NDArray[np.bool_]
    signals: Signals

    def auprc(self, rows: Rows) -> float:
        from sklearn.metrics import average_precision_score

        head = _head(self.train[rows], self.train_positive[rows])
        score = np.zeros(len(self.test)) if head is None else head.decision_function(self.test)
        return float(average_precision_score(self.test_positive, score))

    def coverage(self, rows: Rows) -> float:
        return float(covered_by(self.unit, self.unit[rows]).mean())


def gains(
    embeddings: Floats,
    positive: NDArray[np.bool_],
    groups: Rows,
    selectors: Sequence[str],
    *,
    protocol: Protocol | None = None,
    weak_labels: NDArray[np.bool_] | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> list[Gain]:
    """One Gain for each selector, the first for random queues.

    embeddings: (n, d); positive: (n,), the target; groups: (n,), never split.

    A selector of later rounds begins with 20 of `kmeans` and goes on 20 by 20 from the head's predictions,
    under dropout of half the columns where it asks for that.

    Raises BudgetExceedsPool, and InvalidRequest where a held-out part holds no positive image.
    """
    from sklearn.model_selection import GroupShuffleSplit

    protocol = protocol or Protocol()
    parts = GroupShuffleSplit(protocol.splits, test_size=HELD_OUT, random_state=0).split(embeddings, groups=groups)
    found: dict[str, list[NDArray[np.float64]]] = {name: [] for name in ("random", *selectors)}
    share = []
    for number, (train, test) in enumerate(parts):
        say(f"split {number + 1} of {protocol.splits} ...")
        _check_split(positive, train, test, max(protocol.budgets))
        split = _split(embeddings, positive, weak_labels, train, test)
        share.append(len(test) / len(train))
        draws = [np.random.default_rng((number, draw)).permutation(len(train)) for draw in range(protocol.draws)]
        found["random"].append(np.mean([_measured(split, _beginning(draw), protocol) for draw in draws], axis=0))
        for name in selectors:
            found[name].append(_measured(split, _queues(name, split, protocol, number), protocol))
    random = np.array(found["random"])
    return [_summary(name, np.array(each), random, float(np.mean(share))) for name, each in found.items()]


def measured(asked: Sequence[str] | None, *, weak: bool) -> list[str]:
    """The selectors asked for, or all that can be measured so: a linear head has no pixels.

    weak: whether there are weak labels. Raises UnknownSelector, and InvalidRequest for one that lacks something.
    """
    known = {"probabilities", "dropout_probabilities", *(["weak_labels"] if weak else [])}
    for entry in map(registry.get, asked or ()):
        lacking = [need for need in entry.needs if need not in known]
        if lacking:
            how = "give --weak-label" if lacking == ["weak_labels"] else "a linear head has none"
            raise InvalidRequest(f"The selector {entry.name!r} needs {lacking[0]}: {how}.")
    return list(
        asked or (each.name for each in registry.entries() if set(each.needs) <= known and each.name != "uniform")
    )


def _split(
    embeddings: Floats, positive: NDArray[np.bool_], weak: NDArray[np.bool_] | None, train: Rows, test: Rows
) -> _Split:
    pool = Matrix(embeddings[train])
    scaler = fit_scaler(pool)
    return _Split(
        pool=embeddings[train],
        unit=represent(pool, scaler, "unit"),
        train=scaler.apply(embeddings[train], "standardised"),
        test=scaler.apply(embeddings[test], "standardised"),
        train_positive=positive[train],
        test_positive=positive[test],
        signals=Signals(weak_labels=None if weak is None else weak[train]),
    )


def _check_split(positive: NDArray[np.bool_], train: Rows, test: Rows, budget: int) -> None:
    if budget > len(train):
        raise BudgetExceedsPool(budget, len(train))
    if not positive[test].any():
        raise InvalidRequest(
            "A held-out part has no positive image: too few groups (patients, near duplicates) have one."
        )


def _measured(split: _Split, queue: Callable[[int], Rows], protocol: Protocol) -> NDArray[np.float64]:
    """(2,): AUPRC and coverage, the mean over budgets."""
    rows = [queue(budget) for budget in protocol.budgets]
    return np.array([np.mean([split.auprc(r) for r in rows]), np.mean([split.coverage(r) for r in rows])])


def _queues(name: str, split: _Split, protocol: Protocol, seed: int) -> Callable[[int], Rows]:
    nothing: Rows = np.empty(0, dtype=np.int64)
    if registry.get(name).first_round:
        return lambda budget: protocol.select(name, split.pool, budget, seed, split.signals, nothing)
    rows = protocol.select("kmeans", split.pool, STEP, seed, split.signals, nothing)
    while len(rows) < max(protocol.budgets):
        more = protocol.select(name, split.pool, STEP, seed, _predictions(split, rows, seed), rows)
        rows = np.concatenate([rows, more])
    return _beginning(rows)


def _beginning(rows: Rows) -> Callable[[int], Rows]:
    return lambda budget: rows[:budget]


def _predictions(split: _Split, rows: Rows, seed: int) -> Signals:
    head = _head(split.train[rows], split.train_positive[rows])
    if head is None:
        even = np.full((len(split.train), 2), 0.5)
        return Signals(probabilities=even, dropout_probabilities=np.stack([even] * DRAWS))
    rng = np.random.default_rng(seed)
    kept = [rng.random(split.train.shape[1]) >= DROPOUT for _ in range(DRAWS)]
    return Signals(
        probabilities=head.predict_proba(split.train),
        dropout_probabilities=np.stack([head.predict_proba(split.train * mask / (1 - DROPOUT)) for mask in kept]),
    )


def _head(embeddings: Floats, positive: NDArray[np.bool_]) -> Any:
    """The fitted linear head; None where the labels are all of one kind."""
    from sklearn.linear_model import LogisticRegression

    if positive.all() or not positive.any():
        return None
    return LogisticRegression(C=0.1, max_iter=2000).fit(embeddings, positive)


def _summary(name: str, measured: NDArray[np.float64], random: NDArray[np.float64], share: float) -> Gain:
    """measured, random: (splits, 2)."""
    difference = measured - random
    splits = len(difference)
    variance = float(difference[:, 0].var(ddof=1)) if splits > 1 else float("nan")
    return Gain(
        selector=name,
        auprc=float(measured[:, 0].mean()),
        gain=float(difference[:, 0].mean()),
        error=float(np.sqrt((1 / splits + share) * variance)),
        coverage=float(measured[:, 1].mean()),
        coverage_gain=float(difference[:, 1].mean()),
    )
