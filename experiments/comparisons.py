"""Every paired comparison of a report, and which of them is the endpoint that was fixed beforehand."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Literal

import numpy as np

from seedqueue.experiments.arms import REFERENCE
from seedqueue.experiments.cells import NO_EMBEDDER, PoolFacts
from seedqueue.experiments.errors import PoolUnusable
from seedqueue.experiments.metrics import LOWER_IS_BETTER, PRIMARY
from seedqueue.experiments.series import ALL_TARGETS, Key, Order, Series, collect, together
from seedqueue.experiments.significance import CONFIDENCE, Difference, Values, area, corrected, holm
from seedqueue.experiments.study import Study

# The product's default selector, whose comparison with random is the endpoint.
DEFAULT = "kmeans"

Kind = Literal["random", "selector", "embedder"]
Answer = Literal["better", "worse", "no clear difference", "not judged"]


@dataclass(frozen=True)
class Subject:
    """Where arms are compared: a pool's target (or ALL_TARGETS), a head, the embedder that the selectors see."""

    pool: str
    target: str
    head: str
    embedder: str


@dataclass(frozen=True)
class Comparison:
    """The paired difference in the area under the budget curve: key's series less another's.

    against: REFERENCE, another selector, or the other embedder of the same selector. endpoint: fixed beforehand, not
    corrected for the number of comparisons; holm: the corrected p of all others. NaN for what no claim may rest on
    (`paper` columns, one split). judged: False where all repeats share one split: the variance is then of random seeds
    alone, so that a difference of two fixed queues always looks sure.
    """

    key: Key
    kind: Kind
    against: str
    metric: str
    budgets: tuple[int, ...]
    area: float
    other: float
    difference: Difference
    endpoint: bool = False
    holm: float = math.nan
    judged: bool = True

    @property
    def answer(self) -> Answer:
        if not self.judged:
            return "not judged"
        p = self.difference.p if self.endpoint else self.holm
        if not p < 1 - CONFIDENCE:
            return "no clear difference"
        return "better" if self.difference.mean > 0 else "worse"


