"""The tables of what lies behind the numbers: pools, cost of every stage, convergence, stability on one split."""

from __future__ import annotations

import math

from seedqueue.experiments import spread, words
from seedqueue.experiments.cells import NO_EMBEDDER
from seedqueue.experiments.comparisons import Findings
from seedqueue.experiments.document import Table
from seedqueue.experiments.series import ALL_TARGETS, AS_PUBLISHED, LINEAR, Series


def pools_table(findings: Findings) -> Table:
    rows = []
    for fact in findings.study.facts:
        positives = ", ".join(f"{name} {count}" for name, count in fact.classes.items()) or str(fact.positives)
        rows.append(
            (
                fact.pool,
                fact.target,
                f"{fact.n:,}",
                f"{fact.groups:,}",
                positives,
                words.prevalence(fact),
                f"{fact.train:,}",
                f"{fact.validation:,}",
                f"{fact.test:,}",
                f"{fact.crossing:,}",
                "fixed" if findings.study.grid.fixed_split or fact.fixed_split else "drawn anew",
                fact.labels,
                fact.grouped_by or words.NONE,
            )
        )
    return Table(
        title="",
        columns=(
            *("Pool", "Target", "Images", "Groups", "Positives", "Prevalence", "Training", "Validation", "Test"),
            *("Groups in both parts", "Split", "Labels", "Grouped by"),
        ),
        rows=tuple(rows),
        note=f"{_divided(findings)} Parts are mean numbers of images.",
        names=2,
        last_names=3,
    )


def _divided(findings: Findings) -> str:
    """Whether a table's own split divides groups: a pool's targets share one split."""
    crossing = {fact.pool: fact.crossing for fact in findings.study.facts if fact.crossing}
    told = [
        f"On {words.code(pool)} {words.plural(count, 'group')} {'stands' if count == 1 else 'stand'} in both parts: "
        "the table's own split divides them, so the figures may be too good."
        for pool, count in crossing.items()
    ]
    whole = [fact for fact in findings.study.facts if not fact.crossing]
    if whole:
        others = " elsewhere" if told else ""
        told.append(f"Groups (patients or near duplicates) are never split{others}.")
    return " ".join(told)


def embedding_cost_table(findings: Findings) -> Table | None:
    rows = []
    for cost in findings.study.costs:
        n = max((fact.n for fact in findings.study.facts if fact.pool == cost.pool), default=cost.images)
        rows.append(
            (
                cost.pool,
                words.code(cost.embedder),
                str(cost.dimension),
                f"{cost.images:,}",
                words.seconds(cost.seconds),
                words.seconds(cost.core_seconds),
                words.seconds(cost.core_seconds * n),
                f"{cost.memory:,.0f}",
                cost.overlap or words.NONE,
            )
        )
    if not rows:
        return None
    return Table(
        title="Embedding",
        columns=(
            *("Pool", "Embedder", "Numbers", "Measured on images", "s per image", "Core-s per image"),
            *("Core-s for the pool", "Peak MiB", "Pretraining and these images"),
        ),
        rows=tuple(rows),
        names=2,
        last_names=1,
    )


def stage_cost_table(findings: Findings) -> Table:
    """Of one queue at the largest budget, averaged over repeats, draws and targets."""
    grouped: dict[tuple[str, str, str, str], list[Series]] = {}
    for key, one in findings.series.items():
        if key.target != ALL_TARGETS:
            grouped.setdefault((key.pool, key.head, key.embedder, key.selector), []).append(one)
    rows = []
    for (pool, head, embedder, selector), several in grouped.items():
        budget = max(several[0].budgets)
        stages = [
            words.seconds(_mean([one.seconds.get(budget, {}).get(stage, math.nan) for one in several]))
            for stage in ("select", "train", "judge")
        ]
        core = words.seconds(_mean([one.core_seconds.get(budget, math.nan) for one in several]))
        named = words.NONE if embedder == NO_EMBEDDER else words.code(embedder)
        memory = f"{max(one.memory for one in several):,.0f}"
        rows.append((pool, head, named, words.code(selector), str(budget), *stages, core, memory))
    linear = any(key.head.removesuffix(AS_PUBLISHED) == LINEAR for key in findings.series)
    return Table(
        title="Choosing, training and judging one queue",
        columns=(
            "Pool",
            "Head",
            "Embedder",
            "Selector",
            "Labels",
            "Choosing, s",
            "Training, s",
            "Judging, s",
            "Core-s of all three",
            "Peak MiB",
        ),
        rows=tuple(rows),
        note=(
            "Wall seconds, at the largest budget; the peak is that of the whole process, embeddings held in memory."
            + (" Training of the linear head contains the five folds of its threshold." if linear else "")
        ),
        names=4,
    )


def convergence_table(findings: Findings) -> Table | None:
    rows = tuple(
        (
            each.pool,
            words.code(each.embedder),
            each.representation,
            str(each.k),
            str(each.seeds),
            f"{each.iterations:.1f} ± {each.iterations_sd:.1f}",
            str(each.iterations_most),
            f"{100 * each.inertia_spread:.2f} %",
            f"{each.overlap:.2f}",
        )
        for each in findings.study.convergence
    )
    if not rows:
        return None
    return Table(
        title="",
        columns=(
            "Pool",
            "Embedder",
            "Representation",
            "Clusters",
            "Random seeds",
            "Iterations",
            "Most",
            "SD of the inertia",
            "Overlap of the queues",
        ),
        rows=rows,
        note=(
            "K-means from one k-means++ start on the whole pool. The inertia's SD is told as a share of its mean; the "
            "overlap is the mean Jaccard index of the medoids over pairs of random seeds, 1 for the same queue."
        ),
        names=3,
    )


def stability_table(findings: Findings) -> Table | None:
    """Overlap of queues and SD of the score over random seeds: on fixed splits alone."""
    several = [one for one in findings.series.values() if one.key.target != ALL_TARGETS and findings.fixed(one.key)]
    budgets = sorted({budget for one in several for budget in one.budgets})
    rows = []
    for one in several:
        metric = findings.metric(one.key)
        key = one.key
        cells = [
            f"{_two(spread.overlap(one, budget))} · {words.number(spread.of_one_queue(one, budget, metric), metric)}"
            for budget in budgets
        ]
        named = words.NONE if key.embedder == NO_EMBEDDER else words.code(key.embedder)
        rows.append((key.pool, key.target, key.head, named, words.code(key.selector), *cells))
    if not rows:
        return None
    return Table(
        title="",
        columns=("Pool", "Target", "Head", "Embedder", "Selector", *map(str, budgets)),
        rows=tuple(rows),
        note=(
            "By number of labels: mean Jaccard index of the queues over pairs of random seeds (1: always the same "
            "images) · SD of one queue's score in the primary metric over random seeds."
        ),
        names=5,
    )


def _mean(values: list[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return sum(known) / len(known) if known else math.nan


def _two(value: float) -> str:
    return words.NONE if math.isnan(value) else f"{value:.2f}"
