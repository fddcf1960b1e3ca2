"""The answers in plain words, "no clear winner" among them. They tell what was measured and promise nothing."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator

import numpy as np

from seedqueue.experiments import spread, words
from seedqueue.experiments.arms import REFERENCE
from seedqueue.experiments.asides import converges, costs
from seedqueue.experiments.cells import NO_EMBEDDER
from seedqueue.experiments.comparisons import DEFAULT, Comparison, Findings, Subject
from seedqueue.experiments.enough import enough
from seedqueue.experiments.saving import saving
from seedqueue.experiments.series import ALL_TARGETS, Series
from seedqueue.experiments.verdict import Verdict

NO_WINNER = "no clear winner"
NOT_JUDGED = "not judged"
ONE_SPLIT = "one split: the difference is described, not judged"
MOST_SENTENCES = 8  # of one question on top of the page

BETTER = f"Is the default, `{DEFAULT}`, better than random?"
SELECTOR = "Which selector?"
EMBEDDER = "Which embedder?"
BUDGET = "At which budget?"
STABLE = "Is random the least stable?"
CONVERGES = "How does K-means converge?"
COST = "What does it cost?"


def verdicts(findings: Findings) -> dict[str, list[Verdict]]:
    """By question, those without an answer left out; subjects in order."""
    asked: dict[str, Callable[[Findings], Iterator[Verdict]]] = {
        BETTER: _better,
        SELECTOR: _selector,
        EMBEDDER: _embedder,
        BUDGET: _budget,
        STABLE: _stable,
        CONVERGES: converges,
        COST: costs,
    }
    found = {question: list(answers(findings)) for question, answers in asked.items()}
    return {question: answers for question, answers in found.items() if answers}


def on_top(answers: list[Verdict]) -> list[str]:
    """The sentences for the top of the page: each pool as a whole; where these are many, the first of each pool.

    The first of a pool is its endpoint's subject. A last sentence counts the answers on everything, where that is more.
    """
    shown = [each for each in answers if each.whole]
    if len(shown) > MOST_SENTENCES:
        first: dict[str, Verdict] = {}
        for each in shown:
            first.setdefault(each.pool, each)
        shown = list(first.values())
    sentences = [each.sentence for each in shown[:MOST_SENTENCES]]
    if len(answers) > len(sentences):
        count = Counter(each.answer for each in answers if each.answer)
        told = "; ".join(f"{answer} in {number}" for answer, number in count.most_common())
        more = f": {told}" if told else ""
        sentences.append(f"Over all {len(answers)} combinations (every answer stands below){more}.")
    return sentences


def headline(findings: Findings) -> str:
    """The endpoint in one sentence."""
    found = [each for each in findings.comparisons if each.endpoint]
    if not found:
        return f"The default, `{DEFAULT}`, is not compared with random here: every comparison is secondary."
    if len(found) == 1:
        said = {"better": "is better than random", "worse": "is worse than random"}
        (only,) = found
        if not only.judged:
            figures = _figures(findings, only)
            return f"On `{only.key.pool}` the default `{DEFAULT}` against random, {ONE_SPLIT} ({figures})."
        rest = said.get(only.answer, "and random show no clear difference")
        return f"On `{only.key.pool}` the default `{DEFAULT}` {rest} ({_figures(findings, only)})."
    count = Counter(each.answer for each in found)
    told = [f"better on {count['better']}", f"worse on {count['worse']}"]
    unclear = count["no clear difference"]
    described = count["not judged"]
    if described == len(found):
        return f"The default `{DEFAULT}` against random on {len(found)} pools of one split each: described, not judged."
    more = f"; on {described} there is one split: described, not judged" if described else ""
    rest = f"; on {'all' if unclear == len(found) else unclear} there is no clear difference" if unclear else ""
    return f"The default `{DEFAULT}` against random on {len(found)} pools: {', '.join(told)}{rest}{more}."


def place(findings: Findings, subject: Subject) -> str:
    """Where a sentence holds: "On `busi`, malignant, linear head, `hog`"."""
    names = [f"On {words.code(subject.pool)}"]
    if findings.targets(subject.pool, subject.head) != [subject.target]:
        names.append(subject.target)
    names.append(f"{subject.head} head")
    if subject.embedder not in ("", NO_EMBEDDER):
        names.append(words.code(subject.embedder))
    return ", ".join(names)


def _verdict(findings: Findings, subject: Subject, answer: str, said: str) -> Verdict:
    whole = subject.target == ALL_TARGETS or findings.targets(subject.pool, subject.head) == [subject.target]
    return Verdict(subject.pool, answer, f"{place(findings, subject)}: {said}", whole)


def _figures(findings: Findings, found: Comparison) -> str:
    """The numbers of one comparison."""
    metric, holm = words.title(found.metric), ""
    if not found.endpoint and found.judged:
        holm = f", Holm p {words.probability(found.holm)}"
    alone = " over random seeds alone" if findings.fixed(found.key) else ""
    return (
        f"area under the {metric} curve {words.number(found.area, found.metric)} against "
        f"{words.number(found.other, found.metric)}: {words.signed(found.difference.mean, found.metric)}, "
        f"95 % interval {words.interval(found.difference, found.metric)}{alone}{holm}"
    )


def _better(findings: Findings) -> Iterator[Verdict]:
    for subject in findings.subjects():
        for one in findings.arms(subject):
            found = findings.against_random(one.key)
            if one.key.selector != DEFAULT or found is None:
                continue
            said = f"{found.answer} than random" if found.answer in ("better", "worse") else found.answer
            said = said if found.judged else ONE_SPLIT
            worth = _worth(findings, one) if found.judged else ""
            yield _verdict(findings, subject, found.answer, f"{said} ({_figures(findings, found)}).{worth}")


def _worth(findings: Findings, one: Series) -> str:
    found = saving(findings, one)
    if found is None or math.isnan(found.low):
        return ""
    least, most = found.told(found.low), found.told(found.high)
    return (
        f" Its {found.budget} labels reach what {found.told(found.labels)} random ones reach "
        f"(from the interval of the difference: {least} to {most})."
    )


def _selector(findings: Findings) -> Iterator[Verdict]:
    for subject in findings.subjects():
        arms = findings.arms(subject)
        known = [(one, found) for one in arms if (found := findings.against_random(one.key)) is not None]
        if not known:
            continue
        if not known[0][1].judged:
            told = "; ".join(f"{words.code(one.key.selector)}: {_figures(findings, found)}" for one, found in known)
            yield _verdict(findings, subject, NOT_JUDGED, f"{ONE_SPLIT}. {told}.")
            continue
        above = [(one, found) for one, found in known if found.answer == "better"]
        winner = next(((one, found) for one, found in above if _above_all(findings, one, arms)), None)
        if winner is not None:
            one, found = winner
            name = words.code(one.key.selector)
            others = ", and above every other selector" if len(arms) > 1 else ""
            said = f"{name} wins: above random ({_figures(findings, found)}){others}.{_between(findings, arms)}"
            yield _verdict(findings, subject, name, said)
        else:
            why = _why_none(findings, [one for one, _ in above], known)
            yield _verdict(findings, subject, NO_WINNER, f"{NO_WINNER}. {why}{_between(findings, arms)}")


def _above_all(findings: Findings, one: Series, arms: list[Series]) -> bool:
    rivals = [findings.compare(one, other, "selector", other.key.selector) for other in arms if other is not one]
    return all(rival.judged and rival.difference.low > 0 for rival in rivals)


def _between(findings: Findings, arms: list[Series]) -> str:
    """Of two selectors alone, their own difference."""
    if len(arms) != 2:
        return ""
    first, second = arms
    found = findings.compare(first, second, "selector", second.key.selector)
    names = f"{words.code(first.key.selector)} less {words.code(second.key.selector)}"
    told = f"{words.signed(found.difference.mean, found.metric)}, 95 % interval"
    return f" {names}: {told} {words.interval(found.difference, found.metric)}."


def _why_none(findings: Findings, above: list[Series], known: list[tuple[Series, Comparison]]) -> str:
    if above:
        names = words.listed([words.code(one.key.selector) for one in above])
        verb = "is" if len(above) == 1 else "are"
        return f"{names} {verb} above random, but none of the selectors is clearly above every other one."
    measured = [each for each in known if not math.isnan(each[1].difference.mean)]
    if not measured:
        return "No repeat has both random and a selector at every budget."
    one, best = max(measured, key=lambda each: each[1].difference.mean)
    most = "the only one" if len(known) == 1 else "the highest mean"
    return f"None is clearly above random; {most}, {words.code(one.key.selector)}: {_figures(findings, best)}."


def _embedder(findings: Findings) -> Iterator[Verdict]:
    for pool, head in findings.places():
        for target in (ALL_TARGETS, *findings.targets(pool, head)):
            found = [
                each
                for each in findings.comparisons
                if each.kind == "embedder"
                and (each.key.pool, each.key.target, each.key.head) == (pool, target, head)
                and not each.key.published
            ]
            if found:
                yield _embedder_verdict(findings, Subject(pool, target, head, ""), found)


def _embedder_verdict(findings: Findings, subject: Subject, found: list[Comparison]) -> Verdict:
    means: dict[str, float] = {}
    wins: Counter[str] = Counter()
    for each in found:
        means.setdefault(each.key.embedder, each.area)
        means.setdefault(each.against, each.other)
        if each.answer in ("better", "worse"):
            wins[each.key.embedder if each.answer == "better" else each.against] += 1
    metric, selector = found[0].metric, words.code(found[0].key.selector)
    ranked = sorted((name for name in means if not math.isnan(means[name])), key=lambda name: -means[name])
    figures = ", ".join(f"{words.code(name)} {words.number(means[name], metric)}" for name in ranked)
    basis = f"area under the {words.title(metric)} curve with {selector}: {figures}"
    role = _role(findings, subject)
    if not all(each.judged for each in found):
        return _verdict(findings, subject, NOT_JUDGED, f"{ONE_SPLIT} ({basis}). {role}")
    basis += "; Holm"
    winner = next((name for name in means if wins[name] == len(means) - 1), None)
    if winner is None:
        return _verdict(findings, subject, NO_WINNER, f"{NO_WINNER} ({basis}). {role}")
    overlap = findings.overlap(subject.pool, winner)
    seen = f" Its pretraining and these images: {overlap}." if overlap else ""
    said = f"{words.code(winner)} is above every other embedder ({basis}). {role}{seen}"
    return _verdict(findings, subject, words.code(winner), said)


def _role(findings: Findings, subject: Subject) -> str:
    """What an embedder has a part in."""
    features = findings.study.grid.features
    if subject.head != "linear":
        return "The embedder has a part in the choice alone, not in the network."
    if features:
        return f"The embedder has a part in the choice alone; the head sees {words.code(features)}."
    return "The embedder makes both the choice and the features that the head learns from."


def _budget(findings: Findings) -> Iterator[Verdict]:
    for subject in findings.subjects():
        arms = findings.arms(subject)
        one = next((each for each in arms if each.key.selector == DEFAULT), arms[0] if arms else None)
        found = enough(findings, one) if one is not None else None
        if found is not None:
            yield _verdict(findings, subject, *found)


def _stable(findings: Findings) -> Iterator[Verdict]:
    for subject in findings.subjects():
        arms = findings.arms(subject)
        reference = findings.reference(arms[0].key) if arms else None
        if reference is None or not findings.fixed(arms[0].key):
            continue
        metric = findings.metric(arms[0].key)
        found = {
            one.key.selector: spread.mean(np.array([spread.of_one_queue(one, each, metric) for each in one.budgets]))
            for one in (reference, *arms)
        }
        found = {name: value for name, value in found.items() if not math.isnan(value)}
        if len(found) < 2 or REFERENCE not in found:
            continue
        told = ", ".join(f"{words.code(name)} {words.number(value, metric)}" for name, value in found.items())
        most = max(found, key=lambda name: found[name])
        said = "random is the least stable" if most == REFERENCE else f"no, {words.code(most)} is the least stable"
        basis = f"SD of {words.title(metric)} over random seeds on one split, mean over budgets: {told}"
        yield _verdict(findings, subject, said, f"{said} ({basis}).")
