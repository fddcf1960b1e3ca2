"""The answers that compare nothing with random: how K-means converges, and what the stages cost."""

from __future__ import annotations

import math
from collections.abc import Iterator

from seedqueue.experiments import words
from seedqueue.experiments.cells import NO_EMBEDDER
from seedqueue.experiments.comparisons import DEFAULT, Findings
from seedqueue.experiments.convergence import Convergence
from seedqueue.experiments.series import ALL_TARGETS, LINEAR, Series
from seedqueue.experiments.verdict import Verdict


def converges(findings: Findings) -> Iterator[Verdict]:
    """For each pool and representation: iterations and overlap of the queues by embedder. Described, not tested."""
    grouped: dict[tuple[str, str, int], list[Convergence]] = {}
    for each in findings.study.convergence:
        grouped.setdefault((each.pool, each.representation, each.k), []).append(each)
    for (pool, representation, k), several in grouped.items():
        told = "; ".join(
            f"{words.code(each.embedder)} {each.iterations:.1f} iterations, "
            f"inertia's SD {100 * each.inertia_spread:.1f} %, overlap of queues {each.overlap:.2f}"
            for each in sorted(several, key=lambda each: each.iterations)
        )
        yield Verdict(pool, "", f"On {words.code(pool)}, {representation} vectors, {k} clusters: {told}.")


def costs(findings: Findings) -> Iterator[Verdict]:
    """For each pool and head what embedding, choosing, training take, of the default or the first arm."""
    for pool, head in findings.places():
        several = [
            one
            for key, one in findings.series.items()
            if (key.pool, key.head) == (pool, head)
            and not key.published
            and key.target != ALL_TARGETS
            and key.embedder != NO_EMBEDDER
        ]
        preferred = [one for one in several if one.key.selector == DEFAULT] or several[-1:]
        sentence = _cost(findings, preferred[0]) if preferred else ""
        if sentence:
            yield Verdict(pool, "", f"On {words.code(pool)}, {head} head: {sentence}")


def _cost(findings: Findings, one: Series) -> str:
    key, budget = one.key, max(one.budgets)
    stages = one.seconds.get(budget, {})
    choosing = words.seconds(stages.get("select", math.nan))
    training = words.seconds(stages.get("train", math.nan))
    folds = ", with the five folds of its threshold" if key.head == LINEAR else ""
    queue = f"{choosing} s to choose {budget} by {words.code(key.selector)}, {training} s to train on them{folds}"
    for cost in findings.study.costs:
        if (cost.pool, cost.embedder) == (key.pool, key.embedder):
            total = cost.core_seconds * findings.facts[key.pool, key.target].n
            return f"{words.seconds(total)} core-s to embed the pool with {words.code(key.embedder)}, {queue}."
    return f"{queue}."
