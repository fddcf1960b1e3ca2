"""The tables of what was measured: the paper's, the differences from random, the endpoint and label saving."""

from __future__ import annotations

import math
from collections.abc import Sequence

from seedqueue.experiments import spread, words
from seedqueue.experiments.arms import REFERENCE, parse
from seedqueue.experiments.cells import NO_EMBEDDER
from seedqueue.experiments.comparisons import DEFAULT, Comparison, Findings
from seedqueue.experiments.document import Table
from seedqueue.experiments.metrics import LOWER_IS_BETTER
from seedqueue.experiments.saving import Saving, saving
from seedqueue.experiments.series import ALL_TARGETS, AS_PUBLISHED, Series

CLEAR = {"better": "▲", "worse": "▼", "no clear difference": "", "not judged": "not judged"}


def of_head(findings: Findings, pool: str, target: str, head: str) -> list[Series]:
    """The series of one table, in order."""
    return [one for key, one in findings.series.items() if (key.pool, key.target, key.head) == (pool, target, head)]


def paper_table(findings: Findings, pool: str, target: str, head: str, metric: str) -> Table:
    """Mean ± SD over repeats: rows embedder x selector, a column for each budget.

    Where the head was judged also as published, each budget has two columns, `paper` and `honest`.
    """
    honest = {_row_name(one): one for one in of_head(findings, pool, target, head)}
    paper = {_row_name(one): one for one in of_head(findings, pool, target, head + AS_PUBLISHED)}
    both = bool(honest) and bool(paper)
    sources = [each for each in (paper, honest) if each]
    names = list(dict.fromkeys(name for source in sources for name in source))
    budgets = sorted({budget for source in sources for one in source.values() for budget in one.budgets})
    heads = [f"{budget} {kind}" if both else str(budget) for budget in budgets for kind in _kinds(both)]
    rows = []
    for name in names:
        cells = [_mean_sd(source.get(name), budget, metric) for budget in budgets for source in sources]
        rows.append((*map(_code, name), *cells, *_beside(findings, pool, target, *name)))
    better = ", lower is better" if metric in LOWER_IS_BETTER else ""
    return Table(
        title=f"{words.title(metric, findings.unit(pool))}{better}: mean ± SD over repeats, by number of labels",
        columns=("Embedder", "Selector", *heads, "Prevalence", "Pretraining and these images"),
        rows=tuple(rows),
        note=_draws_note(list(honest.values()) or list(paper.values()), metric),
        names=2,
        last_names=1,
    )


def _kinds(both: bool) -> tuple[str, ...]:
    return ("paper", "honest") if both else ("",)


def _row_name(one: Series) -> tuple[str, str]:
    return one.key.embedder, one.key.selector


def _code(name: str) -> str:
    return words.NONE if name == NO_EMBEDDER else words.code(name)


def _mean_sd(one: Series | None, budget: int, metric: str) -> str:
    if one is None:
        return words.NONE
    lacking = spread.lacking(one, budget, metric)
    if lacking:
        return f"{words.NONE} ({lacking})"
    mean, deviation = spread.mean(one.at(budget, metric)), spread.over_repeats(one, budget, metric)
    if math.isnan(mean) or math.isnan(deviation):
        return words.number(mean, metric)
    return f"{words.number(mean, metric)} ± {words.number(deviation, metric)}"


def _beside(findings: Findings, pool: str, target: str, embedder: str, selector: str) -> tuple[str, str]:
    """Prevalence and pretraining overlap: of every row."""
    names = [target] if target != ALL_TARGETS else [name for each, name in findings.facts if each == pool]
    shares = [words.prevalence(findings.facts[pool, name]) for name in names]
    told = [findings.overlap(pool, embedder)]
    if "weak_labels" in parse(selector).needs:
        told.append(f"weak labels: {findings.facts[pool, names[0]].weak_overlap or 'not known'}")
    return ", ".join(shares), "; ".join(each for each in told if each) or words.NONE


def _draws_note(several: Sequence[Series], metric: str) -> str:
    """What ± is of random, whose repeats are means over draws."""
    told = []
    for one in several:
        if one.key.selector != REFERENCE or one.draws < 2:
            continue
        found = [(budget, spread.over_draws(one, budget, metric)) for budget in one.budgets]
        values = ", ".join(f"{words.number(value, metric)} at {budget}" for budget, value in found if value == value)
        name = f" on {words.code(one.key.embedder)}" if one.key.embedder != NO_EMBEDDER else ""
        if values:
            told.append(f"The SD of one random queue within a repeat ({one.draws} draws){name}: {values}.")
    if not told:
        return ""
    return "A repeat of `uniform` is the mean over its draws, so its ± is not that of one queue. " + " ".join(told)


