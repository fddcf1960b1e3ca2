"""From which budget on an arm is not shown to lie below its largest one."""

from __future__ import annotations

import math

from seedqueue.experiments import spread, words
from seedqueue.experiments.comparisons import Findings
from seedqueue.experiments.series import Series
from seedqueue.experiments.significance import Difference, corrected


def enough(findings: Findings, one: Series) -> tuple[str, str] | None:
    """Answer and sentence from the paired differences, within a repeat, of the largest budget less each other one.

    What is not shown to be below is not shown to be equal, and where not even the smallest budget is, the interval may
    be wide for want of repeats: then nothing is said of how many labels do. None without two budgets and two repeats.
    """
    metric = findings.metric(one.key)
    known = [each for each in one.budgets if not math.isnan(spread.mean(one.at(each, metric)))]
    if len(known) < 2:
        return None
    last, others = known[-1], known[:-1]
    title, name = words.title(metric), words.code(one.key.selector)
    below = {each: corrected(one.at(last, metric) - one.at(each, metric), findings.ratio(one.key)) for each in others}
    if any(math.isnan(found.low) for found in below.values()):
        return None
    if findings.fixed(one.key):
        means = ", ".join(f"{words.number(spread.mean(one.at(each, metric)), metric)} at {each}" for each in known)
        return "not judged", f"one split: described, not judged. Mean {title} of {name}: {means}."
    least = last
    for budget in reversed(others):
        if below[budget].low > 0:
            break
        least = budget
    most = f"that with {last}, the most measured"
    if least == last:
        figures = _figures(below[others[-1]], metric)
        told = f"the mean {title} of {name} with {others[-1]} labels is below {most} ({figures})."
        return f"below that with {last} up to {others[-1]}", told
    if below[least].high < 0:
        figures = _figures(below[least], metric)
        return (
            "falling",
            f"the curve falls: the mean {title} of {name} with {least} labels is above {most} ({figures}).",
        )
    told = f"the mean {title} of {name} is not shown to be below {most} ({_figures(below[least], metric)})"
    if least == known[0]:
        return "not known", f"too little is known: even with {least} labels {told}."
    return f"not shown to be below that with {last} from {least} on", f"from {least} labels on {told}."


def _figures(found: Difference, metric: str) -> str:
    return f"difference {words.signed(found.mean, metric)}, 95 % interval {words.interval(found, metric)}"