class Findings:
    """A study's series and comparisons, made once. Raises `PoolUnusable` for cells of a pool without facts."""

    def __init__(self, study: Study) -> None:
        self.study = study
        self.order = Order(study.grid, study.facts)
        self.facts = {(fact.pool, fact.target): fact for fact in study.facts}
        single = collect(study.cells, self.order)
        for key in single:
            if (key.pool, key.target) not in self.facts:
                raise PoolUnusable(key.pool, f"there are cells but no facts of the target {key.target!r}")
        self._targets: dict[tuple[str, str], list[str]] = {}
        for key in single:
            known = self._targets.setdefault((key.pool, key.head), [])
            if key.target not in known:
                known.append(key.target)
        self.series = {**single, **self._pooled(single)}
        self.endpoints = self._endpoints()
        self.comparisons = self._corrected([*self._against_random(), *self._between_embedders()])
        self._random = {each.key: each for each in self.comparisons if each.kind == "random"}

    def targets(self, pool: str, head: str) -> list[str]:
        """A head's targets of a pool, without ALL_TARGETS."""
        return self._targets[pool, head]

    def places(self) -> list[tuple[str, str]]:
        """Every pool and head with cells, in order."""
        return list(self._targets)

    def subjects(self, *, published: bool = False) -> list[Subject]:
        """Every subject in order, a pool's ALL_TARGETS before its targets; `paper` heads only where asked for."""
        found = []
        for pool, head in self.places():
            if Key(pool, "", head, "", "").published and not published:
                continue
            for target in (ALL_TARGETS, *self.targets(pool, head)):
                keys = [key for key in self.series if (key.pool, key.target, key.head) == (pool, target, head)]
                embedders = list(dict.fromkeys(key.embedder for key in keys))
                if len(embedders) > 1:
                    embedders = [each for each in embedders if each != NO_EMBEDDER]
                found += [Subject(pool, target, head, embedder) for embedder in embedders]
        return found

    def arms(self, subject: Subject) -> list[Series]:
        """The subject's series but the reference, in the grid's order."""
        found = [
            one
            for key, one in self.series.items()
            if (key.pool, key.target, key.head) == (subject.pool, subject.target, subject.head)
            and key.embedder in (subject.embedder, NO_EMBEDDER)
            and key.selector != REFERENCE
        ]
        return sorted(found, key=lambda one: self.order.selector(one.key.selector))

    def reference(self, key: Key) -> Series | None:
        """Random of the same pool, target, head and embedder, or of no embedder."""
        own = self.series.get(replace(key, selector=REFERENCE))
        return own or self.series.get(replace(key, selector=REFERENCE, embedder=NO_EMBEDDER))

    def _of(self, pool: str, target: str, head: str) -> list[PoolFacts]:
        names = self.targets(pool, head) if target == ALL_TARGETS else [target]
        return [self.facts[pool, name] for name in names]

    def metric(self, key: Key) -> str:
        """The primary one."""
        fact = self._of(key.pool, key.target, key.head)[0]
        return fact.primary or PRIMARY[fact.task]

    def fixed(self, key: Key) -> bool:
        """Whether all repeats share one split, so that only random seeds differ."""
        return self.study.grid.fixed_split or any(fact.fixed_split for fact in self._of(key.pool, key.target, key.head))

    def unit(self, pool: str) -> str:
        """Of a pool's distances between masks, empty where it has none."""
        return next((fact.unit for (name, _), fact in self.facts.items() if name == pool), "")

    def overlap(self, pool: str, embedder: str) -> str:
        """What is known of an embedder's pretraining and the pool's images, empty for nothing."""
        known = {(each.pool, each.embedder): each.overlap for each in self.study.costs}
        return known.get((pool, embedder), "")

    def ratio(self, key: Key) -> float | None:
        """Test images / training images, None on a fixed split."""
        if self.fixed(key):
            return None
        facts = self._of(key.pool, key.target, key.head)
        return sum(fact.test for fact in facts) / max(sum(fact.train for fact in facts), 1)

    def gain(self, one: Series, other: Series, budget: int, metric: str) -> Difference:
        """How much better one is with so many labels: the paired difference, its sign turned for LOWER_IS_BETTER."""
        first, second = paired(one, other, [budget], metric)
        sign = -1.0 if metric in LOWER_IS_BETTER else 1.0
        return corrected(sign * (first[0] - second[0]), self.ratio(one.key))

    def areas(self, one: Series, other: Series) -> tuple[tuple[int, ...], Values, Values]:
        """The budgets that both have, and each repeat's area under both curves of the primary metric."""
        metric = self.metric(one.key)
        budgets = tuple(each for each in one.budgets if each in other.budgets)
        if not budgets:
            nothing = np.full(1, math.nan)
            return budgets, nothing, nothing
        first, second = paired(one, other, budgets, metric)
        return budgets, area(budgets, first), area(budgets, second)

    def compare(self, one: Series, other: Series, kind: Kind, against: str) -> Comparison:
        budgets, first, second = self.areas(one, other)
        both = np.isfinite(first) & np.isfinite(second)
        return Comparison(
            key=one.key,
            kind=kind,
            against=against,
            metric=self.metric(one.key),
            budgets=budgets,
            area=float(first[both].mean()) if both.any() else math.nan,
            other=float(second[both].mean()) if both.any() else math.nan,
            difference=corrected(first - second, self.ratio(one.key)),
            judged=not self.fixed(one.key),
        )

    def against_random(self, key: Key) -> Comparison | None:
        return self._random.get(key)

    def _pooled(self, single: dict[Key, Series]) -> dict[Key, Series]:
        grouped: dict[Key, list[Series]] = {}
        for key, one in single.items():
            grouped.setdefault(replace(key, target=ALL_TARGETS), []).append(one)
        found = {}
        for key, several in grouped.items():
            if 1 < len(several) == len(self.targets(key.pool, key.head)):
                fact = self.facts[key.pool, several[0].key.target]
                pooled = together(several, fact.primary or PRIMARY[fact.task])
                if pooled is not None:
                    found[key] = pooled
        return found

    def _against_random(self) -> Iterable[Comparison]:
        for key, one in self.series.items():
            reference = self.reference(key)
            if key.selector != REFERENCE and reference is not None:
                yield self.compare(one, reference, "random", REFERENCE)

    def _between_embedders(self) -> Iterable[Comparison]:
        for pool, head in self.places():
            for target in (ALL_TARGETS, *self.targets(pool, head)):
                found = self.by_embedder(pool, target, head)
                for one, other in combinations(found, 2):
                    yield self.compare(one, other, "embedder", other.key.embedder)

    def by_embedder(self, pool: str, target: str, head: str) -> list[Series]:
        """The series by which embedders are compared: DEFAULT's of each, or the first arm's where it is not there."""
        found = [
            one
            for key, one in self.series.items()
            if (key.pool, key.target, key.head) == (pool, target, head)
            and key.embedder != NO_EMBEDDER
            and key.selector != REFERENCE
        ]
        names = {one.key.selector for one in found}
        if not names:
            return []
        chosen = DEFAULT if DEFAULT in names else min(names, key=self.order.selector)
        return [one for one in found if one.key.selector == chosen]

    def _corrected(self, comparisons: Sequence[Comparison]) -> tuple[Comparison, ...]:
        """Holm's p of all but the endpoints, the `paper` columns and what is not judged."""
        marked = [replace(each, endpoint=self._is_endpoint(each)) for each in comparisons]
        family = [each for each in marked if is_secondary(each)]
        adjusted = dict(zip(map(id, family), holm([each.difference.p for each in family]), strict=True))
        return tuple(replace(each, holm=adjusted.get(id(each), math.nan)) for each in marked)

    def _endpoints(self) -> dict[str, Subject]:
        """By pool: its first head and embedder that have DEFAULT, over all its targets."""
        found: dict[str, Subject] = {}
        for subject in self.subjects():
            if subject.pool not in found and any(one.key.selector == DEFAULT for one in self.arms(subject)):
                found[subject.pool] = subject
        return found

    def _is_endpoint(self, each: Comparison) -> bool:
        key = each.key
        subject = Subject(key.pool, key.target, key.head, key.embedder)
        return each.kind == "random" and key.selector == DEFAULT and self.endpoints.get(key.pool) == subject


def is_secondary(each: Comparison) -> bool:
    """Whether it is of the family that shares Holm's correction."""
    return each.judged and not each.endpoint and not each.key.published


def paired(one: Series, other: Series, budgets: Sequence[int], metric: str) -> tuple[Values, Values]:
    """Both at these budgets over the repeats that both have: float64 (len(budgets), repeats) each."""
    common = [each for each in one.repeats if each in other.repeats]
    first = [one.repeats.index(each) for each in common]
    second = [other.repeats.index(each) for each in common]
    return (
        np.array([one.at(budget, metric)[first] for budget in budgets]),
        np.array([other.at(budget, metric)[second] for budget in budgets]),
    )
