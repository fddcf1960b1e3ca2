"""How a report is to be read: the rules its numbers follow, told with its own numbers."""

from __future__ import annotations

from seedqueue.experiments import words
from seedqueue.experiments.comparisons import DEFAULT, Findings, is_secondary
from seedqueue.experiments.grid import LEAST_DRAWS
from seedqueue.experiments.metrics import LOWER_IS_BETTER, NEEDS_ALL
from seedqueue.experiments.series import ALL_TARGETS, AS_PUBLISHED, LINEAR, measured


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
        lines += _columns(findings)
    if "f1_best" in metrics:
        chosen = ", in `paper` columns on the validation part" if any(key.published for key in findings.series) else ""
        lines.append(f"The threshold of the best F1, as Youden's, is chosen out of fold on the queue's labels{chosen}.")
    if metrics & NEEDS_ALL:
        lines.append(
            "F1 needs 20 positives in the test part. A mean is told only where all repeats have it: else it would be "
            "of other splits than the row beside it."
        )
    if metrics & LOWER_IS_BETTER:
        lines.append(
            "DSC is the mean over images with a target; HD and HD95 are over images where both masks exist, on the "
            "image's own grid (in mm where all images of a pool have a spacing, else in pixels), so a model that "
            "misses more can look nearer; "
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
    if "auprc" in metrics:
        compared = "; compare pools by AUPRC above chance" if "auprc_above_chance" in metrics else ""
        lines.append(f"AUPRC depends on the prevalence, which stands beside every row{compared}.")
    lines.append("A pool on which variants were screened is spent for claims.")
    return tuple(lines)


def _columns(findings: Findings) -> list[str]:
    """What `paper` and `honest` differ in, by kind of head."""
    heads = {key.head.removesuffix(AS_PUBLISHED) for key in findings.series if key.published}
    lines = []
    if LINEAR in heads:
        lines.append(
            "`paper` and `honest` of the linear head differ in the threshold alone: `paper` chooses it on a fully "
            "labelled validation part that the budget does not count, `honest` out of fold on the queue's labels."
        )
    if heads - {LINEAR}:
        set_epochs = findings.study.grid.epochs
        published, fixed = (set_epochs, set_epochs) if set_epochs else (100, "40 (60 for masks)")
        lines.append(
            "`paper` and `honest` of a network differ in more than validation. `paper`: SGD, at most "
            f"{published} epochs, batches of 8, checkpoint and threshold by a fully labelled validation part that the "
            f"budget does not count. `honest`: AdamW, a fixed {fixed} epochs with a cosine schedule, batches of 8 (4 "
            "for masks), nothing beside the budget; its F1 is at 0.5."
        )
    return [*lines, "No sentence on top rests on `paper`."]


def preliminary(findings: Findings) -> tuple[str, ...]:
    """What a reader has to know first: units that are missing, and too few repeats or draws for a claim."""
    study, told = findings.study, []
    if study.missing:
        why = f"; the first: {study.first_failure}" if study.first_failure else ""
        told.append(f"{words.plural(study.missing, 'unit')} could not be measured{why}.")
    heads, few, grid = {head for _, head in findings.places()}, [], study.grid
    least = max([*([20] if any(head.removesuffix(AS_PUBLISHED) == LINEAR for head in heads) else []), 5])
    if grid.repeats < least:
        few.append(f"{words.plural(grid.repeats, 'repeat')} where {least} are the least for a claim")
    if grid.draws < LEAST_DRAWS:
        few.append(f"{words.plural(grid.draws, 'draw')} of random where {LEAST_DRAWS} are")
    if few:
        told.append(f"A preliminary look: {words.listed(few)}.")
    return tuple(told)


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
            "alone, on these very test images, and not of other patients: differences are described and not judged, "
            "and are no part of Holm's family."
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
    count = sum(is_secondary(each) for each in findings.comparisons)
    return (
        f"The {words.plural(count, 'other comparison')} of areas (arms against random, embedders against each other) "
        "are secondary and share Holm's correction. Differences at single budgets and of other metrics are described "
        "with their intervals; nothing is claimed from them."
    )


def _saving() -> str:
    return (
        "Label saving is the number of random labels that reach the same value: random's mean curve, made monotone, is "
        "inverted at its value plus the paired difference, and plus the ends of that difference's interval. Random's "
        "own curve is taken as exact, so the range leaves its error out. `>` and "
        "`<` mark what lies beyond the budgets measured. Where random's curve is flat the number says little."
    )
