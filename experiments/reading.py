"""How a report is to be read: the rules its numbers follow, told with its own numbers."""

from __future__ import annotations

from seedqueue.experiments import words
from seedqueue.experiments.comparisons import DEFAULT, Findings
from seedqueue.experiments.metrics import LOWER_IS_BETTER
from seedqueue.experiments.series import ALL_TARGETS, measured


def rules(findings: Findings) -> tuple[str, ...]:
    grid = findings.study.grid
    metrics = set(measured(findings.series.values()))
    lines = [*_splits(findings), _endpoint(findings), _family(findings), _saving()]
    lines.append(
        "A winner needs two things: a difference from random that is clear after Holm's correction, and a paired "
        "corrected interval above zero against every other arm. Else there is no clear winner."
    )
    if any(key.target == ALL_TARGETS for key in findings.series):
        lines.append(
            "Several targets of one pool are one pool: they share images and splits. `all targets` is the mean over "
            "them within each repeat, and the endpoint is made of it."
        )
    if any(key.published for key in findings.series):
        lines.append(
            "`paper` chooses checkpoint and threshold on a fully labelled validation part that the budget does not "
            "count, as published; `honest` has nothing outside the budget. No sentence on top rests on `paper`."
        )
    if metrics & LOWER_IS_BETTER:
        lines.append(
            "DSC is the mean over images with a target; HD and HD95 are over images where both masks exist, on the "
            "image's own grid (mm where spacing is known, else pixels), so a model that misses more can look nearer; "
            "`HD95, a miss as the diagonal` counts these misses."
        )
    if metrics & {"coverage", "diversity", "positive_share"}:
        lines.append(
            "Coverage and diversity tell how a queue lies in the embedding. That coverage predicts a gain is not "
            "established: a queue that covers better is not said to be one that learns better."
        )
    if grid.random_weights:
        lines.append(
            "The networks began from random weights, where the paper's began from ImageNet's: their numbers are lower "
            "and noisier than published ones and not to be set beside them."
        )
    lines.append(
        "AUPRC depends on the prevalence, which stands beside every row; compare pools by AUPRC above chance. A pool "
        "on which variants were screened is spent for claims."
    )
    return tuple(lines)


def _splits(findings: Findings) -> list[str]:
    grid, lines = findings.study.grid, []
    fixed = [fact for fact in findings.study.facts if grid.fixed_split or fact.fixed_split]
    drawn = [fact for fact in findings.study.facts if fact not in fixed]
    if drawn:
        lines.append(
            f"Each of {words.plural(grid.repeats, 'repeat')} splits the pool anew by whole groups; selection sees the "
            "training part alone. The splits overlap, so they are not independent: intervals and p values take "
            "(1/J + test/training) s², Nadeau and Bengio's correction, and Student's t with J − 1 degrees of freedom."
        )
    if fixed:
        names = words.listed([words.code(name) for name in dict.fromkeys(fact.pool for fact in fixed)])
        lines.append(
            f"{names}: one split for all repeats, only the random seed differs. Intervals there tell of random seeds "
            "alone, on these very test images, and not of other patients; there is no overlap to correct for."
        )
    draws = f"{grid.draws} times in each repeat" if grid.draws > 1 else "once in each repeat"
    lines.append(f"Random is drawn {draws}; differences are from the mean of these draws, within the same repeat.")
    return lines


def _endpoint(findings: Findings) -> str:
    if not findings.endpoints:
        return f"The endpoint, `{DEFAULT}` against random, is not among the comparisons: all are secondary."
    told = words.listed(
        [
            f"{words.code(pool)} ({each.head} head, {words.code(each.embedder)})"
            for pool, each in findings.endpoints.items()
        ]
    )
    return (
        "One endpoint was fixed beforehand for each pool: the area under the budget curve of the primary metric, the "
        f"default `{DEFAULT}` less random, with the grid's first head and first embedder: {told}."
    )


def _family(findings: Findings) -> str:
    count = sum(not each.endpoint and not each.key.published for each in findings.comparisons)
    return (
        f"The {words.plural(count, 'other comparison')} of areas (arms against random, embedders against each other) "
        "are secondary and share Holm's correction. Differences at single budgets and of other metrics are described "
        "with their intervals; nothing is claimed from them."
    )


def _saving() -> str:
    return (
        "Label saving is the number of random labels that reach the same value: random's mean curve, made monotone, is "
        "inverted at its value plus the paired difference, and plus the ends of that difference's interval. `>` and "
        "`<` mark what lies beyond the budgets measured. Where random's curve is flat the number says little."
    )
