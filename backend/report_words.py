"""A stability report in plain words. Coverage is told as coverage, never as a promise of a better model."""

from __future__ import annotations

from seedqueue.selectors.stability.figures import Agreement, Spread
from seedqueue.selectors.stability.report import Report

NOT_SAID = (
    "This says how the images lie in the embedding, not that labels of these images will train a better model than "
    "labels of random ones: that coverage predicts a gain is not established. Only labels can show it."
)


def verdict(report: Report) -> str:
    """The one sentence on top: coverage beside random queues, and how much of the queue comes back."""
    ours, random = report.coverage.ours, report.coverage.random
    return (
        f"The {plural(len(report.queue), 'chosen image')} {_cover(ours.beaten, random)} "
        f"(mean cosine to the nearest one {two(ours.mean)}; random {give_or_take(random)}), and "
        f"{_come_back(report.stability.random_seeds, len(report.queue))} with another random seed."
    )


def _cover(beaten: int, random: Spread) -> str:
    of = f"random queues of the same size ({beaten} of {random.repeats})"
    if beaten == random.repeats:
        return f"cover this pool better than all {random.repeats} random queues of the same size"
    if beaten == 0:
        return f"cover this pool no better than any of the {random.repeats} random queues of the same size"
    if beaten > 0.9 * random.repeats:
        return f"cover this pool better than most {of}"
    return f"do not stand out in coverage from {of.replace(')', ' cover less)')}"


def _come_back(seeds: Agreement, size: int) -> str:
    if seeds.again.least == 1:
        return "the same ones are chosen"
    return f"on average {round(seeds.again.mean * size)} of {size} are chosen again"


def method(report: Report) -> str:
    """Whether this selector stands out from the others."""
    found = report.coverage.standing
    if not found.rival:
        return "There is nothing here to compare this method with."
    titles = {each.selector: each.title for each in report.coverage.others}
    lead, spread = three(abs(found.lead)), three(found.spread)
    if found.verdict == "no method stands out":
        return (
            f"No method stands out: {report.choice.title} and the best of the others ({titles[found.rival]}) differ by "
            f"{lead} in the coverage of images that they did not see, no more than chance does ({spread})."
        )
    better = report.choice.title if found.lead > 0 else titles[found.rival]
    worse = titles[found.rival] if found.lead > 0 else report.choice.title
    return (
        f"{better} covers images that it did not see better than {worse}, by {lead}, where chance makes differences "
        f"up to {spread}."
    )


def unseen(report: Report) -> str:
    """Coverage of images that the choice did not see."""
    ours, random = report.coverage.ours.unseen, report.coverage.unseen_random
    if ours is None or random is None:
        return ""
    return (
        f"Images that a choice did not see (those left out of {ours.repeats} bootstraps) are covered to "
        f"{give_or_take(ours)} by its queue, to {give_or_take(random)} by a random one."
    )


def partly(report: Report) -> str:
    """What ran on a part of the pool; empty where nothing did."""
    pool = report.pool
    if pool.whole:
        return ""
    near = " Neighbours were sought on 64 principal components." if pool.approximate else ""
    return (
        f"The pool is large: coverage is averaged over {thousands(pool.part)} of its {thousands(pool.images)} images, "
        f"drawn at random, and repeats, budgets, components and clusters ran on these alone.{near}"
    )


def summary(report: Report) -> list[str]:
    """Five lines for a terminal."""
    stability, near, far = report.stability, report.near_duplicates, report.outliers
    sizes = report.stands_for
    return [
        verdict(report),
        method(report),
        f"On bootstraps of the pool {percent(stability.bootstraps.again.mean)} of the queue's images that are there "
        f"are chosen again (by chance: {percent(stability.chance.again.mean)}); each chosen image stands for "
        f"{sizes.least} to {sizes.most} images.",
        f"Near duplicates (cosine {near.threshold:g} or more): {near.images} images in {near.groups} groups, "
        f"{plural(near.pairs_in_queue, 'pair')} in the queue; outliers: {far.count}, {far.in_queue} in the queue.",
        NOT_SAID,
    ]


def give_or_take(values: Spread) -> str:
    """Mean and standard deviation, in one line."""
    return f"{two(values.mean)}\u00a0±\u00a0{two(values.deviation)}"


def two(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")


def three(value: float) -> str:
    return f"{value:.3f}".replace("-", "−")


def percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def thousands(number: int) -> str:
    return f"{number:,}"


def plural(number: int, thing: str) -> str:
    return f"{thousands(number)} {thing}{'' if number == 1 else 's'}"
