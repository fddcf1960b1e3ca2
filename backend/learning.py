"""What a person asks of the heads: train, promote, roll back, and how learning goes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from seedqueue.backend import audit, waking
from seedqueue.backend.agreement import Agreement
from seedqueue.backend.annotations import Problem
from seedqueue.backend.context import Context
from seedqueue.backend.errors import InvalidRequest, NoSeedQueue
from seedqueue.backend.examples import Example
from seedqueue.backend.gathering import Gathered, gather
from seedqueue.backend.judging import Predicted, compare, judge
from seedqueue.backend.learn import groups_of, predicted_of, vectors_apart
from seedqueue.backend.learning_errors import NothingToRollBackTo
from seedqueue.backend.reading import Reading, reading
from seedqueue.backend.records import Run
from seedqueue.backend.versions import Family, HeadKind, ModelVersion
from seedqueue.models.metrics.learning_curve import Advice, Point, advice

MORE = 20  # labels that the advice speaks of
CURVE = 12  # versions of it at the most, the newest


@dataclass(frozen=True)
class Curve:
    """How one family learns: a point a version, all measured on the same held-out tasks, and what follows."""

    family: Family
    metric: str
    held_out: str
    judged_on: int
    points: tuple[Point, ...]
    advice: Advice


@dataclass(frozen=True)
class Overview:
    """What the annotations amount to. seconds: the median time of an image; problems: what is not learnt from.

    reading: of each version that serves.
    """

    curves: tuple[Curve, ...]
    agreement: Agreement
    problems: tuple[Problem, ...]
    seconds: float | None
    warnings: tuple[str, ...]
    reading: tuple[Reading, ...] = ()


@dataclass(frozen=True)
class Told:
    """What `status` says of learning. progress: of the training under way. last: how the last one ended."""

    serving: tuple[ModelVersion, ...]
    progress: dict[str, Any] | None
    last: dict[str, Any] | None
    audit: int


def request_training(context: Context, project: int, head: str | None) -> None:
    """Have a head trained now, or all that train of themselves. Raises `NoSeedQueue`, `InvalidRequest`."""
    known: tuple[HeadKind, ...] = get_args(HeadKind)
    chosen = [one for one in known if one == head]
    if head and not chosen:
        raise InvalidRequest(f"There is no head {head!r}; give one of: {', '.join(known)}.")
    if context.records.published_run(project) is None:
        raise NoSeedQueue(project)
    waking.ask(context.broker, project, chosen)


def promote(context: Context, project: int, number: int) -> ModelVersion:
    """Let this version serve, whatever its figures say. Raises `NoSuchVersion`."""
    context.versions.promote(context.versions.get(project, number))
    context.broker.enqueue("learn", "learning_jobs.show", project)
    return context.versions.get(project, number)


def roll_back(context: Context, project: int, head: str | None = None) -> ModelVersion:
    """Let the version serve that did before the one that serves now.

    head: of which family, where a project has two. Raises `NothingToRollBackTo`, `InvalidRequest`.
    """
    serving = context.versions.serving(project)
    families = [family for family, version in serving.items() if head in (None, version.head, family)]
    if len(families) > 1:
        raise InvalidRequest(f"Project {project} has two heads; name one: {', '.join(map(str, families))}.")
    before = context.versions.earlier(project, families[0]) if families else None
    if before is None:
        raise NothingToRollBackTo(project, head or (families[0] if families else "heads"))
    context.versions.promote(before, back=True)
    context.broker.enqueue("learn", "learning_jobs.show", project)
    return context.versions.get(project, before.number)


def told(context: Context, project: int) -> Told:
    rows = [body for _, _, body in context.records.bodies("learning", project) if body["outcome"] != "refreshed"]
    return Told(
        serving=tuple(context.versions.serving(project).values()),
        progress=context.broker.noted(waking.progress_name(project)),
        last=rows[-1] if rows else None,
        audit=len(audit.frozen(context.records, project)),
    )


def overview(context: Context, project: int) -> Overview:
    """The learning curve of each family that has a version, on what is held out and labelled now; agreement, problems.

    Reads all annotations of the project. Raises `NoSeedQueue`, `LabelConfigUnusable`.
    """
    run = context.records.published_run(project)
    if run is None:
        raise NoSeedQueue(project)
    gathered = gather(context, project, run.choices.group_field)
    made = context.versions.all(project)
    families: list[Family] = sorted({version.family for version in made})
    return Overview(
        curves=tuple(_curve(context, run, gathered, family, made) for family in families),
        agreement=gathered.agreement,
        problems=gathered.problems,
        seconds=gathered.seconds_per_label,
        warnings=gathered.labelling.warnings,
        reading=tuple(_readings(context, project, gathered)),
    )


def _readings(context: Context, project: int, gathered: Gathered) -> Iterator[Reading]:
    s = context.settings
    page = f"{s.label_studio_public_url or s.label_studio_url}/projects/{project}"
    for family, version in sorted(context.versions.serving(project).items()):
        predicted = predicted_of(context, version)
        if predicted is not None:
            yield reading(version, predicted, gathered.held_out(family)[1], _classes(gathered, family), page)


def _curve(context: Context, run: Run, gathered: Gathered, family: Family, made: Sequence[ModelVersion]) -> Curve:
    held_out, judges = gathered.held_out(family)
    newest = [one for one in made if one.family == family][-1]
    same = (newest.head, newest.classes, newest.kind)  # a linear head and a network are two curves
    alike = [one for one in made if (one.head, one.classes, one.kind) == same][-CURVE:]
    said = {version.number: found for version in alike if (found := predicted_of(context, version)) is not None}
    if newest.classes != _classes(gathered, family):
        judges = []  # the config asks for other classes since: nothing of what is held out compares with these versions
    judges = [one for one in judges if all(_has(each, one) for each in said.values())]
    groups = groups_of(vectors_apart(context, run, gathered), judges, run.choices.near_duplicate)
    seed = context.settings.random_seed
    points, metric = [], "AUPRC" if family == "classes" else "DSC"
    for version in alike if judges else []:
        if version.number not in said:
            continue
        judged = judge(said[version.number], judges, groups, version.classes, version.kind, version.threshold, seed)
        figure, metric = judged.primary, judged.primary_name
        if figure.value is not None:
            points.append(Point(version.labels, figure.value, figure.low, figure.high, version.name))
    recent, labels = None, MORE
    earlier = _earlier(alike, newest)
    if earlier is not None and judges and {earlier.number, newest.number} <= said.keys():
        recent = compare(said[newest.number], said[earlier.number], judges, groups, newest.kind, seed)
        labels = newest.labels - earlier.labels
    given = advice(points, recent, gathered.seconds_per_label, MORE, labels, metric)
    return Curve(family, metric, held_out if judges else "", len(judges), tuple(points), given)


def _classes(gathered: Gathered, family: Family) -> tuple[str, ...]:
    return gathered.labelling.classes if family == "classes" else gathered.labelling.mask_classes


def _earlier(versions: Sequence[ModelVersion], newest: ModelVersion) -> ModelVersion | None:
    """The version whose number of labels lies nearest to 20 before the newest one's."""
    before = [one for one in versions if one.labels < newest.labels]
    return min(before, key=lambda one: abs(newest.labels - MORE - one.labels), default=None)


def _has(predicted: Predicted, example: Example) -> bool:
    return example.task in predicted.probabilities or example.task in predicted.images
