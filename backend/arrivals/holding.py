"""Whether what the audit said of a serving version holds for the new images: fresh slice against first slice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from seedqueue.backend import audit
from seedqueue.backend.arrivals.comparing import Compared, compare_classes, compare_masks
from seedqueue.backend.audit import Part
from seedqueue.backend.context import Context
from seedqueue.backend.examples import Example
from seedqueue.backend.gathering import Gathered, gather, tells
from seedqueue.backend.head_signals import network
from seedqueue.backend.judging import Predicted, recalibrated
from seedqueue.backend.learn import groups_of, predicted_of, vectors_apart
from seedqueue.backend.learn_network import judged_masks, said_of
from seedqueue.backend.learnt import Bounds, unrelated
from seedqueue.backend.pool import PoolTask
from seedqueue.backend.records import Run
from seedqueue.backend.vectors import Vectors, vectors_of
from seedqueue.backend.versions import ModelVersion
from seedqueue.models.heads.linear import LinearHead

LEAST_SHARE = 0.9  # of the fresh slice: those that annotators leave for later are the difficult ones
MARGIN = 0.1  # a loss that the interval must exclude before an estimate is said to hold


@dataclass(frozen=True)
class Holding:
    """One serving version. labelled, size: of the fresh slice, without what was skipped. holds: None: not said yet."""

    version: str
    labelled: int
    size: int
    compared: Compared | None
    holds: bool | None
    sentence: str


def holding(context: Context, run: Run, part: Part | None, pool: Sequence[PoolTask]) -> tuple[Holding, ...]:
    """Of each version that serves; () without a fresh slice, a first slice before it or a version.

    part: the fresh slice. pool: the project's tasks now. Raises `LabelConfigUnusable`.
    """
    first = audit.first(context.records, run.project)
    serving = context.versions.serving(run.project)
    if part is None or not part.tasks or not serving or {one.task for one in first} & {o.task for o in part.tasks}:
        return ()
    drawn = {one.task for one in part.tasks}
    fresh = {one.task for one in pool if one.task in drawn}
    skipped = {one.task for one in pool if one.skipped and not one.labelled and one.task in drawn}
    gathered = gather(context, run.project, run.choices.group_field)
    vectors = vectors_apart(context, run, gathered)
    slices = {one.task for one in first}, fresh - skipped
    found = [_of(context, run, part, gathered, vectors, version, slices) for version in serving.values()]
    # Nobody could say what they show: they are no part of the question, and never will be labelled.
    told = f"; {len(skipped)} skipped left out" if skipped else ""
    return tuple(replace(one, sentence=one.sentence + told) for one in found)


def verdict(found: Compared) -> tuple[bool | None, str]:
    """Whether the estimate holds, and a sentence: no by an interval apart from 0, yes by one that excludes a loss."""
    if found.difference is None or found.low is None or found.high is None:
        return None, f"cannot be said: {found.reason}"
    told = (
        f"{found.metric} {found.fresh:.2f} on {found.n_fresh} new images, {found.old:.2f} on {found.n_old} of the "
        f"first audit, difference {found.difference:+.2f} ({found.low:+.2f} to {found.high:+.2f})"
    )
    if found.high < 0:
        return False, f"does not hold, the version is worse on the new images: {told}"
    if found.low > 0:
        return False, f"does not hold, the version is better on the new images: {told}"
    if found.low < -MARGIN:
        return None, f"cannot be said, a loss of {-found.low:.2f} is not excluded by so few labels: {told}"
    return True, f"holds: {told}"


def _of(
    context: Context,
    run: Run,
    part: Part,
    gathered: Gathered,
    vectors: Vectors,
    version: ModelVersion,
    slices: tuple[set[int], set[int]],
) -> Holding:
    told = [one for one in gathered.audit if tells(one, version.family)]
    old, fresh = ([one for one in told if one.task in tasks] for tasks in slices)
    size = len(slices[1])

    def unsaid(why: str) -> Holding:
        return Holding(version.name, len(fresh), size, None, None, f"cannot be said yet: {why}")

    if len(fresh) < LEAST_SHARE * size or not fresh:
        return unsaid(f"{len(fresh)} of {size} are labelled")
    if not old:
        return unsaid("no task of the first audit is labelled, so there is no estimate that could hold")
    labelling = gathered.labelling
    if version.classes != (labelling.classes if version.family == "classes" else labelling.mask_classes):
        return unsaid(f"the label config asks for other classes than {version.name} has learnt; train anew")
    if not unseen(run, part, gathered, vectors, version):
        what = "images that are now held out, or that are of the same patients"
        return unsaid(f"{version.name} may have learnt from {what}: seedqueue train --project {run.project}")
    found = _compared(context, run, vectors, version, old, fresh)
    holds, sentence = verdict(found)
    return Holding(version.name, len(fresh), size, found, holds, sentence)


def unseen(run: Run, part: Part, gathered: Gathered, vectors: Vectors, version: ModelVersion) -> bool:
    """Whether the version cannot have learnt from the fresh slice: made after it, or of labels apart from it."""
    if datetime.fromisoformat(version.made) - timedelta(seconds=version.seconds + 1) > part.at:
        return True
    places = [(one.task, one.uri) for one in part.tasks]
    bounds = Bounds(run.choices.near_duplicate, 0)
    apart = unrelated(gathered.of(version.family), (), places, vectors, bounds)
    return {number for number, _ in version.annotations} <= {number for one in apart for number in one.annotations}


def _compared(
    context: Context, run: Run, vectors: Vectors, version: ModelVersion, old: list[Example], fresh: list[Example]
) -> Compared:
    known = predicted_of(context, version) or Predicted({}, {})
    said = known.images if version.family == "masks" else known.probabilities
    missing = [one for one in (*old, *fresh) if one.task not in said]
    known = _joined(known, _predicted(context, version, missing))
    said = known.images if version.family == "masks" else known.probabilities
    old, fresh = ([one for one in part if one.task in said] for part in (old, fresh))
    groups = [groups_of(vectors, part, run.choices.near_duplicate) for part in (old, fresh)]
    compare = compare_masks if version.family == "masks" else compare_classes
    return compare(known, version, (old, groups[0]), (fresh, groups[1]), context.settings.random_seed)


def _joined(one: Predicted, other: Predicted) -> Predicted:
    return Predicted({**one.probabilities, **other.probabilities}, {**one.images, **other.images})


def _predicted(context: Context, version: ModelVersion, examples: Sequence[Example]) -> Predicted:
    """What a version says of images that were not held out when it was made, as far as they can be read."""
    places = {(one.task, one.uri) for one in examples}
    if not places:
        return Predicted({}, {})
    if version.head != "linear":
        head = network(context, version)
        if version.family == "masks":
            return Predicted({}, judged_masks(context, head, examples))
        return Predicted(said_of(context, head, places), {})
    vectors = vectors_of(context, version.project, version.fingerprint)
    stored = sorted(place for place in places if vectors.has(*place))
    if not stored:
        return Predicted({}, {})
    linear = LinearHead.from_bytes(context.blobs.get(version.weights))
    said = recalibrated(linear.probabilities(vectors.of(stored)), version.kind, version.prior, version.target)
    return Predicted({task: tuple(row) for (task, _), row in zip(stored, said.tolist(), strict=True)}, {})