def gain_table(findings: Findings, pool: str, target: str, head: str, metric: str) -> Table | None:
    """The paired difference from random for each budget, positive where the selector is better."""
    several = [one for one in of_head(findings, pool, target, head) if one.key.selector != REFERENCE]
    budgets = sorted({budget for one in several for budget in one.budgets})
    rows = []
    for one in several:
        reference = findings.reference(one.key)
        if reference is None:
            continue
        cells = [_gain(findings, one, reference, budget, metric) for budget in budgets]
        rows.append((*map(_code, _row_name(one)), *cells))
    if not rows:
        return None
    published = ", judged as published" if head.endswith(AS_PUBLISHED) else ""
    title = words.title(metric, findings.unit(pool))
    turned = ", its sign turned: positive is better, so lower values" if metric in LOWER_IS_BETTER else ""
    return Table(
        title=f"{title}: paired difference from random{turned}{published} (95 % interval)",
        columns=("Embedder", "Selector", *map(str, budgets)),
        rows=tuple(rows),
        names=2,
    )


def _gain(findings: Findings, one: Series, reference: Series, budget: int, metric: str) -> str:
    lacking = spread.lacking(one, budget, metric) or spread.lacking(reference, budget, metric)
    if lacking:
        return f"{words.NONE} ({lacking})"
    found = findings.gain(one, reference, budget, metric)
    if math.isnan(found.mean):
        return words.NONE
    if math.isnan(found.low):
        return words.signed(found.mean, metric)
    return f"{words.signed(found.mean, metric)} ({words.interval(found, metric)})"


def endpoint_table(findings: Findings, pool: str, target: str, head: str) -> Table | None:
    """Area under the budget curve, its difference from random, p and Holm's p, label saving: a row for each arm."""
    keys = [one.key for one in of_head(findings, pool, target, head)]
    found = [each for key in keys if (each := findings.against_random(key)) is not None]
    if not found:
        return None
    savings = {each.key: saving(findings, findings.series[each.key]) for each in found}
    at = next((each.budget for each in savings.values() if each is not None), findings.study.grid.saving_at)
    metric = words.title(found[0].metric)
    defaults = {key.embedder: findings.series[key] for key in keys if key.selector == DEFAULT}
    beside = bool(defaults) and any(each.key.selector != DEFAULT for each in found)
    return Table(
        title=f"Area under the {metric} curve against random, and label saving",
        columns=(
            *("Embedder", "Selector", "Area", "Random", "Difference", "95 % interval", "p", "Holm p", "Clear"),
            *(f"Random labels that reach its {at}", "From the interval of the difference"),
            *([f"Less {words.code(DEFAULT)} (95 % interval)"] if beside else []),
        ),
        rows=tuple(
            (
                *(*_names(findings, each), *_numbers(each), *_saved(savings[each.key])),
                *([_less(findings, each, defaults.get(each.key.embedder))] if beside else []),
            )
            for each in found
        ),
        note=_signs(found),
        names=2,
    )


def _less(findings: Findings, each: Comparison, default: Series | None) -> str:
    """The paired difference from the default's area on the same embedder."""
    if default is None or default.key == each.key:
        return words.NONE
    found = findings.compare(findings.series[each.key], default, "selector", DEFAULT).difference
    return f"{words.signed(found.mean, each.metric)} ({words.interval(found, each.metric)})"


def _signs(found: Sequence[Comparison]) -> str:
    """What the signs in the table mean, as far as they are there."""
    told = ["The endpoint was fixed beforehand and is not corrected."] if any(each.endpoint for each in found) else []
    if not all(each.judged for each in found):
        told.append("One split: the differences are described, not judged; intervals are over random seeds alone.")
    if any(each.answer in ("better", "worse") for each in found):
        told.append("▲ clearly better than random, ▼ clearly worse: p below 0.05, Holm's but for the endpoint.")
    return " ".join(told)


def _names(findings: Findings, each: Comparison) -> tuple[str, str]:
    whole = set(findings.study.grid.budgets)
    part = f" (budgets {', '.join(map(str, each.budgets))})" if set(each.budgets) != whole else ""
    return _code(each.key.embedder), words.code(each.key.selector) + part


def _numbers(each: Comparison) -> tuple[str, ...]:
    return (
        words.number(each.area, each.metric),
        words.number(each.other, each.metric),
        words.signed(each.difference.mean, each.metric),
        words.interval(each.difference, each.metric),
        words.probability(each.difference.p) if each.judged else words.NONE,
        "endpoint" if each.endpoint else words.probability(each.holm),
        CLEAR[each.answer],
    )


def _saved(found: Saving | None) -> tuple[str, str]:
    if found is None:
        return words.NONE, words.NONE
    if math.isnan(found.low):
        return found.told(found.labels), words.NONE
    return found.told(found.labels), f"{found.told(found.low)} to {found.told(found.high)}"


def embedder_table(findings: Findings, pool: str) -> Table | None:
    """Pairs of embedders under the same selector."""
    found = [each for each in findings.comparisons if each.kind == "embedder" and each.key.pool == pool]
    if not found:
        return None
    rows = tuple(
        (
            each.key.target,
            each.key.head,
            words.code(each.key.selector),
            words.code(each.key.embedder),
            words.code(each.against),
            *_numbers(each),
        )
        for each in found
    )
    return Table(
        title="Area under the budget curve, embedder against embedder",
        columns=(
            *("Target", "Head", "Selector", "Embedder", "Against", "Area", "Its area", "Difference"),
            *("95 % interval", "p", "Holm p", "Clear"),
        ),
        rows=rows,
        names=5,
    )
